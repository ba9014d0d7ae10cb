"""Verify the audit trail against its seals, and expire what is old enough to go.

docs/decisions/0011-audit-chain.md
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from app.storage.audit_chain import DIGEST, FIRST, ORIGIN, Seal
from app.storage.database import Connection, Database

YEARS = 6
"""How long events are kept at least. 45 CFR 164.316(b)(2)(i) and 164.528(a)(1)"""

TOLERANCE = timedelta(minutes=10)
"""How much earlier than the seal before it an event may be dated: clocks differ, calls last."""

PAGE = 20
SEALS = "SELECT * FROM audit_seal WHERE number > $1 ORDER BY number LIMIT $2"
EVENTS = f"""
SELECT e.rid, e.id, e.last_updated, {DIGEST} AS digest FROM audit_event AS e
WHERE e.rid > $1 AND e.rid <= $2
"""
UNSEALED = "SELECT count(*) FROM audit_event WHERE rid > $1"
OLD = """
SELECT coalesce(max(number), 0), coalesce(max(last_rid), $2) FROM audit_seal WHERE sealed < $1
"""
SIZE = 32


@dataclass(slots=True)
class Verdict:
    """What was looked at, and what is wrong: each problem in one sentence that says where."""

    seals: int = 0
    events: int = 0
    expired: int = 0
    unsealed: int = 0
    head: str = ""
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Witness:
    """A seal somebody noted elsewhere: its number and its digest."""

    number: int
    digest: bytes


async def verify(
    database: Database, now: datetime, witness: Witness | None = None, years: int = YEARS
) -> Verdict:
    """Compare every event with its seal, and every seal with the one before it.

    Raises DatabaseAway.
    """
    verdict, last, before = Verdict(), FIRST, None
    oldest = years_before(now, years)
    async with (
        database.acquire() as connection,
        connection.transaction(isolation="repeatable_read"),
    ):
        async for row in _seals(connection):
            seal = Seal.of(row)
            verdict.problems += _of_chain(seal, row, before)
            found = await connection.fetch(EVENTS, seal.after_rid, seal.last_rid)
            verdict.problems += _of_events(seal, row, found, oldest)
            verdict.problems += _of_dates(seal, found, before)
            _count(verdict, row, len(found))
            last, before = seal.last_rid, seal
            if witness and seal.number == witness.number and seal.digest == witness.digest:
                witness = None
        verdict.unsealed = await connection.fetchval(UNSEALED, last)
    if witness:
        verdict.problems.append(f"seal {witness.number} is not the one that was expected")
    verdict.head = f"{before.number}:{before.digest.hex()}" if before else ""
    return verdict


async def expire(database: Database, now: datetime, years: int = YEARS) -> int:
    """Delete the events whose seals are older than so many years; how many. Needs the owner.

    The seals stay, so that the chain has no hole. Raises ValueError below YEARS.
    """
    if years < YEARS:
        raise ValueError(f"events are kept for {YEARS} years at least")
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL isp.expiring = 'on'")
        await connection.execute("SET LOCAL statement_timeout = 0")
        [(number, last)] = await connection.fetch(OLD, years_before(now, years), FIRST)
        gone = await connection.execute("DELETE FROM audit_event WHERE rid <= $1", last)
        await connection.execute(
            "UPDATE audit_seal SET rids = NULL, digests = NULL"
            " WHERE number <= $1 AND rids IS NOT NULL",
            number,
        )
    return int(gone.rpartition(" ")[2])


def years_before(now: datetime, years: int) -> datetime:
    """The same day so many years earlier; of February 29, the 28th."""
    day = min(now.day, 28) if now.month == 2 else now.day
    return now.replace(year=now.year - years, day=day)


async def _seals(connection: Connection) -> AsyncIterator[Any]:
    number = -1
    while rows := await connection.fetch(SEALS, number, PAGE):
        for row in rows:
            yield row
        number = rows[-1]["number"]


def _count(verdict: Verdict, row: Any, events: int) -> None:
    verdict.seals += 1
    verdict.events += events
    verdict.expired += row["events"] if row["rids"] is None else 0


def _of_chain(seal: Seal, row: Any, before: Seal | None) -> Iterator[str]:
    number = before.number + 1 if before else 1
    if seal.number != number:
        yield f"seals {number} to {seal.number - 1} were removed"
    elif seal.previous != (before.digest if before else ORIGIN):
        yield f"seal {seal.number} does not follow from the one before it"
    if seal.after_rid != (before.last_rid if before else FIRST):
        yield f"seal {seal.number} does not begin where the one before it ends"
    if seal.digest != row["digest"]:
        yield f"seal {seal.number} was changed"


def _of_events(seal: Seal, row: Any, found: list[Any], oldest: datetime) -> Iterator[str]:
    if row["rids"] is None:
        if seal.sealed > oldest:
            yield f"the events of seal {seal.number} were removed before their time"
        yield from (f"AuditEvent/{e['id']} was put under expired seal {seal.number}" for e in found)
        return
    if len(row["rids"]) != seal.events or sha256(row["digests"]).digest() != seal.root:
        yield f"the list of seal {seal.number} was changed"
    listed = _listed(row)
    for event in found:
        name = f"AuditEvent/{event['id']} (row {event['rid']}, seal {seal.number})"
        if event["rid"] not in listed:
            yield f"{name} was inserted after it was sealed"
        elif listed.pop(event["rid"]) != event["digest"]:
            yield f"{name} was changed after it was sealed"
    yield from (f"row {rid} of seal {seal.number} was removed" for rid in sorted(listed))


def _listed(row: Any) -> dict[int, bytes]:
    parts = row["digests"]
    return {rid: parts[at * SIZE : (at + 1) * SIZE] for at, rid in enumerate(row["rids"])}


def _of_dates(seal: Seal, found: list[Any], before: Seal | None) -> Iterator[str]:
    """Whoever adds an event today and dates it last year is found by the seal it came under."""
    if before is None:
        return
    for event in found:
        if event["last_updated"] < before.sealed - TOLERANCE:
            yield (
                f"AuditEvent/{event['id']} (row {event['rid']}, seal {seal.number}) is dated"
                f" {event['last_updated']:%Y-%m-%d %H:%M}Z, before seal {before.number} was made"
            )
