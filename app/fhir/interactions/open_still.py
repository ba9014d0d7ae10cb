"""What of an answer kept for its requester is open to them still.

It was disclosed to them when it was made. A version that has been hidden since goes as a whole, and
so does what was made of several records; pointers to what is hidden are cut. A total counts what is
left, or is left out where it counts more than the answer holds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.fhir import json
from app.fhir.access import Access, Nothing, for_type
from app.fhir.context import Context, Resource
from app.fhir.disclose import Entry, again, patients
from app.fhir.hidden import unknown
from app.fhir.interactions.read import UNVERSIONED
from app.fhir.label import highest, security
from app.fhir.redact import redact
from app.fhir.references import local, mentioned
from app.fhir.visible import versions, visible
from app.storage.asynchronous import Answer
from app.storage.sql import Arguments, Row

SAID = frozenset({"OperationOutcome", "Bundle"})
"""What the server says itself, unless it is a record: of a Bundle each entry is looked at."""

Record = tuple[str, str, str | None]
"""Type, id and versionId; no versionId where the current version is meant, EVERY for them all."""

EVERY = "*"


@dataclass(frozen=True, slots=True)
class Left:
    """The entries that may leave, and the logical ids of the patients they are about."""

    entries: list[Entry]
    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The patients and the confidentiality (0..5) of each record that is open still, and the
    pointers ("Type/id") that are not.

    `is_whole`: nothing is hidden.
    """

    about: Mapping[Record, tuple[str, ...]]
    levels: Mapping[Record, int]
    hidden: frozenset[str]
    is_whole: bool
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
    records = {record for entry in parsed for record in _records(entry, base)}
    open_ = await _open(ctx, records)
    about = {record: patients(row) for record, row in open_.items()}
    levels = {record: row["confidentiality"] for record, row in open_.items()}
    shut = records - about.keys()
    names = {_name(record) for record in shut}
    names.update(name for text in texts for name in mentioned(text, base))
    known = {_name(record) for record in about}
    known.update(f"Patient/{id_}" for each in about.values() for id_ in each)
    hidden = await unknown(ctx, names - known)
    return _Seen(about, levels, hidden, not shut and not hidden, base)


def _name(record: Record) -> str:
    return f"{record[0]}/{record[1]}"


def _records(entry: Any, base_url: str) -> Iterator[Record]:
    """The records in a Bundle.entry, and those it names without their content."""
    record = _record(entry, base_url)
    if record is not None:
        yield record
    resource = entry.get("resource") or {}
    if _is_said(resource):
        for each in resource.get("entry", ()):
            yield from _records(each, base_url)


def _record(entry: Resource, base_url: str) -> Record | None:
    """What an entry holds a version of, names, or, as an answer, was made of."""
    resource = entry.get("resource") or {}
    if _is_record(resource):
        return resource["resourceType"], resource["id"], resource["meta"]["versionId"]
    is_named = not resource or ("response" in entry and resource["resourceType"] != "Bundle")
    known = local(entry.get("fullUrl"), base_url) if is_named else None
    # Of which versions something was made, such as a diff, it does not tell.
    return None if known is None else (known.type, known.id, EVERY if resource else None)


def _is_record(resource: Mapping[str, Any]) -> bool:
    return "id" in resource and "versionId" in resource.get("meta", {})


def _is_said(resource: Mapping[str, Any]) -> bool:
    return resource.get("resourceType") in SAID and not _is_record(resource)


async def _open(ctx: Context, records: Iterable[Record]) -> dict[Record, Row]:
    """Whom each of these is about, and its confidentiality, of those that the caller may see.

    A version is judged as a history judges it today: a denial may have closed what is not current.
    """
    groups: dict[tuple[Access, bool, bool], list[Record]] = {}
    for record in records:
        type_, _, version = record
        is_event = type_ in UNVERSIONED
        kind = (_access(ctx, type_), is_event, version is not None and not is_event)
        groups.setdefault(kind, []).append(record)
    found: dict[Record, Row] = {}
    for (access, _, is_version), members in groups.items():
        found |= await _found(ctx, access, sorted(members, key=str), is_version=is_version)
    return found


