"""The statements of `isp reindex`: current versions in order, what follows from them replaced."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.storage.database import Connection
from app.storage.versions import DERIVED, Row

BATCH = """
SELECT
  rid, type, id, version, body, patient, patients, keys, digest, confidentiality, labels, seals,
  traits, lo, hi, pointers
FROM resource
WHERE rid > $1 AND NOT deleted AND (type = ANY($2::text[])) = $3 ORDER BY rid LIMIT $4 FOR UPDATE
"""
ABOUT = """
SELECT r.type, r.id, r.patient, r.patients FROM resource AS r
JOIN unnest($1::text[], $2::text[]) AS w(type, id) ON w.type = r.type AND w.id = r.id
WHERE NOT r.deleted
"""
HEAD = """
UPDATE resource SET
  patient = $3, patients = $4, keys = $5, digest = $6,
  confidentiality = $7, labels = $8, seals = $9, traits = $10, lo = $11, hi = $12,
  pointers = $13
WHERE rid = $1 AND version = $2
"""
# The versions before it stay as they were judged then, and are hidden where that differs now.
VERSION = """
UPDATE resource_version SET
  patient = $3, patients = $4, confidentiality = $5, labels = $6, seals = $7
WHERE rid = $1 AND version = $2
"""

Place = tuple[str, str]


async def locked_batch(
    connection: Connection, after: int, types: Sequence[str], *, is_of: bool, limit: int
) -> list[Any]:
    """The next current versions by row number that are of these types, or are not; locked."""
    return await connection.fetch(BATCH, after, types, is_of, limit)


async def about(connection: Connection, places: Sequence[Place]) -> dict[Place, tuple[str, ...]]:
    """The patients whom these resources are about, as far as they exist."""
    columns = [[place[part] for place in places] for part in (0, 1)]
    return {
        (row["type"], row["id"]): (row["patient"],)
        if row["patient"]
        else tuple(row["patients"] or ())
        for row in await connection.fetch(ABOUT, *columns)
    }


async def replace_derived(
    connection: Connection,
    rids: Sequence[int],
    heads: Sequence[Row],
    rows: Mapping[str, Sequence[Row]],
) -> None:
    """Give these resources new rows in every table of DERIVED.

    `heads` are (rid, version, patient, patients, keys, digest, confidentiality, labels, seals,
    traits, lo, hi, pointers) where one of them differs.
    """
    await connection.executemany(HEAD, heads)
    await connection.executemany(VERSION, [(*head[:4], *head[6:9]) for head in heads])
    for table, columns in DERIVED.items():
        await connection.execute(f"DELETE FROM {table} WHERE rid = ANY($1::bigint[])", rids)
        if rows.get(table):
            names = ["rid", *(name for name, _ in columns)]
            await connection.copy_records_to_table(table, records=rows[table], columns=names)
