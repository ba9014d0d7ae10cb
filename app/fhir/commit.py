"""DOOR: changes become versions, in one transaction. Nothing is written but through here.

Versions, search index, projections and AuditEvents of all changes commit together or not at all;
what the caller gets to see is built after COMMIT.
https://hl7.org/fhir/R4/http.html#transactional-integrity
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from asyncpg import DeadlockDetectedError, Record, SerializationError, UniqueViolationError

from app.fhir import json, profiles
from app.fhir.access import Nothing
from app.fhir.audit_commit import events_of
from app.fhir.change import LETTER, Change, Committed, Outdated, Overtaken
from app.fhir.context import Context
from app.fhir.draft import KEPT_AFTER_DELETION, Current, Draft, derive, draft, redrafted
from app.fhir.erasure import refuse_erasure
from app.fhir.errors import BadRequest, Conflict, Unavailable
from app.fhir.guard import guard
from app.fhir.integrity import judge, patients_of, resolve
from app.fhir.marks import marks_of
from app.fhir.registration import refresh
from app.fhir.step import Step, head_of, match_version, meet
from app.fhir.visible import visible
from app.storage.audit import BATCH, AuditRow, insert_audit
from app.storage.database import Connection, DatabaseAway
from app.storage.sql import Arguments
from app.storage.versions import DERIVED, WORDS, Part, Row, write, write_parts

ATTEMPTS = 8
BREATH = 20
"""Drafts after which others get their turn on the event loop."""

Keys = Sequence[tuple[str, str]]
Then = Callable[[Context], Awaitable[None]]
Plan = Callable[[Context], Awaitable[Sequence[Change]]]
Write = Callable[[Context], Awaitable[list[Committed]]]


async def commit(
    ctx: Context, changes: Sequence[Change], then: Then | None = None
) -> list[Committed]:
    """Write all changes or none, and answer what became of each, in order.

    `then` runs within the transaction, after the changes. Raises BadRequest when one resource is
    changed twice, MethodNotAllowed for an update of what cannot be seen, PreconditionFailed when
    If-Match names another version, Unprocessable for a reference to nothing, Forbidden when a new
    state lies outside the caller's access.
    """
    await profiles.refuse(ctx, changes)
    drafts = await _drafts(ctx, changes)
    _refuse_twice(drafts)
    rids = {each.key: await ctx.engine.database.next_rid() for each in drafts}

    async def write(within: Context) -> list[Committed]:
        return await _write(within, [redrafted(ctx.engine, each) for each in drafts], rids)

    return await _attempts(ctx, write, then)


async def commit_planned(
    ctx: Context, plan: Plan, most: int, then: Then | None = None
) -> list[Committed]:
    """As `commit`, of changes that depend on what is stored: `plan` finds them out within the
    transaction, of which `most` create, and again whenever somebody was faster."""
    fresh = [await ctx.engine.database.next_rid() for _ in range(most)]

    async def write(within: Context) -> list[Committed]:
        drafts = await _drafts(ctx, await plan(within))
        _refuse_twice(drafts)
        making = [each.key for each in drafts if each.change.creates]
        return await _write(within, drafts, dict(zip(making, fresh, strict=False)))

    return await _attempts(ctx, write, then)


async def _attempts(ctx: Context, write: Write, then: Then | None) -> list[Committed]:
    for attempt in range(ATTEMPTS):
        try:
            return await _transaction(ctx, write, then)
        except (DeadlockDetectedError, SerializationError, Overtaken):
            await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))
        except Outdated:
            await refresh(ctx.engine.database)
        except UniqueViolationError:
            # Somebody created it since; the next attempt finds it, unless it is hidden from us.
            if attempt:
                raise Conflict("An id in this request is taken.") from None
    raise Conflict("Others keep changing the same resources at the same time; try again.")


async def _drafts(ctx: Context, changes: Sequence[Change]) -> list[Draft]:
    drafts = []
    for at, change in enumerate(changes):
        drafts.append(draft(ctx.engine, change))
        if at % BREATH == BREATH - 1:
            await asyncio.sleep(0)
    return drafts


async def _transaction(ctx: Context, write: Write, then: Then | None) -> list[Committed]:
    is_written = False
    try:
        async with ctx.engine.database.transaction() as connection:
            within = replace(ctx, connection=connection)
            committed = await write(within)
            if then is not None:
                await then(within)
            is_written = True
    except DatabaseAway as error:
        if not is_written:
            raise
        raise Unavailable(
            "The database was lost during the commit: the change may or may not have been made."
            " Read before you repeat it."
        ) from error
    return committed


def _refuse_twice(drafts: Sequence[Draft]) -> None:
    """A resource appears only once in a transaction. https://hl7.org/fhir/R4/http.html#trules"""
    seen = set()
    for each in drafts:
        if each.key in seen:
            raise BadRequest(
                f"{'/'.join(each.key)} is changed twice in one transaction.",
                expression=[each.change.at] if each.change.at else (),
            )
        seen.add(each.key)


