"""Literal references: which of them point to resources of this server.

https://hl7.org/fhir/R4/references.html#literal
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
"""https://hl7.org/fhir/R4/datatypes.html#id"""

LITERAL = re.compile(
    r"([A-Z][A-Za-z]{1,40})/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?\Z"
)

POINTER = r'"(?:reference|url)":"(?:{}/)?([A-Z][A-Za-z]{{1,40}}/[A-Za-z0-9.-]{{1,64}})'
"""A pointer in stored text (a Reference, the url of an Attachment), relative or, under the base URL
that is filled in, to this server: for Python and for PostgreSQL. Stored text has no space here."""

TEMPORARY = ("urn:uuid:", "urn:oid:")
"""How a transaction addresses what is yet to be created."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a resource of this server: type, logical id, and perhaps a version."""

    type: str
    id: str
    version: str | None = None

    def __str__(self) -> str:
        return f"{self.type}/{self.id}"


def local(reference: Any, base_url: str) -> Reference | None:
    """Parse "Type/id[/_history/v]", relative or under our own base; None for anything else."""
    if not isinstance(reference, str):
        return None
    found = LITERAL.match(reference.removeprefix(base_url + "/"))
    return Reference(*found.groups()) if found else None


def mentioned(text: str, base_url: str = "") -> Iterator[str]:
    """The resources of this server that a stored text refers to, without its being parsed; but for
    those under the base URL where none is given."""
    return (pointer[1] for pointer in _pattern(base_url).finditer(text))


@cache
def _pattern(base_url: str) -> re.Pattern[str]:
    ending = r'(?:/_history/[A-Za-z0-9.-]{1,64})?"'
    return re.compile(POINTER.format(re.escape(base_url)) + ending)


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every Reference element (an object with a string member `reference`), depth first."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        for member in value.values():
            if isinstance(member, dict | list):
                yield from walk(member)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list):
                yield from walk(item)


def located(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Reference element together with the FHIRPath of where it stands."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield path, value
        for name, member in value.items():
            if isinstance(member, dict | list):
                yield from located(member, f"{path}.{name}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from located(item, f"{path}[{at}]")
