"""compose.yaml is what docker compose reads, and sets what the server knows."""

import re
import subprocess
import sys

from app.settings import Settings
from tests.house.source import ROOT

FILE = ROOT / "compose.yaml"


def test_it_is_a_compose_file() -> None:
    """By the schema of https://github.com/compose-spec/compose-spec, which comes with the tool."""
    command = ("-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE))
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_variable_of_ours_is_a_setting() -> None:
    named = set(re.findall(r"\bISP_(\w+)", FILE.read_text()))
    assert named
    assert {name.lower() for name in named} <= Settings.model_fields.keys()
