"""DOOR: a stored row becomes bytes that may leave. Nothing leaves but through here.

The stored text is sent as it is; it is parsed only when a part of it was asked for, or when it
refers to what is hidden from the caller.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app.fhir import json
from app.fhir.context import Context, Disclosed, Resource
from app.fhir.hidden import Hidden
from app.fhir.instant import to_text
from app.fhir.label import highest, is_sealed, noticed, security
from app.fhir.redact import redact
from app.fhir.references import mentioned
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

SEARCHED = {
    mode: b'"search":' + json.dump({"mode": mode}) for mode in ("match", "include", "outcome")
}
"""Bundle.entry.search by its mode."""


def disclose(
    ctx: Context,
    row: Row,
    hidden: Hidden,
    *,
    summary: str | None = None,
    elements: tuple[str, ...] = (),
) -> Disclosed:
    """The body of a row of `visible` or `versions`, whole or as _summary and _elements ask.

    Without what points to the `hidden`, which were asked for with this row, and with the notice
    that the law demands for some.
    """
    level = row["confidentiality"]
    is_whole = summary in (None, "false") and not elements
    if is_whole and not is_sealed(row) and not _masked(ctx, row, hidden):
        return Disclosed(row["body"].encode(), level)
    resource = shown_of(ctx, row, hidden)
    if not is_whole:
        resource = subset(resource, summary, elements)
    if is_sealed(row):
        resource = noticed(resource, hidden.grounds(row["body"], ctx.base_url))
    return Disclosed(json.dump(resource), level)


def shown_of(ctx: Context, row: Row, hidden: Hidden) -> Resource:
    """What of a row may be worked with where its bytes do not leave."""
    resource: Resource = json.parse(row["body"].encode())
    masked = _masked(ctx, row, hidden)
    return redact(resource, masked, ctx.engine.base_url) if masked else resource


def is_redacted(ctx: Context, row: Row, hidden: Hidden) -> bool:
    """Whether something of the row is not shown."""
    return bool(_masked(ctx, row, hidden))


def _masked(ctx: Context, row: Row, hidden: Hidden) -> frozenset[str]:
    """What of the hidden the row refers to; whom it is about goes without saying."""
    if not hidden.names:
        return hidden.names
    own = {f"Patient/{id_}" for id_ in patients(row)}
    return hidden.names.intersection(mentioned(row["body"], ctx.engine.base_url)) - own


def statement(resource: Resource) -> Disclosed:
    """A resource that this server says about itself or about the request: it holds no record.

    For what is in SAID only: answers, and definitions, which are about nobody.
    """
    if resource["resourceType"] not in SAID:
        raise TypeError(f"{resource['resourceType']} is a record; disclose its row")
    return Disclosed(json.dump(resource))


def derived(resource: Resource) -> Disclosed:
    """A resource put together of nothing but what was disclosed to this caller before.

    A Composition of it, a diff, a series or a count: what is not visible has no part in it.
    """
    return Disclosed(json.dump(resource))


def rendered(content: bytes) -> Disclosed:
    """What was disclosed to this caller, as a page, a picture or a print of it."""
    return Disclosed(content)


def again(resource: Resource, level: int | None) -> Disclosed:
    """What was disclosed to this caller before, without what has been hidden from them since.

    `level` is that of what was disclosed then.
    """
    return Disclosed(json.dump(resource), level)


def patients(row: Row) -> tuple[str, ...]:
    """The logical ids of the patients a row is about, for the audit trail."""
    return (row["patient"],) if row["patient"] else tuple(row["patients"] or ())


class Entry(NamedTuple):
    """A Bundle.entry: bytes that were disclosed, and what says how they came here.

    `search` is a code of http://hl7.org/fhir/search-entry-mode.
    """

    full_url: str | None = None
    resource: Disclosed | None = None
    search: str | None = None
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

    It bears the highest level of the records in it. https://hl7.org/fhir/R4/bundle.html
    """
    head: dict[str, Any] = {"type": type_}
    if total is not None:
        head["total"] = total
    if links:
        head["link"] = [{"relation": name, "url": url} for name, url in links.items()]
    meta = {} if last_updated is None else {"lastUpdated": to_text(last_updated)}
    return _bundle(meta, head, entries)


def document(identifier: Mapping[str, str], made: datetime, entries: Iterable[Entry]) -> Disclosed:
    """A document Bundle, its Composition first. https://hl7.org/fhir/R4/documents.html"""
    head = {"identifier": dict(identifier), "type": "document", "timestamp": to_text(made)}
    return _bundle({}, head, entries)


def _bundle(
    meta: Mapping[str, Any], head: Mapping[str, Any], entries: Iterable[Entry]
) -> Disclosed:
    held = list(entries)
    level = highest(entry.resource.level for entry in held if entry.resource)
    if level is not None:
        meta = {**meta, "security": security(level)}
    made = {"resourceType": "Bundle", **({"meta": meta} if meta else {}), **head}
    tail = b',"entry":[' + b",".join(map(packed, held)) + b"]}" if held else b"}"
    return Disclosed(json.dump(made)[:-1] + tail, level)


def packed(entry: Entry) -> bytes:
    """The JSON of a Bundle.entry."""
    parts = []
    if entry.full_url is not None:
        parts.append(b'"fullUrl":' + json.dump(entry.full_url))
    if entry.resource is not None:
        parts.append(b'"resource":' + entry.resource.content)
    if entry.search is not None:
        parts.append(SEARCHED[entry.search])
    for name, value in (("request", entry.request), ("response", entry.response)):
        if value is not None:
            parts.append(b'"' + name.encode() + b'":' + json.dump(value))
    return b"{" + b",".join(parts) + b"}"
