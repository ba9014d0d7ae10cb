"""DOOR: changes become versions, in one transaction. Nothing is written but through here.

Versions, search index, projections and AuditEvents of all changes commit together or not at all;
what the caller gets to see is built after COMMIT.
https://hl7.org/fhir/R4/http.html#transactional-integrity
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from asyncpg import DeadlockDetectedError, Record, SerializationError, UniqueViolationError

from app.fhir import profiles
from app.fhir.access import Nothing
from app.fhir.audit_commit import events_of
from app.fhir.change import LETTER, Change, Committed, Outdated, Overtaken
from app.fhir.context import Context
from app.fhir.draft import Asked, Current, Draft, draft, redrafted, refuse_twice
from app.fhir.erasure import refuse_erasure
from app.fhir.errors import Conflict, Unavailable
from app.fhir.guard import guard
from app.fhir.integrity import judge, patients_of, resolve
from app.fhir.marks import marks_of
from app.fhir.part import part
from app.fhir.registration import refresh
from app.fhir.sharing import Apart, Key, Ways
from app.fhir.step import Step, match_version, meet
from app.fhir.visible import lockable
from app.storage.audit import BATCH, AuditRow, insert_audit
from app.storage.database import Connection, DatabaseAway
from app.storage.sql import Arguments
from app.storage.versions import write, write_parts

ATTEMPTS = 8
BREATH = 20
"""Drafts after which others get their turn on the event loop."""

FEW = 20
"""Resources of one request that may be written together with those of others."""

MET = "r.rid, r.type, r.id, r.version, r.last_updated, r.deleted, r.patient, r.patients, r.digest,"
MET += " r.body, r.confidentiality, r.labels, r.seals, r.traits, r.lo, r.hi"
"""What of the current version a change is compared with: not its keys, which are many."""

Keys = Sequence[Key]
Then = Callable[[Context], Awaitable[None]]
Plan = Callable[[Context], Awaitable[Sequence[Change]]]
Write = Callable[[Context], Awaitable[list[list[Committed]]]]


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
    refuse_twice(drafts)
    making = [each.key for each in drafts if each.change.creates]
    rids = {key: await ctx.engine.database.next_rid() for key in making}
    asked = Asked(ctx, drafts, rids)
    if then is not None or len(drafts) > FEW:
        return await _alone(asked, then)
    ways = Ways(_alone, _together)
    done: list[Committed] = await ctx.engine.sharing.write(_caller(asked), asked, ways)
    return done


def _caller(asked: Asked) -> Hashable:
    """What requests that share statements must have in common: who asks, what they may see, and
    the types.

    The engine too: another one may be part of somebody's transaction, or have other guards.
    """
    ctx, types = asked.ctx, frozenset(type_ for type_, _ in asked.keys)
    return id(ctx.engine), ctx.agent, ctx.reach, frozenset(ctx.access.items()), types


async def _alone(asked: Asked, then: Then | None = None) -> list[Committed]:
    async def write(within: Context) -> list[list[Committed]]:
        return await _write(within, [redrafted(asked)], is_patient=True)

    return (await _attempts(asked.ctx, write, then))[0]


async def _together(several: Sequence[Asked]) -> list[list[Committed]]:
    async def write(within: Context) -> list[list[Committed]]:
        return await _write(within, [redrafted(each) for each in several], is_patient=False)

    return await _transaction(several[0].ctx, write, None)


async def commit_planned(
    ctx: Context, plan: Plan, most: int, then: Then | None = None
) -> list[Committed]:
    """As `commit`, of changes that depend on what is stored: `plan` finds them out within the
    transaction, of which `most` create, and again whenever somebody was faster."""
    fresh = [await ctx.engine.database.next_rid() for _ in range(most)]

    async def write(within: Context) -> list[list[Committed]]:
        drafts = await _drafts(ctx, await plan(within))
        refuse_twice(drafts)
        making = [each.key for each in drafts if each.change.creates]
        rids = dict(zip(making, fresh, strict=False))
        return await _write(within, [Asked(ctx, drafts, rids)], is_patient=True)

    return (await _attempts(ctx, write, then))[0]


async def _attempts(ctx: Context, write: Write, then: Then | None) -> list[list[Committed]]:
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


async def _transaction(ctx: Context, write: Write, then: Then | None) -> list[list[Committed]]:
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


async def _write(
    ctx: Context, several: Sequence[Asked], *, is_patient: bool
) -> list[list[Committed]]:
    """Write what one caller asked in one or several requests; what became of it, by request.

    Unless it `is_patient`, it fails where somebody holds a lock, and does not wait.
    """
    connection = ctx.connection
    assert connection is not None
    drafts = [each for asked in several for each in asked.drafts]
    wait = "" if is_patient else " NOWAIT"
    current, instant = await _lock(ctx, connection, drafts, wait)
    for each in drafts:
        match_version(each.change, current.get(each.key))
    await refuse_erasure(ctx, drafts, current)
    known, dangling, later = await resolve(ctx, connection, drafts, current)
    if dangling and len(several) > 1:
        raise Apart
    instant = instant or later or await connection.fetchval("SELECT write_instant()")
    assert instant is not None
    rids = {key: rid for asked in several for key, rid in asked.rids.items()}
    steps = []
    for each in drafts:
        met = current.get(each.key)
        about = patients_of(each, known, met)
        mine = replace(each, subjects=about) if each.sources else each
        steps.append(meet(mine, met, rids.get(each.key, 0), instant))
    await _record(ctx, several, steps, instant)
    made = iter(replace(s.committed, dangling=dangling) if dangling else s.committed for s in steps)
    return [list(islice(made, len(asked.drafts))) for asked in several]


async def _record(
    ctx: Context, several: Sequence[Asked], steps: Sequence[Step], instant: datetime
) -> None:
    """Write the steps and their events, and judge what they leave."""
    connection = ctx.connection
    assert connection is not None
    left, events = iter(steps), list[AuditRow]()
    for asked in several:
        its = islice(left, len(asked.drafts))
        events += await events_of(ctx, asked.ctx.request_id, its, instant)
    # In one order, so that two transactions that create the same ids cannot wait for each other.
    stored = sorted((step for step in steps if step.is_stored), key=lambda step: step.draft.key)
    if not stored:
        await insert_audit(connection, events)
        return
    await _store(ctx, connection, stored, events)
    await judge(ctx, connection, [(step.rid, step.draft) for step in stored])
    requests = {key: asked.ctx.request_id for asked in several for key in asked.keys}
    await guard(ctx, connection, stored, requests)


async def _lock(
    ctx: Context, connection: Connection, drafts: Sequence[Draft], wait: str
) -> tuple[dict[Key, Current], datetime | None]:
    """Lock what is to be changed, as far as the caller may change it; the instant of the write.

    None where the locks were waited for, so that it is to be taken again: a version is never older
    than the one it replaces.
    """
    keys = {
        letter: sorted(each.key for each in drafts if LETTER[each.change.method] == letter)
        for letter in ("d", "u")
    }
    if all(keys.values()):
        await _lock_in_order(connection, sorted(keys["d"] + keys["u"]), wait)
    rows = [
        row
        for letter, wanted in keys.items()
        if wanted
        for row in await _locked(ctx, connection, letter, wanted, wait)
    ]
    instant: datetime | None = max((row["instant"] for row in rows), default=None)
    if instant is not None and any(row["last_updated"] >= instant for row in rows):
        instant = None
    return {(row["type"], row["id"]): _current(row) for row in rows}, instant


def _places(args: Arguments, keys: Keys) -> str:
    types, ids = (args.add([key[part] for key in keys], "text[]") for part in (0, 1))
    return (
        f"unnest({types}, {ids}) AS w(type, id) ON w.type = r.type AND w.id = r.id"
        # Or a plan made while the table was empty would go through all of a type.
        f" AND r.id = ANY({ids})"
    )


async def _lock_in_order(connection: Connection, keys: Keys, wait: str) -> None:
    """Both updates and deletions at once, so that two transactions cannot wait for each other."""
    args = Arguments()
    await connection.fetch(
        *args.statement(
            f"SELECT FROM resource AS r JOIN {_places(args, keys)}"
            f" ORDER BY r.type, r.id FOR UPDATE OF r{wait}"
        )
    )


async def _locked(
    ctx: Context, connection: Connection, letter: str, keys: Keys, wait: str
) -> list[Record]:
    args = Arguments()
    source = lockable(ctx.access.get(letter, Nothing()), sorted({type_ for type_, _ in keys}), args)
    return await connection.fetch(
        *args.statement(
            f"SELECT {MET}, write_instant() AS instant FROM {source} AS r"
            f" JOIN {_places(args, keys)} ORDER BY r.type, r.id FOR UPDATE OF r{wait}"
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
    starts = range(0, len(steps), BATCH)
    parts = (part(ctx.engine, steps[at : at + BATCH], events[at : at + BATCH]) for at in starts)
    if len(starts) == 1:
        stamps = {await write(connection, next(parts))}
    else:
        stamps = await write_parts(connection, parts)
    if len(stamps.union(step.draft.stamp for step in steps)) > 1:
        raise Outdated
    await insert_audit(connection, events[len(starts) * BATCH :])
