"""Load the population by COPY: as many people as wanted, in minutes.

The rows are those of the engine: `draft` derives them, `meet` and `head_of` make the version, only
the way into the tables is another. The indexes are built when the rows are in, and the audit trail
does not tell of them. So it is for an idle database that is thrown away afterwards.
"""

import asyncio
import multiprocessing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import Any

import asyncpg
import uvloop

from app.consent.marks import marks
from app.consent.relationships import PROJECTION
from app.fhir.change import Change
from app.fhir.draft import draft
from app.fhir.engine import Engine, Policy
from app.fhir.step import head_of, meet
from app.storage.versions import DERIVED, Head
from bench.population import ORDER, resources

PERSONS = 200
"""Persons that are copied in one transaction."""

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
HEAD: tuple[str, ...] = (
    "rid",
    "type",
    "id",
    "version",
    "last_updated",
    "deleted",
    "patient",
    "patients",
    "keys",
)
HEAD += ("digest", "confidentiality", "labels", "seals", "traits", "lo", "hi", "body", "pointers")
VERSION: tuple[str, ...] = (
    "rid",
    "version",
    "type",
    "last_updated",
    "method",
    "patient",
    "patients",
)
VERSION += ("confidentiality", "labels", "seals", "body", "pointers")
TABLES = ("resource", "resource_version", *DERIVED)

INDEXES = """
SELECT c.relname AS name, t.relname AS "table", pg_get_indexdef(i.indexrelid) AS definition,
  k.conname AS constraint, pg_get_constraintdef(k.oid) AS said
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_class AS t ON t.oid = i.indrelid
LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype = 'p'
WHERE t.relname = ANY($1) ORDER BY 1
"""

Rows = dict[str, list[tuple[Any, ...]]]


def identifiers(n: int) -> list[str]:
    """The logical ids of person n, in ORDER: in order of time, as those of the server are."""
    return [
        f"{n:08x}-{slot:04x}-7000-8000-{(n * 7919 + slot) % 2**48:012x}"
        for slot in range(len(ORDER))
    ]


def references(n: int) -> list[str]:
    """The references to the resources of person n, in ORDER."""
    return [f"{type_}/{id_}" for type_, id_ in zip(ORDER, identifiers(n), strict=True)]


def engine(base_url: str) -> Engine:
    """As much of an engine as rows are derived with."""
    return Engine(
        database=None,  # type: ignore[arg-type]
        audit=None,  # type: ignore[arg-type]
        routes=(),
        base_url=base_url,
        paging_key=b"",
        policy=Policy(),
        stamps=(),
        rules=(),
        projections=(PROJECTION,),
        operations={},
        mark=marks,
    )


def versions(made: Engine, n: int, base: int) -> Iterator[tuple[Head, Mapping[str, list[Any]]]]:
    """The first versions of person n with their derived rows; rids count from `base`."""
    for slot, (resource, id_) in enumerate(
        zip(resources(n, references(n)), identifiers(n), strict=True)
    ):
        change = Change("create", "POST", ORDER[slot], id_, {**resource, "id": id_})
        rid = base + n * len(ORDER) + slot
        yield _version(made, change, rid, EPOCH + timedelta(milliseconds=100 * n + slot))


def _version(
    made: Engine, change: Change, rid: int, instant: datetime
) -> tuple[Head, Mapping[str, list[Any]]]:
    step = meet(draft(made, change), None, rid, instant)
    return head_of(step), step.draft.derived.rows


def rows(made: Engine, persons: Sequence[int], base: int) -> Rows:
    """What the tables get of these persons."""
    return _rows(version for n in persons for version in versions(made, n, base))


def batches(made: Engine, changes: Iterable[Change], base: int) -> Iterator[Rows]:
    """What the tables get of these new resources, in batches; rids count from `base`."""
    numbered = enumerate(changes)
    while part := list(islice(numbered, PERSONS * len(ORDER))):
        yield _rows(_version(made, change, base + at, EPOCH) for at, change in part)