async def _write(
    ctx: Context, drafts: Sequence[Draft], rids: Mapping[tuple[str, str], int]
) -> list[Committed]:
    connection = ctx.connection
    assert connection is not None
    current, instant = await _lock(ctx, connection, drafts)
    for each in drafts:
        match_version(each.change, current.get(each.key))
    await refuse_erasure(ctx, drafts, current)
    known, dangling, later = await resolve(ctx, connection, drafts, current)
    instant = instant or later or await connection.fetchval("SELECT write_instant()")
    assert instant is not None
    steps = []
    for each in drafts:
        met = current.get(each.key)
        about = patients_of(each, known, met)
        mine = replace(each, subjects=about) if each.sources else each
        steps.append(meet(mine, met, rids.get(each.key, 0), instant))
    # In one order, so that two transactions that create the same ids cannot wait for each other.
    stored = sorted((step for step in steps if step.is_stored), key=lambda step: step.draft.key)
    events = await events_of(ctx, steps, instant)
    if stored:
        await _store(ctx, connection, stored, events)
        await judge(ctx, connection, [(step.rid, step.draft) for step in stored])
        await guard(ctx, connection, stored)
    else:
        await insert_audit(connection, events)
    made = [step.committed for step in steps]
    return [replace(each, dangling=dangling) for each in made] if dangling else made


async def _lock(
    ctx: Context, connection: Connection, drafts: Sequence[Draft]
) -> tuple[dict[tuple[str, str], Current], datetime | None]:
    """Lock what is to be changed, as far as the caller may change it; the instant of the write.

    None where the locks were waited for, so that it is to be taken again: a version is never older
    than the one it replaces.
    """
    keys = {
        letter: sorted(each.key for each in drafts if LETTER[each.change.method] == letter)
        for letter in ("d", "u")
    }
    if all(keys.values()):
        await _lock_in_order(connection, sorted(keys["d"] + keys["u"]))
    rows = [
        row
        for letter, wanted in keys.items()
        if wanted
        for row in await _locked(ctx, connection, letter, wanted)
    ]
    instant: datetime | None = max((row["instant"] for row in rows), default=None)
    if instant is not None and any(row["last_updated"] >= instant for row in rows):
        instant = None
    return {(row["type"], row["id"]): _current(row) for row in rows}, instant


def _places(args: Arguments, keys: Keys) -> str:
    parts = (args.add([key[part] for key in keys], "text[]") for part in (0, 1))
    return f"unnest({', '.join(parts)}) AS w(type, id) ON w.type = r.type AND w.id = r.id"


async def _lock_in_order(connection: Connection, keys: Keys) -> None:
    """Both updates and deletions at once, so that two transactions cannot wait for each other."""
    args = Arguments()
    await connection.fetch(
        *args.statement(
            f"SELECT FROM resource AS r JOIN {_places(args, keys)}"
            " ORDER BY r.type, r.id FOR UPDATE OF r"
        )
    )


async def _locked(ctx: Context, connection: Connection, letter: str, keys: Keys) -> list[Record]:
    args = Arguments()
    source = visible(ctx.access.get(letter, Nothing()), sorted({type_ for type_, _ in keys}), args)
    return await connection.fetch(
        *args.statement(
            f"SELECT r.*, write_instant() AS instant FROM {source} AS r JOIN {_places(args, keys)}"
            " ORDER BY r.type, r.id FOR UPDATE OF r"
        )
    )


def _current(row: Record) -> Current:
    return Current(
        row["rid"],
        row["version"],
        row["last_updated"],
        row["deleted"],
        row["patient"],
        row["patients"],
        row["digest"],
        row["body"],
        marks_of(row),
    )


async def _store(
    ctx: Context, connection: Connection, steps: Sequence[Step], events: Sequence[AuditRow]
) -> None:
    """Write the new versions and these events; derived rows are touched only where they differ."""
    starts = range(0, len(steps), BATCH)
    parts = (_part(ctx, steps[at : at + BATCH], events[at : at + BATCH]) for at in starts)
    if len(starts) == 1:
        stamps = {await write(connection, next(parts))}
    else:
        stamps = await write_parts(connection, parts)
    if len(stamps.union(step.draft.stamp for step in steps)) > 1:
        raise Outdated
    await insert_audit(connection, events[len(starts) * BATCH :])


def _part(ctx: Context, steps: Sequence[Step], events: Sequence[AuditRow]) -> Part:
    rows: dict[str, list[Row]] = {}
    stale: dict[str, list[int]] = {}
    for step in steps:
        before, after = _before(ctx, step), step.draft.derived.rows
        for table in DERIVED:
            was, is_ = before.get(table, []), after.get(table, [])
            if _is_kept(step, table) or (was == is_ and table != WORDS):
                continue
            if step.current and (step.current.deleted or was or not is_):
                stale.setdefault(table, []).append(step.rid)
            rows.setdefault(table, []).extend((step.rid, *row) for row in is_)
    return Part([head_of(step) for step in steps], rows, events, stale)


def _before(ctx: Context, step: Step) -> Mapping[str, list[Row]]:
    """The derived rows of the current version: those of the new one where their digests agree.

    Of its words nothing is said: the statement compares them.
    """
    if step.current is None or step.current.body is None:
        return {}
    like = step.draft.is_like(step.current)
    found = (
        step.draft.derived if like else derive(ctx.engine, json.parse(step.current.body.encode()))
    )
    return {table: rows for table, rows in found.rows.items() if table != WORDS}


def _is_kept(step: Step, table: str) -> bool:
    is_deletion = step.draft.change.resource is None
    return is_deletion and table == "relationship" and step.draft.key[0] in KEPT_AFTER_DELETION
