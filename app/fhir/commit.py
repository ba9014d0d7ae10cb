"""DOOR: changes become versions, in one transaction. Nothing is written but through here.

Versions, search index, projections, AuditEvents and outbox rows of all changes commit together or
not at all; what the caller gets to see is built after COMMIT.
https://hl7.org/fhir/R4/http.html#transactional-integrity
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from asyncpg import DeadlockDetectedError, Record, SerializationError, UniqueViolationError

from app.fhir import json
from app.fhir.access import Nothing
from app.fhir.audit import Audited, audit_row, insert_audit
from app.fhir.change import ANY, LETTER, Change, Committed
from app.fhir.context import Context
from app.fhir.draft import KEPT_AFTER_DELETION, Current, Draft, about, body, derive, draft
from app.fhir.errors import BadRequest, Conflict, MethodNotAllowed, PreconditionFailed
from app.fhir.integrity import inherited, judge, resolve
from app.fhir.visible import visible
from app.storage.sql import Arguments
from app.storage.versions import DERIVED, Connection, Head, Row, forget, write

STATUS = {"created": 201, "updated": 200, "unchanged": 200, "deleted": 204}
ATTEMPTS = 8

# Every statement of a commit finds its rows by key: planning them anew for each set of values would
# cost more than running them. The setting ends with the transaction.
BEGIN_WRITING = (
    "SELECT write_instant(), set_config('plan_cache_mode', 'force_generic_plan', true)"
)


@dataclass(frozen=True, slots=True)
class _Step:
    """A draft that met its current version: what is to be stored, if anything is."""

    draft: Draft
    current: Current | None
    rid: int
    committed: Committed

    @property
    def is_stored(self) -> bool:
        before = self.current.version if self.current else 0
        return self.committed.version > before


async def commit(ctx: Context, changes: Sequence[Change]) -> list[Committed]:
    """Write all changes or none, and answer what became of each, in order.

    Raises BadRequest when one resource is changed twice, MethodNotAllowed for an update of what
    cannot be seen, PreconditionFailed when If-Match names another version, Unprocessable for a
    reference to nothing, Forbidden when a new state lies outside the caller's access.
    """
    drafts = [draft(ctx.engine, change) for change in changes]
    _refuse_twice(drafts)
    rids = {each.key: await ctx.engine.database.next_rid() for each in drafts}
    for attempt in range(ATTEMPTS):
        try:
            async with ctx.engine.database.transaction() as connection:
                return await _write(ctx, connection, drafts, rids)
        except (DeadlockDetectedError, SerializationError, UniqueViolationError):
            await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))
    raise Conflict("Others keep changing the same resources at the same time; try again.")


def _refuse_twice(drafts: Sequence[Draft]) -> None:
    """A resource appears only once in a transaction. https://hl7.org/fhir/R4/http.html#trules"""
    seen = set()
    for each in drafts:
        if each.key in seen:
            raise BadRequest(f"{'/'.join(each.key)} is changed twice in one transaction.")
        seen.add(each.key)


async def _write(
    ctx: Context,
    connection: Connection,
    drafts: Sequence[Draft],
    rids: Mapping[tuple[str, str], int],
) -> list[Committed]:
    instant = await connection.fetchval(BEGIN_WRITING)
    current = await _lock(ctx, connection, drafts)
    for each in drafts:
        _match(each.change, current.get(each.key))
    known, dangling = await resolve(ctx, connection, drafts, current)
    steps = []
    for each in drafts:
        patients = inherited(each, known) if each.inherits else each.subjects
        mine = replace(each, subjects=patients)
        steps.append(_step(mine, current.get(each.key), rids[each.key], instant))
    stored = [step for step in steps if step.is_stored]
    if stored:
        await _store(ctx, connection, stored)
        await judge(ctx, connection, [(step.rid, step.draft) for step in stored])
    await _record(ctx, connection, steps, instant)
    return [replace(step.committed, dangling=dangling) for step in steps]


async def _lock(
    ctx: Context, connection: Connection, drafts: Sequence[Draft]
) -> dict[tuple[str, str], Current]:
    """Lock what is to be changed, in (type, id) order, as far as the caller may change it."""
    current: dict[tuple[str, str], Current] = {}
    for letter in ("d", "u"):
        keys = sorted(each.key for each in drafts if LETTER[each.change.method] == letter)
        if keys:
            rows = await _locked(ctx, connection, letter, keys)
            current |= {(row["type"], row["id"]): _current(row) for row in rows}
    return current


async def _locked(
    ctx: Context, connection: Connection, letter: str, keys: Sequence[tuple[str, str]]
) -> list[Record]:
    args = Arguments()
    source = visible(ctx.access.get(letter, Nothing()), sorted({type_ for type_, _ in keys}), args)
    types = args.add([type_ for type_, _ in keys], "text[]")
    ids = args.add([id_ for _, id_ in keys], "text[]")
    return await connection.fetch(
        f"SELECT r.* FROM {source} AS r JOIN unnest({types}, {ids}) AS w(type, id)"
        " ON w.type = r.type AND w.id = r.id ORDER BY r.type, r.id FOR UPDATE OF r",
        *args.values,
    )


