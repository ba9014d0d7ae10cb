"""Append to the audit trail: one statement for as many events as wait."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.storage.database import RID_BLOCK
from app.storage.sql import Connection


class AuditRow(NamedTuple):
    """One row of `audit_event`; `keys` and `targets` are array literals of signed 64-bit hashes."""

    id: str
    last_updated: datetime
    patients: tuple[str, ...]
    keys: str
    targets: str
    body: str


BATCH = RID_BLOCK
"""Events that one statement writes, at most: each needs a row number of the block it draws."""


def appending(at: int) -> str:
    """The common table expressions that append the events of six arguments from $at on.

    The numbers have to be drawn in the statement that inserts: the seals of
    app/storage/audit_chain.py rely on it.
    """
    lines = ", ".join(f"string_to_table(${at + i}, E'\\n')" for i in (0, 2, 3, 4, 5))
    # MATERIALIZED, or the planner could draw a new block for every row.
    return f"""block AS MATERIALIZED (SELECT nextval('resource_rid') AS start),
event_made AS (
  INSERT INTO audit_event (rid, id, last_updated, patients, keys, targets, body)
  SELECT block.start + row.at - 1, row.id, row.last_updated,
         row.patients::text[], row.keys::bigint[], row.targets::bigint[], row.body
  FROM block, ROWS FROM (unnest(${at + 1}::timestamptz[]), {lines})
       WITH ORDINALITY AS row(last_updated, id, patients, keys, targets, body, at))"""


def columns(rows: Sequence[AuditRow]) -> list[Any]:
    """The arguments of `appending`: texts of a line for each event, which cost the driver less than
    arrays. Compact JSON has no line break, and where one came in nevertheless the columns would not
    be equally long, and NULL would be refused.
    """
    return [
        "\n".join([row.id for row in rows]),
        [row.last_updated for row in rows],
        "\n".join(["{" + ",".join(row.patients) + "}" for row in rows]),
        "\n".join([row.keys for row in rows]),
        "\n".join([row.targets for row in rows]),
        "\n".join([row.body for row in rows]),
    ]


INSERT = f"WITH {appending(1)} SELECT"


async def insert_audit(connection: Connection, rows: Sequence[AuditRow]) -> None:
    """Append these events, one round trip per hundred."""
    for start in range(0, len(rows), BATCH):
        await connection.execute(INSERT, *columns(rows[start : start + BATCH]))
