"""The statements of `isp reindex`: current versions in order, their derived rows replaced."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.storage.database import Connection
from app.storage.versions import DERIVED, Row

BATCH = """
SELECT rid, body, keys FROM resource
WHERE rid > $1 AND NOT deleted ORDER BY rid LIMIT $2 FOR UPDATE
"""


async def locked_batch(connection: Connection, after: int, limit: int) -> list[Any]:
    """The next current versions by row number, locked: rows of rid, body, keys."""
    return await connection.fetch(BATCH, after, limit)


async def replace_derived(
    connection: Connection,
    rids: Sequence[int],
    keys: Mapping[int, Sequence[int]],
    rows: Mapping[str, Sequence[Row]],
) -> None:
    """Give these resources new search keys, where `keys` has them, and new rows in every table."""
    await connection.executemany("UPDATE resource SET keys = $2 WHERE rid = $1", keys.items())
    for table, columns in DERIVED.items():
        await connection.execute(f"DELETE FROM {table} WHERE rid = ANY($1::bigint[])", rids)
        if rows.get(table):
            names = ["rid", *(name for name, _ in columns)]
            await connection.copy_records_to_table(table, records=rows[table], columns=names)
