"""URI search: the whole value, to the letter. https://hl7.org/fhir/R4/search.html#uri"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.fhir.errors import BadRequest
from app.fhir.search.parameters.criterion import Criterion, Over, unescape
from app.fhir.search.parameters.keys import key

URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def extract(name: str, elements: Iterable[tuple[str, Any]]) -> Iterator[int]:
    """The keys of these URIs under the parameter `name`; a canonical also without its version.

    Those of all URLs above it answer `:below`.
    """
    for type_, value in elements:
        if isinstance(value, str):
            yield key(name, "uri", value)
            for above in lineage(value.partition("|")[0]):
                yield key(name, "below", above)
            if type_ == "canonical" and "|" in value:
                yield key(name, "uri", value.partition("|")[0])


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: the row has one of the URIs."""
    name = f"{criterion.type}.{criterion.parameter.code}"
    read = {"above": _above, "below": _below}.get(criterion.modifier or "", _same)
    wanted = [key_ for value in criterion.values for key_ in read(name, value)]
    return f"{over.alias}.keys && {over.args.add(wanted, 'bigint[]')}"


def lineage(url: str) -> list[str]:
    """The URL and those above it, part by part of its path; none for what is no URL."""
    found = URL.match(url)
    if found is None:
        return []
    parts = url[found.end() :].rstrip("/").split("/")
    return [found[0] + "/".join(parts[:end]) for end in range(1, len(parts) + 1)]


def _same(name: str, value: str) -> list[int]:
    return [asked(name, value)]


def _above(name: str, value: str) -> list[int]:
    return [key(name, "uri", above) for above in _url(name, value)]


def _below(name: str, value: str) -> list[int]:
    return [key(name, "below", _url(name, value)[-1])]


def _url(name: str, value: str) -> list[str]:
    found = lineage(unescape(value))
    if not found:
        raise BadRequest(
            "What is above or below is known of URLs only, not of URNs.", expression=(name,)
        )
    return found


def asked(name: str, value: str) -> int:
    """The key that a value in search syntax asks for."""
    return key(name, "uri", unescape(value))
