"""DOOR: a stored row becomes bytes that may leave. Nothing leaves but through here.

The stored text is sent as it is; it is parsed only when a part of it was asked for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.fhir import json
from app.fhir.context import Context, Disclosed, Resource
from app.fhir.instant import to_text
from app.fhir.subset import subset
from app.storage.sql import Row

SAID = frozenset(
    {
        "OperationOutcome",
        "CapabilityStatement",
        "TerminologyCapabilities",
        "Parameters",
        "ValueSet",
        "StructureDefinition",
    }
)


def disclose(
    ctx: Context,
    row: Row,
    *,
    summary: str | None = None,
    elements: tuple[str, ...] = (),
) -> Disclosed:
    """The body of a row of `visible` or `versions`, whole or as _summary and _elements ask."""
    text: bytes = row["body"].encode()
    if summary in (None, "false") and not elements:
        return Disclosed(text)
    return Disclosed(json.dump(subset(json.parse(text), summary, elements)))


def statement(resource: Resource) -> Disclosed:
    """A resource that this server says about itself or about the request: it holds no record.

    For what is in SAID only: answers, and definitions, which are about nobody.
    """
    if resource["resourceType"] not in SAID:
        raise TypeError(f"{resource['resourceType']} is a record; disclose its row")
    return Disclosed(json.dump(resource))


def patients(row: Row) -> tuple[str, ...]:
    """The logical ids of the patients a row is about, for the audit trail."""
    return (row["patient"],) if row["patient"] else tuple(row["patients"] or ())


@dataclass(frozen=True, slots=True)
class Entry:
    """A Bundle.entry: bytes that were disclosed, and what says how they came here."""

    full_url: str | None = None
    resource: Disclosed | None = None
    search: Mapping[str, Any] | None = None
    request: Mapping[str, Any] | None = None
    response: Mapping[str, Any] | None = None


def bundle(
    type_: str,
    entries: Iterable[Entry],
    links: Mapping[str, str] | None = None,
    *,
    total: int | None = None,
    last_updated: datetime | None = None,
) -> Disclosed:
    """A Bundle put together from disclosed bytes, which are not parsed again.

    https://hl7.org/fhir/R4/bundle.html
    """
    head: dict[str, Any] = {"resourceType": "Bundle", "type": type_}
    if last_updated is not None:
        head["meta"] = {"lastUpdated": to_text(last_updated)}
    if total is not None:
        head["total"] = total
    if links:
        head["link"] = [{"relation": name, "url": url} for name, url in links.items()]
    made = [_entry(entry) for entry in entries]
    tail = b',"entry":[' + b",".join(made) + b"]}" if made else b"}"
    return Disclosed(json.dump(head)[:-1] + tail)


def _entry(entry: Entry) -> bytes:
    parts = []
    if entry.full_url is not None:
        parts.append(b'"fullUrl":' + json.dump(entry.full_url))
    if entry.resource is not None:
        parts.append(b'"resource":' + entry.resource)
    for name in ("search", "request", "response"):
        value = getattr(entry, name)
        if value is not None:
            parts.append(b'"' + name.encode() + b'":' + json.dump(value))
    return b"{" + b",".join(parts) + b"}"
