"""What of an answer kept for its requester is open to them still.

It was disclosed to them when it was made. A record that has been hidden since goes as a whole, and
so does what was made of several records; pointers to what is hidden are cut.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.fhir import json
from app.fhir.access import Access, Nothing, for_type
from app.fhir.context import Context, Resource
from app.fhir.disclose import Entry, again, patients
from app.fhir.hidden import mentioned, unknown
from app.fhir.redact import redact
from app.fhir.references import local
from app.fhir.visible import visible
from app.storage.asynchronous import Answer
from app.storage.sql import Arguments

SAID = frozenset({"OperationOutcome", "Bundle"})
"""What the server says itself; of a Bundle each entry is looked at."""


@dataclass(frozen=True, slots=True)
class Left:
    """The entries that may leave, and the logical ids of the patients they are about."""

    entries: list[Entry]
    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The patients of each record ("Type/id") that is open still, and the pointers that are not."""

    about: Mapping[str, tuple[str, ...]]
    hidden: frozenset[str]
    base_url: str


async def left(ctx: Context, answers: Sequence[Answer]) -> Left:
    """The entries of these answers, as far as they are open to the caller now."""
    parsed = [json.reread(content) for content, _ in answers]
    seen = await _seen(ctx, parsed, [content for content, _ in answers])
    entries = [
        _entry(ctx, seen, entry, level) for entry, (_, level) in zip(parsed, answers, strict=True)
    ]
    about = {patient for each in seen.about.values() for patient in each}
    return Left(entries, tuple(sorted(about)))


async def _seen(ctx: Context, parsed: Sequence[Any], texts: Sequence[str]) -> _Seen:
    base = ctx.engine.base_url
    names = {name for entry in parsed for name in _records(entry, base)}
    about = await _open(ctx, names)
    pointers = {name for text in texts for name in mentioned(text, base)} - about.keys()
    own = {f"Patient/{id_}" for each in about.values() for id_ in each}
    return _Seen(about, (await unknown(ctx, pointers - own)) | (names - about.keys()), base)


def _records(entry: Any, base_url: str) -> Iterator[str]:
    """The records in a Bundle.entry, and those it names without their content."""
    name = _name(entry, base_url)
    if name is not None:
        yield name
    resource = entry.get("resource") or {}
    if resource.get("resourceType") == "Bundle":
        for each in resource.get("entry", ()):
            yield from _records(each, base_url)


def _name(entry: Any, base_url: str) -> str | None:
    resource = entry.get("resource") or {}
    if _is_record(resource):
        return f"{resource['resourceType']}/{resource['id']}"
    known = local(entry.get("fullUrl"), base_url)
    return None if known is None or resource else str(known)


def _is_record(resource: Mapping[str, Any]) -> bool:
    return "id" in resource and "versionId" in resource.get("meta", {})


async def _open(ctx: Context, names: set[str]) -> dict[str, tuple[str, ...]]:
    """Whom each of these is about, of those that the caller may see."""
    groups: dict[tuple[Access, bool], list[str]] = {}
    for name in sorted(names):
        type_ = name.partition("/")[0]
        groups.setdefault((_access(ctx, type_), type_ == "AuditEvent"), []).append(name)
    found: dict[str, tuple[str, ...]] = {}
    for (access, _), members in groups.items():
        args = Arguments()
        pairs = [name.split("/") for name in members]
        types, ids = (args.add([pair[at] for pair in pairs], "text[]") for at in (0, 1))
        rows = await ctx.store.fetch(
            *args.statement(
                "SELECT r.type, r.id, r.patient, r.patients"
                f" FROM {visible(access, sorted({pair[0] for pair in pairs}), args)} AS r"
                f" JOIN unnest({types}, {ids}) AS w(type, id) ON w.type = r.type AND w.id = r.id"
            )
        )
        found |= {f"{row['type']}/{row['id']}": patients(row) for row in rows}
    return found


def _access(ctx: Context, type_: str) -> Access:
    """What opens records of the type: read, search, or whatever lets the caller know of them."""
    given = (ctx.access.get("r", Nothing()), ctx.access.get("s", Nothing()), ctx.reach)
    return next(
        (each for each in given if not isinstance(for_type(each, type_), Nothing)), given[0]
    )


def _entry(ctx: Context, seen: _Seen, entry: Resource, level: int | None) -> Entry:
    """The answer of one request: that it was answered is told whatever is hidden."""
    resource = _resource(seen, entry["resource"]) if "resource" in entry else None
    return Entry(
        entry.get("fullUrl") if resource else None,
        again(resource, level) if resource else None,
        response=entry.get("response"),
    )


def _resource(seen: _Seen, resource: Resource) -> Resource | None:
    if resource["resourceType"] == "Bundle" and not _is_record(resource):
        entries = [_member(seen, each) for each in resource.get("entry", ())]
        return {**resource, "entry": [each for each in entries if each]} if entries else resource
    if not seen.hidden or resource["resourceType"] in SAID:
        return resource
    name = f"{resource['resourceType']}/{resource.get('id')}"
    if not _is_record(resource) or name in seen.hidden:
        return None
    own = {f"Patient/{id_}" for id_ in seen.about[name]}
    return redact(resource, seen.hidden - own, seen.base_url)


def _member(seen: _Seen, entry: Resource) -> Resource | None:
    """An entry of a Bundle: of a response what was answered stays, of what was found nothing."""
    is_answer = "response" in entry and "request" not in entry
    if "resource" in entry:
        kept = _resource(seen, entry["resource"])
        if kept is not None:
            return {**entry, "resource": kept}
    elif _name(entry, seen.base_url) not in seen.hidden:
        return entry
    bare = {name: part for name, part in entry.items() if name not in ("resource", "fullUrl")}
    return bare if is_answer else None