def _rows(found: Iterable[tuple[Head, Mapping[str, list[Any]]]]) -> Rows:
    made: Rows = {table: [] for table in TABLES}
    for head, derived in found:
        made["resource"].append(values(head, HEAD))
        made["resource_version"].append(values(head, VERSION))
        for table, its in derived.items():
            made[table] += [(head.rid, *row) for row in its]
    return made


def values(head: Head, names: Sequence[str]) -> tuple[Any, ...]:
    """These columns of a version."""
    return tuple(False if name == "deleted" else getattr(head, name) for name in names)


def columns(table: str) -> Sequence[str]:
    """The columns that `rows` has of a table."""
    known = {"resource": HEAD, "resource_version": VERSION}
    return known.get(table) or ("rid", *(name for name, _ in DERIVED.get(table, ())))


async def copy(
    connection: "asyncpg.Connection[Any]",
    found: Rows,
    named: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Put rows into their tables, in one transaction; `named` are columns of further tables."""
    async with connection.transaction():
        for table, its in found.items():
            names = named.get(table) or columns(table)
            if its:
                await connection.copy_records_to_table(table, records=its, columns=names)


def _work(dsn: str, base_url: str, part: Sequence[int], base: int) -> None:
    uvloop.run(_copied(dsn, base_url, part, base))


async def _copied(dsn: str, base_url: str, part: Sequence[int], base: int) -> None:
    connection, made = await asyncpg.connect(dsn), engine(base_url)
    try:
        for persons in _batched(part):
            await copy(connection, rows(made, persons, base))
    finally:
        await connection.close()


def _batched(part: Sequence[int]) -> Iterator[Sequence[int]]:
    for at in range(0, len(part), PERSONS):
        yield part[at : at + PERSONS]


async def fill(dsn: str, base_url: str, persons: range, processes: int = 2) -> None:
    """Load these persons into a migrated database, and see to its indexes and statistics."""
    connection = await asyncpg.connect(dsn)
    try:
        base = await _base(connection, persons)
        indexes = await connection.fetch(INDEXES, list(TABLES))
        await _drop(connection, indexes)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, context) as pool:
            loop = asyncio.get_running_loop()
            parts = [persons[at::processes] for at in range(processes)]
            await asyncio.gather(
                *(loop.run_in_executor(pool, _work, dsn, base_url, part, base) for part in parts)
            )
        await _build(connection, indexes)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def settle(dsn: str) -> None:
    """Leave a database as one that has been in use for long: nothing waits to be tidied up or
    written, and the rows are in memory as far as they fit, those that most requests read last."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
        # By their index: a scan of a whole large table keeps none of it in the cache.
        await connection.execute("SET enable_seqscan = off; SET enable_sort = off")
        for table in ("resource_version", "resource"):
            await connection.execute(f"SELECT count(t) FROM (SELECT * FROM {table} ORDER BY rid) t")
    finally:
        await connection.close()


async def _base(connection: "asyncpg.Connection[Any]", persons: range) -> int:
    """Row numbers nobody else gets: the sequence goes on behind those of these persons."""
    first = int(await connection.fetchval("SELECT nextval('resource_rid')"))
    last = first + len(persons) * len(ORDER)
    await connection.execute("SELECT setval('resource_rid', $1)", last)
    return first - persons.start * len(ORDER)


async def _drop(connection: "asyncpg.Connection[Any]", indexes: Sequence[Any]) -> None:
    for each in indexes:
        if each["constraint"]:
            await connection.execute(f"ALTER TABLE {each['table']} DROP CONSTRAINT {each['name']}")
        else:
            await connection.execute(f"DROP INDEX {each['name']}")


async def _build(connection: "asyncpg.Connection[Any]", indexes: Sequence[Any]) -> None:
    await connection.execute("SET maintenance_work_mem = '1GB'")
    for each in indexes:
        if each["constraint"]:
            said = f"ADD CONSTRAINT {each['name']} {each['said']}"
            await connection.execute(f"ALTER TABLE {each['table']} {said}")
        else:
            await connection.execute(each["definition"])
