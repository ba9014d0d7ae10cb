"""Files of FHIR resources, taken apart into what is to be stored.

A file holds one JSON resource or Bundle, or NDJSON with one a line; any of them may be gzipped. A
FHIR package (.tgz) holds many: https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
"""

import gzip
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from app.fhir import json
from app.fhir.errors import BadRequest, FHIRError
from app.fhir.interactions.rewrite import address, rewrite
from app.fhir.registration import bases
from app.fhir.registry import is_type

SUFFIXES = (".json", ".ndjson", ".jsonl", ".tgz")
Advance = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to store, or why it cannot be read.

    `source` says where it stands; `is_update` that its id is to be kept; `group` numbers what
    belongs together: the entries of one Bundle.
    """

    source: str
    group: int
    resource: Any = None
    is_update: bool = False
    error: FHIRError | None = None


def find(paths: Sequence[Path]) -> list[Path]:
    """The files under these paths, folders searched, in order of name. Raises FileNotFoundError."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(each for each in path.rglob("*") if _is_readable(each))
        elif path.is_file():
            found.append(path)
        else:
            raise FileNotFoundError(f"{path} does not exist")
    return found


def _is_readable(path: Path) -> bool:
    return path.is_file() and path.name.removesuffix(".gz").endswith(SUFFIXES)


def read(files: Sequence[Path], base_url: str, advance: Advance) -> Iterator[Item]:
    """The items of these files; `advance` hears of every further number of bytes read."""
    group = 0
    for file in files:
        for source, data in _documents(file, advance):
            group += 1
            try:
                yield from items(source, group, json.parse(data), base_url)
            except FHIRError as error:
                yield Item(source, group, error=error)


def _documents(file: Path, advance: Advance) -> Iterator[tuple[str, bytes]]:
    """Each JSON text of a file with where it stands."""
    with ExitStack() as stack:
        raw = stack.enter_context(file.open("rb"))
        name, stream = file.name, cast(BinaryIO, raw)
        if name.endswith(".gz"):
            name, stream = name[:-3], cast(BinaryIO, stack.enter_context(gzip.open(raw)))
        at = 0
        if name.endswith(".json"):
            yield str(file), stream.read()
        elif name.endswith(".tgz"):
            yield from _packed(file)
        else:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield f"{file}:{number}", line
                advance(raw.tell() - at)
                at = raw.tell()
        advance(raw.tell() - at)


def _packed(file: Path) -> Iterator[tuple[str, bytes]]:
    """The resources of a FHIR package that this server has a type for; the rest is left out.

    So is their narrative, which is generated for web pages.
    """
    with tarfile.open(file) as package:
        for member in package:
            folder, _, name = member.name.partition("/")
            is_wanted = folder == "package" and "/" not in name and name.endswith(".json")
            if (
                is_wanted
                and is_type(name.partition("-")[0])
                and (found := package.extractfile(member))
            ):
                data = json.parse(found.read())
                if _is_of_use(data):
                    yield f"{file}:{name}", _without_text(data)


def _is_of_use(resource: Any) -> bool:
    """Whether it is no SearchParameter, or one of a type of this server."""
    return resource.get("resourceType") != "SearchParameter" or bool(bases(resource))


def _without_text(resource: Any) -> bytes:
    return json.dump({key: value for key, value in resource.items() if key != "text"})


def items(source: str, group: int, document: Any, base_url: str) -> Iterator[Item]:
    """The resource itself, or those of a Bundle with their references led to where they will live.

    Raises BadRequest for what is no resource.
    """
    if not isinstance(document, dict) or "resourceType" not in document:
        raise BadRequest("This is no resource: a JSON object with a resourceType is.")
    if document["resourceType"] != "Bundle":
        yield Item(source, group, document, is_update="id" in document)
        return
    entries = [_with_request(entry) for entry in document.get("entry", [])]
    addresses = address(entries, base_url)
    for at, entry in enumerate(entries):
        where = f"{source} entry[{at}]"
        try:
            resource = rewrite(entry, at, addresses.places)
        except FHIRError as error:
            yield Item(where, group, error=error)
            continue
        if at in addresses.ids and isinstance(resource, dict):
            resource = {**resource, "id": addresses.ids[at]}
        yield Item(where, group, resource, is_update=at not in addresses.ids)


def _with_request(entry: Any) -> dict[str, Any]:
    """An entry with the request it would have in a transaction: kept under its id if it has one."""
    known: dict[str, Any] = entry if isinstance(entry, dict) else {}
    resource = known.get("resource")
    if isinstance(known.get("request"), dict) or not isinstance(resource, dict):
        return known
    url, method = resource.get("resourceType"), "POST"
    if "id" in resource:
        url, method = f"{url}/{resource['id']}", "PUT"
    return {**known, "request": {"method": method, "url": url}}