async def _found(
    ctx: Context, access: Access, records: Sequence[Record], *, is_version: bool
) -> dict[Record, Row]:
    args = Arguments()
    types, ids, numbers = (
        args.add([record[at] for record in records], "text[]") for at in range(3)
    )
    of = sorted({record[0] for record in records})
    sql = (
        "SELECT w.type, w.id, w.version, r.patient, r.patients, r.confidentiality,"
        " count(*) OVER each = max(r.version) OVER each AS is_every"
        f" FROM {versions(access, of, args) if is_version else visible(access, of, args)} AS r"
        f" JOIN unnest({types}, {ids}, {numbers}) AS w(type, id, version)"
        " ON w.type = r.type AND w.id = r.id"
        f" AND (w.version IS NULL OR w.version IN ('{EVERY}', r.version::text))"
        " WINDOW each AS (PARTITION BY w.type, w.id, w.version)"
    )
    rows = await ctx.store.fetch(*args.statement(sql))
    return {
        (row["type"], row["id"], row["version"]): row
        for row in rows
        if row["version"] != EVERY or row["is_every"]
    }


def _access(ctx: Context, type_: str) -> Access:
    """What opens records of the type: read, search, or whatever lets the caller know of them."""
    given = (ctx.access.get("r", Nothing()), ctx.access.get("s", Nothing()), ctx.reach)
    return next(
        (each for each in given if not isinstance(for_type(each, type_), Nothing)), given[0]
    )


def _entry(ctx: Context, seen: _Seen, entry: Resource, level: int | None) -> Entry:
    """The answer of one request: that it was answered is told whatever is hidden."""
    resource = _resource(seen, entry) if "resource" in entry else None
    if resource and not seen.is_whole:
        level = highest(_levels(seen, {**entry, "resource": resource}))
    return Entry(
        entry.get("fullUrl") if resource else None,
        again(resource, level) if resource else None,
        response=entry.get("response"),
    )


def _resource(seen: _Seen, entry: Resource) -> Resource | None:
    resource: Resource = entry["resource"]
    record = _record(entry, seen.base_url)
    if record is not None and record not in seen.about:
        return None
    if _is_said(resource):
        return _said(seen, resource)
    if record is None or not _is_record(resource):
        return resource if seen.is_whole else None
    own = {f"Patient/{id_}" for id_ in seen.about[record]}
    return redact(resource, seen.hidden - own, seen.base_url)


def _said(seen: _Seen, resource: Resource) -> Resource:
    members = resource.get("entry", [])
    kept = [each for each in (_member(seen, member) for member in members) if each]
    made = {**resource, "entry": kept} if members else {**resource}
    if "total" in resource and made.pop("total") == _matches(members):
        made["total"] = _matches(kept)
    return made if seen.is_whole or "security" not in made.get("meta", {}) else _marked(seen, made)


def _marked(seen: _Seen, bundle: Resource) -> Resource:
    """With the highest level of what is left in it: what was taken out has no part in that."""
    level = highest(_levels(seen, {"resource": bundle}))
    meta = {name: part for name, part in bundle["meta"].items() if name != "security"}
    meta |= {} if level is None else {"security": security(level)}
    made = {**bundle, "meta": meta}
    return {name: part for name, part in made.items() if name != "meta" or part}


def _levels(seen: _Seen, entry: Resource) -> Iterator[int]:
    """The confidentiality of each record in a Bundle.entry."""
    resource, record = entry.get("resource") or {}, _record(entry, seen.base_url)
    if resource and record is not None and record in seen.levels:
        yield seen.levels[record]
    if _is_said(resource):
        for each in resource.get("entry", ()):
            yield from _levels(seen, each)


def _matches(entries: Sequence[Resource]) -> int:
    """How many entries a total counts: matches, and of a history all."""
    modes = (each.get("search", {}).get("mode", "match") for each in entries)
    return sum(mode == "match" for mode in modes)


def _member(seen: _Seen, entry: Resource) -> Resource | None:
    """An entry of a Bundle: of a response what was answered stays, of what was found nothing."""
    is_answer = "response" in entry and "request" not in entry
    if "resource" in entry:
        kept = _resource(seen, entry)
        if kept is not None:
            return {**entry, "resource": kept}
    else:
        record = _record(entry, seen.base_url)
        if record is None or record in seen.about:
            return entry
    bare = {name: part for name, part in entry.items() if name not in ("resource", "fullUrl")}
    return bare if is_answer else None
