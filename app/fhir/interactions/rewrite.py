"""The references within a transaction: from the addresses entries have in the Bundle to the
addresses they will have on the server.

https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import is_not
from typing import Any

from app.fhir.errors import BadRequest, FHIRError, Unprocessable
from app.fhir.ids import new_id
from app.fhir.references import TEMPORARY, local

ADDRESSES = frozenset({"reference", "url", "uri", "valueUri", "valueUrl", "valueOid", "valueUuid"})
"""The elements in which an address may stand; an identifier that looks like one is none, and a
canonical stays what it is."""

POINTING = ADDRESSES | {"div"}

LINK = re.compile(r"""((?:href|src)=["'])(urn:(?:uuid|oid):[^"'#]+)""")
"""What a narrative links to."""

VERSIONED = re.compile(r"(.+)/_history/[A-Za-z0-9\-.]{1,64}\Z")
FULL_URL = re.compile(r"(https?://.+/)[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Addresses:
    """The ids of the entries to be created, by position, and where each fullUrl will live."""

    ids: Mapping[int, str]
    places: Mapping[str, str]


def address(entries: Sequence[Mapping[str, Any]], base_url: str) -> Addresses:
    """Give every entry its place. Raises BadRequest when two entries have the same fullUrl."""
    homes = [_place(entry, base_url) for entry in entries]
    made = (at for at, entry in enumerate(entries) if _method(entry) == "POST")
    ids = {at: homes[at].partition("/")[2] for at in made}
    return Addresses(ids, places(entries, homes))


def places(entries: Sequence[Mapping[str, Any]], homes: Sequence[str]) -> dict[str, str]:
    """Where each fullUrl will live; `homes` are the places of the entries, "" for none.

    Raises BadRequest when two entries have the same fullUrl.
    """
    found: dict[str, str] = {}
    for at, (entry, home) in enumerate(zip(entries, homes, strict=True)):
        full_url = entry.get("fullUrl")
        if not home or not isinstance(full_url, str):
            continue
        if full_url in found:
            where = f"Bundle.entry[{at}].fullUrl"
            raise BadRequest("Two entries have the same fullUrl.", expression=[where])
        found[full_url] = home
    return found


def _method(entry: Mapping[str, Any]) -> Any:
    request = entry.get("request")
    return request.get("method") if isinstance(request, dict) else None


def _place(entry: Mapping[str, Any], base_url: str) -> str:
    resource = entry.get("resource")
    if _method(entry) == "POST" and isinstance(resource, dict):
        return f"{resource.get('resourceType')}/{new_id()}"
    if _method(entry) == "PUT":
        return str(local(entry["request"].get("url"), base_url) or "")
    return ""


def rewrite(entry: Mapping[str, Any], at: int, places: Mapping[str, str]) -> Any:
    """The resource of an entry, its references leading to where the other entries will live.

    Raises Unprocessable for a temporary address that no entry has.
    """
    with within(at):
        return rewritten(entry.get("resource"), entry.get("fullUrl"), places)


def rewritten(value: Any, full_url: Any, places: Mapping[str, str]) -> Any:
    """As `rewrite`, of the content of an entry; a relative reference is relative to its fullUrl."""
    base = FULL_URL.match(full_url) if isinstance(full_url, str) else None
    return _rewritten(value, places, base.group(1) if base else "")


def _rewritten(value: Any, places: Mapping[str, str], base: str) -> Any:
    """The value itself where nothing in it changes: of a Bundle that is most."""
    if type(value) is list:
        items = [_rewritten(item, places, base) for item in value]
        return items if any(map(is_not, items, value)) else value
    if type(value) is not dict:
        return value
    changed = {}
    for name, member in value.items():
        if type(member) is str:
            made = _target(name, member, places, base) if name in POINTING else member
        else:
            made = _rewritten(member, places, base)
        if made is not member:
            changed[name] = made
    return {**value, **changed} if changed else value


def _target(name: str, text: str, places: Mapping[str, str], base: str) -> str:
    if name == "div" and "urn:" in text:
        return LINK.sub(lambda found: found[1] + places.get(found[2], found[2]), text)
    if name in ADDRESSES and text.startswith(TEMPORARY) and text in places:
        return places[text]
    if name != "reference":
        return text
    found = places.get(text) or places.get(base + text) or _version(text, places, base)
    if found is None and text.startswith(TEMPORARY):
        raise Unprocessable("No entry of this Bundle has this fullUrl.", code="not-found")
    if found is None and "?" in text and "://" not in text:
        raise Unprocessable("A transaction alone looks up what a reference means.", code="value")
    return found or text


def _version(text: str, places: Mapping[str, str], base: str) -> str | None:
    """A version of another entry that gets a new id: which version it will be is not known before,
    so the current one. What keeps its id keeps its versions."""
    found = VERSIONED.match(text)
    if found is None:
        return None
    place = places.get(found[1]) or places.get(base + found[1])
    return None if place and f"/{found[1]}".endswith(f"/{place}") else place


@contextmanager
def within(at: int, member: str = "resource") -> Iterator[None]:
    """Let errors say in which entry of the Bundle they stand."""
    try:
        yield
    except FHIRError as error:
        place = f"Bundle.entry[{at}]"
        issues = [
            replace(
                issue,
                expression=tuple(f"{place}.{member}{_after_type(e)}" for e in issue.expression)
                or (place,),
            )
            for issue in error.issues
        ]
        raise type(error)(str(error), issues=issues, headers=error.headers) from error


def _after_type(expression: str) -> str:
    _, dot, rest = expression.partition(".")
    return dot + rest
