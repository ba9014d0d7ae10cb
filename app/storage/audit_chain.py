"""Seal the audit trail: what was committed since the last seal is hashed and linked to it.

A seal covers a range of row numbers and is made when nobody can write into that range any more, so
that whatever appears in it later was put there by other means. docs/decisions/0011-audit-chain.md
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Self

from app.storage.database import RID_BLOCK, Connection, Database

log = logging.getLogger(__name__)

LOCK = (1_230_192_205, 4)
"""Two-int advisory lock key of whoever seals."""

MOST = 5_000
"""Events under one seal."""

PATIENCE = 5.0
"""Seconds to wait for transactions that write events; then the next round tries again."""

WITNESSED = 100
"""Every so many seals one is logged, as a witness outside of the database."""

FIRST = -(2**63)
ORIGIN = bytes(32)
"""What the first seal has for a previous one."""

# Binary as PostgreSQL sends it: every value with its type and length, whatever a session sets.
DIGEST = """sha256(record_send(ROW(e.rid, e.type, e.id, e.version, e.last_updated, e.deleted,
 e.patient, e.patients, e.keys, e.targets, e.body)))"""

HEAD = """
SELECT number, previous, after_rid, last_rid, events, root, sealed, digest FROM audit_seal
ORDER BY number DESC LIMIT 1
"""
NUMBERED = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM resource_rid"
WRITERS = """
SELECT virtualtransaction FROM pg_locks
WHERE relation = 'audit_event'::regclass AND mode = 'RowExclusiveLock' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
EVENTS = f"""
SELECT e.rid, {DIGEST} AS digest FROM audit_event AS e
WHERE e.rid > $1 AND e.rid <= $2 ORDER BY e.rid LIMIT $3
"""
INSERT = """
INSERT INTO audit_seal
  (number, previous, after_rid, last_rid, events, root, sealed, digest, rids, digests)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


@dataclass(frozen=True, slots=True)
class Seal:
    """A link of the chain, but for the list of what it covers."""

    number: int
    previous: bytes
    after_rid: int
    last_rid: int
    events: int
    root: bytes
    sealed: datetime

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(**{name: row[name] for name in cls.__slots__})

    @property
    def digest(self) -> bytes:
        """SHA-256 over the members of the seal, one a line."""
        members = (self.number, self.previous.hex(), self.after_rid, self.last_rid)
        more = (self.events, self.root.hex(), self.sealed.isoformat(timespec="microseconds"))
        return sha256("\n".join(map(str, (*members, *more))).encode()).digest()


async def seal(database: Database) -> int:
    """Seal what was committed; how many events. None where somebody else is at it."""
    total = 0
    while True:
        events = await _seal(database)
        total += events
        if events < MOST:
            return total


async def _seal(database: Database) -> int:
    async with database.transaction() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1, $2)", *LOCK):
            return 0
        newest = await connection.fetchrow(HEAD)
        head = Seal.of(newest) if newest else None
        until = await _settled(connection)
        if until is None:
            return 0
        after = head.last_rid if head else FIRST
        rows = await connection.fetch(EVENTS, after, until, MOST)
        if rows:
            now = await connection.fetchval("SELECT clock_timestamp()")
            last = rows[-1]["rid"] if len(rows) == MOST else until
            await _append(connection, _link(head, rows, last, now), rows)
        return len(rows)


async def _settled(connection: Connection) -> int | None:
    """The last row number that no transaction can use any more; None if one takes too long.

    An event gets its number in the statement that inserts it, which holds its lock on the table
    before and until its transaction is over. So whoever has a number up to the one that is read
    first either holds that lock now, or is done.
    """
    until: int = await connection.fetchval(NUMBERED) + RID_BLOCK - 1
    waiting = {row[0] for row in await connection.fetch(WRITERS)}
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while waiting:
        if asyncio.get_running_loop().time() > deadline:
            return None
        await asyncio.sleep(0.02)
        waiting &= {row[0] for row in await connection.fetch(WRITERS)}
    return until


def _link(head: Seal | None, rows: Sequence[Any], last: int, now: datetime) -> Seal:
    return Seal(
        number=head.number + 1 if head else 1,
        previous=head.digest if head else ORIGIN,
        after_rid=head.last_rid if head else FIRST,
        last_rid=last,
        events=len(rows),
        root=sha256(b"".join(row["digest"] for row in rows)).digest(),
        sealed=now,
    )


async def _append(connection: Connection, made: Seal, rows: Sequence[Any]) -> None:
    members = (getattr(made, name) for name in Seal.__slots__)
    rids, digests = [row["rid"] for row in rows], b"".join(row["digest"] for row in rows)
    await connection.execute(INSERT, *members, made.digest, rids, digests)
    if made.number % WITNESSED == 1:
        log.info("audit trail: seal %d:%s", made.number, made.digest.hex())
