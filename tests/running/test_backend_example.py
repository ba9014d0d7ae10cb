"""The backend client of docs/examples, which the README has its readers run."""

import subprocess
import sys
from pathlib import Path

import httpx

from tests.running.installation import Installation

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "backend_client.py"
SCOPE = "system/Organization.rs"
ASKED = ("--name", "Example", "--scope", SCOPE, "--organization", "Organization/example")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_it_makes_keys_registers_with_them_and_gets_a_token(
    installation: Installation, issuer: str, tmp_path: Path
) -> None:
    assert run(tmp_path, "keys", "ehr").returncode == 0
    assert (tmp_path / "ehr.pem").stat().st_mode & 0o077 == 0
    keys = ("--id", "example", "--jwks", str(tmp_path / "ehr.jwks.json"))
    made = installation.isp("client", "create", *keys, *ASKED)
    assert made.returncode == 0
    done = run(tmp_path, "token", f"{issuer}/fhir", "example", "ehr", SCOPE)
    headers = {"Authorization": f"Bearer {done.stdout.strip()}"}
    assert httpx.get(f"{issuer}/fhir/Organization", headers=headers).status_code == 200


def test_keys_that_may_be_registered_are_not_overwritten(tmp_path: Path) -> None:
    assert run(tmp_path, "keys", "ehr").returncode == 0
    before = (tmp_path / "ehr.pem").read_text()
    again = run(tmp_path, "keys", "ehr")
    assert again.returncode == 1
    assert again.stderr.startswith("ehr.pem exists")
    assert (tmp_path / "ehr.pem").read_text() == before


def test_it_tells_why_it_gets_no_token(issuer: str, tmp_path: Path) -> None:
    run(tmp_path, "keys", "other")
    done = run(tmp_path, "token", f"{issuer}/fhir", "nobody", "other", "system/*.rs")
    assert done.returncode == 1
    assert done.stderr.startswith("No token: 401 ")
    assert "invalid_client" in done.stderr
    assert "Traceback" not in done.stderr
