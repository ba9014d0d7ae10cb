"""Append to the audit trail: one statement for as many events as wait."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from app.storage.database import RID_BLOCK
from app.storage.versions import Connection


class AuditRow(NamedTuple):
    """One row of `audit_event`; `keys` and `targets` are array literals of signed 64-bit hashes."""

    id: str
    last_updated: datetime
    patients: tuple[str, ...]
    keys: str
    targets: str
    body: str


# MATERIALIZED, or the planner could draw a new block for every row. The numbers have to be drawn in
# this very statement: the seals of app/storage/audit_chain.py rely on it.
INSERT = """
WITH block AS MATERIALIZED (SELECT nextval('resource_rid') AS start)
INSERT INTO audit_event (rid, id, last_updated, patients, keys, targets, body)
SELECT block.start + row.at - 1, row.id, row.last_updated,
       row.patients::text[], row.keys::bigint[], row.targets::bigint[], row.body
FROM block, unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[])
     WITH ORDINALITY AS row(id, last_updated, patients, keys, targets, body, at)
"""

BATCH = RID_BLOCK
"""Events that one statement writes, at most: each needs a row number of the block it draws."""


async def insert_audit(connection: Connection, rows: Sequence[AuditRow]) -> None:
    """Append these events, one round trip per hundred."""
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        await connection.execute(
            INSERT,
            [row.id for row in part],
            [row.last_updated for row in part],
            ["{" + ",".join(row.patients) + "}" for row in part],
            [row.keys for row in part],
            [row.targets for row in part],
            [row.body for row in part],
        )
