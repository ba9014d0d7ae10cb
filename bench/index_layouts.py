"""Measure the layouts of the search index: `python -m bench.index_layouts --patients 140000`.

Times are microseconds of one statement over a Unix socket, without the commit; sizes and WAL are
bytes a resource. The result is docs/decisions/0002-search-index.md.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from app.storage.embedded import embedded
from bench.index_queries import Query, queries
from bench.index_rows import EPOCH, Row, key, person
from bench.layouts import BASE, BASE_INDEXES, LAYOUTS, SIDE_INSERT, SIDE_REWRITE, Layout

SETTINGS = {"shared_buffers": "512MB", "maintenance_work_mem": "512MB", "checkpoint_timeout": "1h"}
Figures = dict[str, dict[str, float]]
ROUNDS = 400
SECONDS = 4.0
TABLES = ("resource", "resource_version", "index_reference", "index_date", "index_string")


def figures(times: Sequence[float]) -> dict[str, float]:
    """Minimum, median and 95th percentile of seconds, in microseconds."""
    ordered = sorted(times)
    return {
        "min": round(ordered[0] * 1e6, 1),
        "median": round(statistics.median(ordered) * 1e6, 1),
        "p95": round(ordered[int(len(ordered) * 0.95)] * 1e6, 1),
        "runs": len(ordered),
    }


async def populate(connection: asyncpg.Connection, patients: int) -> None:
    """Fill BASE with the rows of `patients` persons and build the indexes all layouts share."""
    await connection.execute(BASE)
    for start in range(0, patients, 2000):
        rows = [row for n in range(start, min(start + 2000, patients)) for row in person(n)]
        await copy(connection, rows)
    await connection.execute(BASE_INDEXES)


async def copy(connection: asyncpg.Connection, rows: list[Row]) -> None:
    """COPY the rows and their index rows into the tables of BASE."""
    records: dict[str, list[tuple[Any, ...]]] = {
        "resource": [
            (r.rid, r.type, r.id, 1, r.last_updated, False, r.patient, r.keys, r.body) for r in rows
        ],
        "resource_version": [(r.rid, 1, r.type, r.last_updated, r.patient, r.body) for r in rows],
        "index_reference": [(r.rid, *value) for r in rows for value in r.references],
        "index_date": [(r.rid, *value) for r in rows for value in r.dates],
        "index_string": [(r.rid, p, text, text) for r in rows for p, text in r.strings],
        "seek": [(seek, r.rid) for r in rows for seek in r.seeks],
    }
    for table, values in records.items():
        await connection.copy_records_to_table(table, records=values)


def insert_arguments(layout: Layout, rows: list[Row]) -> list[Any]:
    """The arrays of Layout.insert for these rows."""
    heads = [
        (r.rid, r.type, r.id, r.last_updated, r.patient, _array(layout, r), r.body) for r in rows
    ]
    references = [(r.rid, *value) for r in rows for value in r.references]
    dates = [(r.rid, *value) for r in rows for value in r.dates]
    strings = [(r.rid, *value) for r in rows for value in r.strings]
    tokens = [(k, r.rid) for r in rows for k in indexed(layout, r)]
    columns = [
        _columns(heads, 7),
        _columns(references, 3),
        _columns(dates, 4),
        _columns(strings, 3),
    ]
    if layout.tokens != "none":
        columns.append(_columns(tokens, 2))
    return [column for group in columns for column in group]


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * width


def _array(layout: Layout, row: Row) -> str:
    return "{" + ",".join(map(str, row.keys)) + "}" if layout.in_row else "{}"


def indexed(layout: Layout, row: Row) -> list[int]:
    """The keys of the row that go to index_token."""
    return {"none": [], "all": row.keys, "seeks": row.seeks}[layout.tokens]


def update_arguments(layout: Layout, row: Row, stamp: datetime, swap: tuple[int, int]) -> list[Any]:
    """The arguments of Layout.update; `swap` names the key that goes and the one that comes."""
    keys = [swap[1] if k == swap[0] else k for k in row.keys]
    arguments: list[Any] = [row.rid, stamp, keys if layout.in_row else [], row.body]
    if not layout.in_row:
        return [*arguments, keys]
    if layout.tokens == "none":
        return arguments
    different = swap[0] != swap[1]
    return [*arguments, [swap[0]] if different else [], [swap[1]] if different else []]


async def timed(
    connection: asyncpg.Connection, sql: str, arguments: Iterable[Sequence[Any]]
) -> list[float]:
    """Seconds of each execution of one prepared statement, within SECONDS in all."""
    statement = await connection.prepare(sql)
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    for values in arguments:
        begin = time.perf_counter()
        await statement.fetch(*values)
        times.append(time.perf_counter() - begin)
        if begin > end:
            break
    return times


async def measure_reads(connection: asyncpg.Connection, layout: Layout, patients: int) -> Figures:
    """Every query in both plan modes, after a warm-up with other arguments."""
    result: Figures = {}
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"SET plan_cache_mode = {mode}")
        for query in queries(layout):
            await timed(connection, query.sql, _arguments(query, patients, 40, seed=1))
            times = await timed(connection, query.sql, _arguments(query, patients, ROUNDS, seed=2))
            result[f"{query.name} [{mode.split('_')[1]}]"] = figures(times)
    await connection.execute("SET plan_cache_mode = auto")
    return result


def _arguments(query: Query, patients: int, count: int, seed: int) -> Iterable[Sequence[Any]]:
    rng = random.Random(seed)
    return (query.arguments(rng, patients) for _ in range(count))


async def measure_writes(
    connection: asyncpg.Connection, layout: Layout, patients: int, base: int
) -> Figures:
    """Inserts and updates with their WAL, first without and then with full page images."""
    rng = random.Random(base)
    fresh = iter(range(base, base + 10**6))
    singles = [[row] for _ in range(60) for row in person(next(fresh), 10**7)]
    sevens = [person(next(fresh), 10**7) for _ in range(150)]
    more = [person(next(fresh), 10**7) for _ in range(150)]
    people = rng.sample(range(patients), min(1200, patients))
    goals = [person(n)[rng.randrange(3, 6)] for n in people]
    third = len(goals) // 3
    stamp, same, new = EPOCH + timedelta(days=400), (0, 0), key(f"Goal.new||{base}")
    updates = [update_arguments(layout, g, stamp, same) for g in goals[:third]]
    changes = [
        update_arguments(layout, g, stamp, (g.seeks[-1], new)) for g in goals[third : 2 * third]
    ]
    after = [update_arguments(layout, g, stamp, same) for g in goals[2 * third :]]
    insert, update = layout.insert, layout.update
    work = [
        ("insert one", insert, [insert_arguments(layout, r) for r in singles], 1, False),
        ("insert seven", insert, [insert_arguments(layout, r) for r in sevens], 7, False),
        ("update, same keys", update, updates, 1, False),
        ("update, one key", update, changes, 1, False),
        ("insert seven, full pages", insert, [insert_arguments(layout, r) for r in more], 7, True),
        ("update, full pages", update, after, 1, True),
    ]
    return {
        name: await _written(connection, sql, arguments, rows, full)
        for name, sql, arguments, rows, full in work
    }


async def _written(
    connection: asyncpg.Connection,
    sql: str,
    arguments: Sequence[Sequence[Any]],
    rows: int,
    full: bool,
) -> dict[str, float]:
    await connection.execute(f"ALTER SYSTEM SET full_page_writes = {'on' if full else 'off'}")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.execute("CHECKPOINT")
    async with connection.transaction():
        await timed(connection, sql, arguments[:30])
    begin = await connection.fetchval("SELECT pg_current_wal_insert_lsn()")
    async with connection.transaction():
        times = await timed(connection, sql, arguments[30:])
    wal = await connection.fetchval("SELECT pg_current_wal_insert_lsn() - $1::pg_lsn", begin)
    return {
        **figures([seconds / rows for seconds in times]),
        "wal": round(float(wal) / len(times) / rows),
    }


async def measure_sides(connection: asyncpg.Connection, patients: int) -> Figures:
    """What rewriting the reference and date rows of a plan costs an update that changes none."""
    rng = random.Random(9)
    plans = [person(rng.randrange(patients))[6] for _ in range(300)]
    values = [[p.rid, *_columns(p.references, 2), *_columns(p.dates, 3)] for p in plans]
    gone = await _written(connection, SIDE_REWRITE, [[p.rid] for p in plans], 1, False)
    come = await _written(connection, SIDE_INSERT, values[: int(gone["runs"]) + 30], 1, False)
    return {"side rows out": gone, "side rows in": come}


async def sizes(connection: asyncpg.Connection) -> dict[str, float]:
    """Bytes of every table and index."""
    rows = await connection.fetch(
        "SELECT relname, relkind::text, pg_table_size(oid) AS bytes FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') ORDER BY relname"
    )
    return {row["relname"]: row["bytes"] for row in rows}


async def database(uri: str, patients: int) -> str:
    """A database with the population, made when it is not there; returns its URI."""
    name = f"layouts_{patients}"
    connection = await asyncpg.connect(uri)
    known = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name)
    target = uri.replace("/postgres?", f"/{name}?")
    if not known:
        await connection.execute(f"CREATE DATABASE {name}")
        filling = await asyncpg.connect(target)
        await populate(filling, patients)
        await filling.close()
    await connection.close()
    return target


async def measure(uri: str, layout: Layout, patients: int, base: int) -> dict[str, Any]:
    """All figures of one layout."""
    connection = await asyncpg.connect(uri)
    if layout.create:
        await connection.execute(layout.create)
    await connection.execute("VACUUM ANALYZE")
    result: dict[str, Any] = {"size": await sizes(connection)}
    result["reads"] = await measure_reads(connection, layout, patients)
    result["writes"] = await measure_writes(connection, layout, patients, base)
    pending = next(query for query in queries(layout) if query.name == "identifier")
    times = await timed(connection, pending.sql, _arguments(pending, patients, ROUNDS, seed=3))
    result["reads"]["identifier, after writes"] = figures(times)
    if layout.drop:
        await connection.execute(layout.drop)
    await connection.close()
    return result


async def run(uri: str, arguments: argparse.Namespace) -> None:
    """Measure every layout at every number of patients and write what was found."""
    found: dict[str, Any] = {"settings": SETTINGS}
    for patients in arguments.patients:
        target = await database(uri, patients)
        for position, layout in enumerate(LAYOUTS):
            figures_of = await measure(target, layout, patients, 10**6 * (position + 1))
            found[f"{layout.name} {patients}"] = figures_of
            arguments.output.write_text(json.dumps(found, indent=1))
            print(layout.name, patients, json.dumps(figures_of), flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, nargs="+", default=[5000, 140000])
    parser.add_argument("--data", type=Path, default=Path("/tmp/isp-index-layouts"))
    parser.add_argument("--output", type=Path, default=Path("bench/results/index-layouts.json"))
    arguments = parser.parse_args()
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with embedded(arguments.data, SETTINGS) as uri:
        asyncio.run(run(uri, arguments))


if __name__ == "__main__":
    main()
