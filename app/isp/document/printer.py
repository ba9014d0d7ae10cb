"""Prints one page: HTML on standard input, PDF on standard output. Run by pdf.py, alone.

A process of its own, so that a long plan takes nobody else's time, and memory goes back.
"""

import resource
import sys

from weasyprint import HTML
from weasyprint.urls import URLFetcher

SECONDS, BYTES = 60, 2 * 1024**3
"""Processor time and memory at most."""


NOTHING = URLFetcher(allowed_protocols=())
"""A plan is printed of what is in it: no picture, font or sheet is fetched from anywhere."""


def main() -> None:
    """Read, print, write; tagged for screen readers (PDF/UA-1)."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    text = sys.stdin.buffer.read().decode()
    document = HTML(string=text, url_fetcher=NOTHING)
    sys.stdout.buffer.write(document.write_pdf(pdf_variant="pdf/ua-1") or b"")


if __name__ == "__main__":
    main()
