"""Literal references: which of them point to resources of this server.

https://hl7.org/fhir/R4/references.html#literal
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

from app.fhir import json

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
"""https://hl7.org/fhir/R4/datatypes.html#id"""

LITERAL = re.compile(
    r"([A-Z][A-Za-z]{1,40})/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?\Z"
)

LONGEST = 200
"""Characters of such a reference, at most, below a base URL."""

POINTER = r'"(?:reference|url)":"(?:{}/)?([A-Z][A-Za-z]{{1,40}}/[A-Za-z0-9.-]{{1,64}})'
"""A pointer in stored text (a Reference, the url of an Attachment), relative or, under the base URL
that is filled in, to this server: for Python and for PostgreSQL. Stored text has no space here."""

TEMPORARY = ("urn:uuid:", "urn:oid:")
"""How a transaction addresses what is yet to be created."""


class Reference(NamedTuple):
    """A reference to a resource of this server: type, logical id, and perhaps a version."""

    type: str
    id: str
    version: str | None = None

    def __str__(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def whole(self) -> "Reference":
        """The reference to the resource, whatever its version."""
        return self if self.version is None else Reference(self.type, self.id)


def local(reference: Any, base_url: str) -> Reference | None:
    """Parse "Type/id[/_history/v]", relative or under our own base; None for anything else."""
    if not isinstance(reference, str) or len(reference) > LONGEST + len(base_url):
        return None
    return _local(reference, base_url)


# A resource repeats a few references, and on its way into the tables each is looked at often.
@lru_cache(maxsize=4096)
def _local(reference: str, base_url: str) -> Reference | None:
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


def is_mentioned(value: Any, text: str) -> bool:
    """Whether a JSON value, written compactly, holds this text.

    Of characters that are never escaped, but for quotes around a name or value. Far quicker than to
    walk through it.
    """
    return text.encode() in json.dump(value)


def walk(value: Any) -> list[dict[str, Any]]:
    """Every Reference element (an object with a string member `reference`), depth first."""
    return among(json.objects(value))


def among(objects: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Reference elements among these objects."""
    return [each for each in objects if type(each.get("reference")) is str]


def located(value: Any, path: str) -> list[tuple[str, dict[str, Any]]]:
    """Every Reference element together with the FHIRPath of where it stands."""
    found: list[tuple[str, dict[str, Any]]] = []
    _locate(value, path, found)
    return found


def _locate(value: Any, path: str, found: list[tuple[str, dict[str, Any]]]) -> None:
    if type(value) is dict:
        if type(value.get("reference")) is str:
            found.append((path, value))
        for name, member in value.items():
            if type(member) is dict or type(member) is list:
                _locate(member, f"{path}.{name}", found)
    elif type(value) is list:
        for at, item in enumerate(value):
            if type(item) is dict or type(item) is list:
                _locate(item, f"{path}[{at}]", found)
