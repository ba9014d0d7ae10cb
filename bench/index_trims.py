"""Measure what the reference and date index tables cost, whole and trimmed.

`python -m bench.index_trims`: microseconds and WAL bytes a resource for a multi-row insert of one
person's rows, and bytes a resource at rest, of 20,000 persons.
"""

import asyncio
import random
from pathlib import Path
from typing import Any

import asyncpg

from app.storage.embedded import embedded
from bench.index_layouts import SETTINGS, figures, timed
from bench.index_rows import Row, param, person

PEOPLE = 20_000
PATIENT_PARAMETERS = frozenset(
    param(f"{type_}.{code}")
    for type_ in ("Condition", "CareTeam", "Goal", "CarePlan")
    for code in ("subject", "patient")
)
REFERENCE = 'CREATE TABLE t (rid bigint, param int, target text COLLATE "C")'
DATE = "CREATE TABLE t (rid bigint, param int, lo timestamptz NOT NULL, hi timestamptz NOT NULL)"
ROW = "ALTER TABLE t ADD COLUMN row bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
TARGET = "CREATE INDEX t_target ON t (target, param, rid)"
RID, LO = "CREATE INDEX t_rid ON t (rid, param)", "CREATE INDEX t_lo ON t (param, lo, rid)"
HI = "CREATE INDEX t_hi ON t (param, hi, rid)"
VARIANTS: dict[str, tuple[str, ...]] = {
    "reference: primary key of all columns": (
        REFERENCE,
        "ALTER TABLE t ADD PRIMARY KEY (rid, param, target)",
        TARGET,
    ),
    "reference: index (rid, param)": (REFERENCE, RID, TARGET),
    "reference: no index by rid": (REFERENCE, TARGET),
    "reference: (rid, param), the patient's left out": (REFERENCE, RID, TARGET),
    "date: row number, rid, lo, hi": (DATE, ROW, RID, LO, HI),
    "date: rid, lo, hi": (DATE, RID, LO, HI),
    "date: rid, lo": (DATE, RID, LO),
    "date: rid, lo with hi": (DATE, RID, "CREATE INDEX t_lo ON t (param, lo, rid, hi)"),
}


def rows_of(name: str, rows: list[Row]) -> list[tuple[Any, ...]]:
    """The index rows of these resources in one variant."""
    if name.startswith("date"):
        return [(row.rid, *value) for row in rows for value in row.dates]
    found = [(row.rid, *value) for row in rows for value in row.references]
    if name.endswith("left out"):
        return [row for row in found if row[1] not in PATIENT_PARAMETERS]
    return found


async def measure(connection: asyncpg.Connection, name: str) -> None:
    """Fill one variant in order of time, then insert for further persons, and print the figures."""
    await connection.execute("DROP TABLE IF EXISTS t")
    for statement in VARIANTS[name]:
        await connection.execute(statement)
    columns = ("rid", "param", "lo", "hi") if "date" in name else ("rid", "param", "target")
    for start in range(0, PEOPLE, 2000):
        batch = [row for n in range(start, start + 2000) for row in rows_of(name, person(n))]
        await connection.copy_records_to_table("t", records=batch, columns=columns)
    await connection.execute("VACUUM ANALYZE t")
    size = await connection.fetchval("SELECT pg_total_relation_size('t')")
    times, wal = await _inserts(connection, name, columns)
    print(
        f"{name:50} {figures(times)['min'] / 7:6.1f} {figures(times)['median'] / 7:6.1f} us"
        f" {wal / len(times) / 7:6.0f} WAL {size / PEOPLE / 7:6.0f} bytes",
        flush=True,
    )


async def _inserts(
    connection: asyncpg.Connection, name: str, columns: tuple[str, ...]
) -> tuple[list[float], float]:
    kinds = {"rid": "bigint", "param": "int", "target": "text"}
    arrays = ", ".join(
        f"${i}::{kinds.get(column, 'timestamptz')}[]" for i, column in enumerate(columns, 1)
    )
    sql = f"INSERT INTO t ({', '.join(columns)}) SELECT * FROM unnest({arrays})"
    order = random.Random(7).sample(range(PEOPLE, 2 * PEOPLE), 1000)
    people = [list(zip(*rows_of(name, person(n)), strict=True)) for n in order]
    begin = await connection.fetchval("SELECT pg_current_wal_insert_lsn()")
    async with connection.transaction():
        times = await timed(connection, sql, people)
    wal = await connection.fetchval("SELECT pg_current_wal_insert_lsn() - $1::pg_lsn", begin)
    return times, float(wal)


async def run(uri: str) -> None:
    """Measure every variant, full page images off."""
    connection = await asyncpg.connect(uri)
    await connection.execute("ALTER SYSTEM SET full_page_writes = off")
    await connection.execute("SELECT pg_reload_conf()")
    for name in VARIANTS:
        await measure(connection, name)
    await connection.close()


if __name__ == "__main__":
    with embedded(Path("/tmp/isp-index-trims"), SETTINGS) as dsn:
        asyncio.run(run(dsn))