def _current(row: Record) -> Current:
    return Current(
        row["rid"],
        row["version"],
        row["last_updated"],
        row["deleted"],
        row["patient"],
        row["patients"],
        row["body"],
    )


def _step(each: Draft, current: Current | None, fresh: int, instant: datetime) -> _Step:
    rid = current.rid if current else fresh
    if each.change.resource is None:
        return _Step(each, current, rid, _deletion(each.change, current, instant))
    if current and not current.deleted and _is_unchanged(each, current):
        return _Step(each, current, rid, _unchanged(each.change, current))
    return _Step(each, current, rid, _state(each, current, instant))


def _match(change: Change, current: Current | None) -> None:
    """https://hl7.org/fhir/R4/http.html#upsert and #concurrency"""
    if current is None and change.method in ("PUT", "PATCH") and not change.may_create:
        raise MethodNotAllowed(
            f"{change.type}/{change.id} does not exist, or is not known to you; this server gives"
            f" ids itself: create it with POST {change.type}.",
            expression=[change.at or change.type],
        )
    if change.if_match is None or (current is None and change.method == "DELETE"):
        return
    if current is None:
        raise PreconditionFailed(
            f"{change.type}/{change.id} has no version yet that If-Match could name.",
            expression=[change.at or change.type],
        )
    if not change.if_match & {ANY, str(current.version)}:
        raise PreconditionFailed(
            f"{change.type}/{change.id} is at version {current.version}, not at"
            f" {', '.join(sorted(change.if_match))}: read it again and repeat your change.",
            expression=[change.at or change.type],
        )


def _is_unchanged(each: Draft, current: Current) -> bool:
    assert each.change.resource is not None
    return body(each.change.resource, current.version, current.last_updated) == current.body


def _unchanged(change: Change, current: Current) -> Committed:
    return Committed(
        change.type,
        change.id,
        current.version,
        current.last_updated,
        "unchanged",
        current.patient,
        current.patients,
        current.body,
    )


def _deletion(change: Change, current: Current | None, instant: datetime) -> Committed:
    """Deleting what is deleted already, or is not there, succeeds and changes nothing."""
    version = 0 if current is None else current.version + (not current.deleted)
    patient, patients = (current.patient, current.patients) if current else (None, None)
    return Committed(change.type, change.id, version, instant, "deleted", patient, patients, None)


def _state(each: Draft, current: Current | None, instant: datetime) -> Committed:
    change = each.change
    assert change.resource is not None
    version = current.version + 1 if current else 1
    outcome = "created" if current is None or current.deleted else "updated"
    patient, patients = about(change.type, each.subjects)
    text = body(change.resource, version, instant)
    return Committed(change.type, change.id, version, instant, outcome, patient, patients, text)


async def _store(ctx: Context, connection: Connection, steps: Sequence[_Step]) -> None:
    """Write the new versions; derived rows are touched only where they differ."""
    rows: dict[str, list[Row]] = {}
    stale: dict[str, list[int]] = {}
    for step in steps:
        before = _before(ctx, step)
        after = step.draft.derived.rows
        for table in DERIVED:
            if before.get(table, []) == after.get(table, []) or _is_kept(step, table):
                continue
            if step.current and (step.current.deleted or before.get(table)):
                stale.setdefault(table, []).append(step.rid)
            rows.setdefault(table, []).extend((step.rid, *row) for row in after.get(table, []))
    for table, rids in stale.items():
        await forget(connection, table, rids)
    await write(connection, [_head(step) for step in steps], rows)


def _before(ctx: Context, step: _Step) -> Mapping[str, list[Row]]:
    if step.current is None or step.current.body is None:
        return {}
    return derive(ctx.engine, json.parse(step.current.body.encode())).rows


def _is_kept(step: _Step, table: str) -> bool:
    is_deletion = step.draft.change.resource is None
    return is_deletion and table == "relationship" and step.draft.key[0] in KEPT_AFTER_DELETION


def _head(step: _Step) -> Head:
    done = step.committed
    return Head(
        step.rid,
        done.type,
        done.id,
        done.version,
        done.last_updated,
        step.draft.change.method,
        done.patient,
        done.patients,
        step.draft.derived.keys,
        done.body,
    )


async def _record(
    ctx: Context, connection: Connection, steps: Sequence[_Step], instant: datetime
) -> None:
    rows = [
        audit_row(
            ctx.agent,
            ctx.request_id,
            instant,
            ctx.engine.base_url,
            Audited(
                interaction=step.draft.change.interaction,
                outcome="0",
                status=STATUS[step.committed.outcome],
                type=step.committed.type,
                id=step.committed.id,
                version=str(step.committed.version),
                patients=step.committed.about,
            ),
        )
        for step in steps
    ]
    await insert_audit(connection, rows)
