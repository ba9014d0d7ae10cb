"""Derive anew what follows from every current version, after the code that derives it changed.

Search keys and index rows, projections, labels, and whom a resource is about.
"""

from collections.abc import Sequence
from typing import Any

from app.fhir import json
from app.fhir.change import Change
from app.fhir.compartments import INHERITED
from app.fhir.draft import Draft, about, draft
from app.fhir.engine import Engine
from app.fhir.registration import refresh
from app.fhir.registry import registered
from app.fhir.step import pointers
from app.storage import reindex as statements
from app.storage.database import Connection
from app.storage.registry import stamp
from app.storage.versions import Row

BATCH = 200
HEAD = (
    *("patient", "patients", "keys", "digest"),
    *("confidentiality", "labels", "seals", "traits", "lo", "hi", "pointers"),
)


async def reindex(engine: Engine) -> int:
    """Rewrite what follows from every current version; how many there were.

    The server goes on meanwhile: a batch is one transaction, and a resource written after it passed
    is derived by its own commit. Raises DatabaseAway.
    """
    # Whom a Provenance is about follows from its targets, which come first.
    return await _all(engine, is_of=False) + await _all(engine, is_of=True)


async def _all(engine: Engine, *, is_of: bool) -> int:
    """Rewrite the versions of the types in INHERITED, or of all others."""
    total = last = 0
    while True:
        size, last = await _batch(engine, last, is_of=is_of)
        if not size:
            return total
        total += size


async def _batch(engine: Engine, after: int, *, is_of: bool) -> tuple[int, int]:
    """Rewrite one batch; its size and its last row number."""
    while (done := await _rewritten(engine, after, is_of=is_of)) is None:
        await refresh(engine.database)
    return done


async def _rewritten(engine: Engine, after: int, *, is_of: bool) -> tuple[int, int] | None:
    """The same; None where other search parameters are registered than this process knows of."""
    async with engine.database.transaction() as connection:
        found = await statements.locked_batch(
            connection, after, sorted(INHERITED), is_of=is_of, limit=BATCH
        )
        if await stamp(connection) != registered().stamp:
            return None
        drafts = [_draft(engine, row) for row in found]
        known = await _known(connection, drafts)
        heads: list[Row] = []
        rows: dict[str, list[Row]] = {}
        for row, made in zip(found, drafts, strict=True):
            head = _head(row, made, known)
            if head != tuple(row[name] for name in HEAD):
                heads.append((row["rid"], row["version"], *head))
            for table, derived in made.derived.rows.items():
                rows.setdefault(table, []).extend((row["rid"], *each) for each in derived)
        rids = [row["rid"] for row in found]
        if rids:
            await statements.replace_derived(connection, rids, heads, rows)
    return len(rids), rids[-1] if rids else after


def _draft(engine: Engine, row: Any) -> Draft:
    resource = json.parse(row["body"].encode())
    return draft(engine, Change("update", "PUT", row["type"], row["id"], resource))


Known = dict[statements.Place, tuple[str, ...]]


async def _known(connection: Connection, drafts: Sequence[Draft]) -> Known:
    places = {(source.type, source.id) for made in drafts for source in made.sources}
    return await statements.about(connection, sorted(places)) if places else {}


def _head(row: Any, made: Draft, known: Known) -> Row:
    """The columns HEAD; what a lost source was about stays."""
    patients = {*made.subjects}
    for source in made.sources:
        patients.update(known.get((source.type, source.id), row["patients"] or ()))
    derived, marks = made.derived, made.derived.marks
    return (
        *about(row["type"], sorted(patients)),
        list(derived.keys),
        made.digest,
        marks.confidentiality,
        list(marks.labels) or None,
        list(marks.seals) or None,
        list(marks.traits),
        marks.lo,
        marks.hi,
        pointers(row["body"]),
    )
