"""Files from one package of PyPI, pinned by the hash of its archive; it is not installed."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

KEPT = Path(__file__).parents[1] / ".isp" / "pypi"
PACKAGE = "fhir4ds-v2==0.0.17"
"""Carries HL7's test cases of FHIRPath for R4, with the resources they are about."""

SHA256 = "1e1659582370a2b104b87402f2b69f60f66b7d503701c67812c638d1b8a886c0"
FOLDER = "fhir4ds/fhirpath/tests/compliance/r4"


def fetched(name: str) -> Path:
    """The path of a file of the suite, fetched by pip the first time; skips without a network."""
    kept = KEPT / SHA256[:16] / name
    if not kept.exists():
        _unpack(kept.parents[name.count("/")])
    return kept


def _unpack(to: Path) -> None:
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", directory]
        done = subprocess.run([*command, PACKAGE], capture_output=True, timeout=300, check=False)
        archives = list(Path(directory).glob("*.whl"))
        if done.returncode and not archives:
            pytest.skip("no package index is within reach")
        data = archives[0].read_bytes()
        assert hashlib.sha256(data).hexdigest() == SHA256, PACKAGE
        with zipfile.ZipFile(archives[0]) as archive:
            for name in archive.namelist():
                if name.startswith(FOLDER) and name.endswith((".xml", ".json")):
                    target = to / name.removeprefix(f"{FOLDER}/")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(name))
