"""`python -m app` is `isp`."""

from app.cli import main

main(prog_name="isp")
