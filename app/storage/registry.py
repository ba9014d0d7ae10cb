"""The statements of registered search parameters: what there is, and how far the index has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncpg import Record

from app.storage.database import Connection, Database
from app.storage.versions import DERIVED, STAMP, Row

LOCK = (1_230_192_205, 6)
REGISTRATION = (1_230_192_205, 7)
BATCH = 200
TABLES: Mapping[str, tuple[str, ...]] = {
    table: ("rid", *(name for name, _ in DERIVED[table]))
    for table in ("index_reference", "index_date", "index_string", "index_number")
}
"""Where the values of a registered parameter go, besides the keys of the resource."""

REGISTERED = """
SELECT coalesce((SELECT max(stamp) FROM search_registry), '') AS stamp, p.base, p.code,
  p.definition, coalesce(i.definition = p.definition AND i.done IS NOT NULL, false) AS is_ready
FROM (VALUES (1)) AS one LEFT JOIN search_parameter AS p ON true
LEFT JOIN search_index AS i ON i.base = p.base AND i.code = p.code
ORDER BY p.base, p.code, p.rid
"""
TWICE = """
SELECT base, code FROM search_parameter GROUP BY base, code HAVING count(DISTINCT rid) > 1
ORDER BY base, code LIMIT 1
"""
IS_BEHIND = """
SELECT EXISTS (
  SELECT FROM search_parameter AS p FULL JOIN search_index AS i USING (base, code)
  WHERE p.definition IS NULL OR i.definition IS DISTINCT FROM p.definition OR i.done IS NULL)
"""
BEGIN = """
INSERT INTO search_index (base, code, definition, indexed)
SELECT DISTINCT ON (base, code) base, code, definition, 0 FROM search_parameter
ORDER BY base, code, rid
ON CONFLICT (base, code) DO UPDATE SET
  definition = excluded.definition, position = NULL, indexed = 0, done = NULL
WHERE search_index.definition <> excluded.definition
"""
ABANDON = """
UPDATE search_index AS i SET definition = '', position = NULL, indexed = 0, done = NULL
WHERE i.definition <> ''
  AND NOT EXISTS (SELECT FROM search_parameter AS p WHERE p.base = i.base AND p.code = i.code)
"""
PASS = """
SELECT base, array_agg(code ORDER BY code) AS codes,
  array_agg(definition ORDER BY code) AS definitions,
  bool_or(position IS NULL) AS is_new, min(position) AS position
FROM search_index WHERE done IS NULL GROUP BY base ORDER BY base LIMIT 1
"""
WRITERS = """
SELECT DISTINCT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation = 'resource'::regclass AND mode = 'RowExclusiveLock'
  AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
START = """
UPDATE search_index AS i SET position = '', indexed = 0
FROM unnest($2::text[], $3::text[]) AS w(code, definition)
WHERE i.base = $1 AND i.code = w.code AND i.definition = w.definition AND i.done IS NULL
"""
RESOURCES = f"""
SELECT rid, type, id, version, body, keys, digest FROM resource
WHERE type = $1 AND id > $2 AND NOT deleted ORDER BY id LIMIT {BATCH} FOR UPDATE
"""
HEAD = "UPDATE resource SET keys = $3, digest = $4 WHERE rid = $1 AND version = $2"
ADVANCE = """
UPDATE search_index SET position = $3, indexed = indexed + $4
WHERE base = $1 AND code = ANY($2::text[])
"""
FINISH = """
UPDATE search_index SET done = now() WHERE base = $1 AND code = ANY($2::text[]) AND definition <> ''
"""
FORGET = "DELETE FROM search_index WHERE base = $1 AND code = ANY($2::text[]) AND definition = ''"
PROGRESS = """
SELECT i.base, i.code, i.definition, i.position, i.indexed, i.done FROM search_index AS i
UNION ALL
SELECT p.base, p.code, p.definition, NULL, 0, NULL FROM search_parameter AS p
WHERE NOT EXISTS (SELECT FROM search_index AS i WHERE i.base = p.base AND i.code = p.code)
ORDER BY 1, 2
"""
WITH_KEY = "SELECT count(*) FROM resource WHERE type = $1 AND keys && ARRAY[$2::bigint]"


@dataclass(frozen=True, slots=True)
class Pass:
    """One way through the resources of a type, for all its parameters that are not done.

    `position` is the last id looked at; `is_new` says that one of them has to begin.
    """

    base: str
    codes: Sequence[str]
    definitions: Sequence[str]
    is_new: bool
    position: str | None


async def stamp(store: Connection | Database) -> str:
    """The name of the set of parameters that is registered now, "" where there never was one."""
    return str(await store.fetchval(STAMP))


async def registered(database: Database) -> list[Record]:
    """stamp, base, code, definition, is_ready; one row without a base where there is none."""
    return await database.fetch(REGISTERED)


async def registered_twice(connection: Connection) -> Record | None:
    """The base and code that two SearchParameters have in common, if any.

    Who registers something else waits until this transaction ends.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", *REGISTRATION)
    return await connection.fetchrow(TWICE)


async def is_behind(database: Database) -> bool:
    """Whether the index lacks something, or holds what nobody asks for any more."""
    return bool(await database.fetchval(IS_BEHIND))


async def next_pass(connection: Connection) -> Pass | None:
    """What to do next; None if there is nothing, or somebody else is at it.

    The transaction is the only one at it until it ends.
    """
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1, $2)", *LOCK):
        return None
    await connection.execute(BEGIN)
    await connection.execute(ABANDON)
    row = await connection.fetchrow(PASS)
    return Pass(*row.values()) if row else None


async def writers(database: Database) -> set[str]:
    """The transactions that are writing resources at this moment."""
    return {row["virtualtransaction"] for row in await database.fetch(WRITERS)}


async def start(database: Database, one: Pass) -> None:
    """Let the way through the resources begin."""
    await database.execute(START, one.base, one.codes, one.definitions)


async def resources(connection: Connection, one: Pass) -> list[Record]:
    """The next current versions of the type in order of their ids; locked."""
    return await connection.fetch(RESOURCES, one.base, one.position)


async def replace_values(
    connection: Connection,
    rids: Sequence[int],
    params: Sequence[int],
    rows: Mapping[str, Sequence[Row]],
    heads: Sequence[Row],
) -> None:
    """Give these resources new index rows under these parameters only, and new keys.

    `heads` are (rid, version, keys, digest) where they differ.
    """
    await connection.executemany(HEAD, heads)
    for table, columns in TABLES.items():
        gone = f"DELETE FROM {table} WHERE rid = ANY($1::bigint[]) AND param = ANY($2::int[])"
        await connection.execute(gone, rids, params)
        if rows.get(table):
            await connection.copy_records_to_table(table, records=rows[table], columns=columns)


async def advance(connection: Connection, one: Pass, position: str, count: int) -> None:
    """Note how far the way through the resources led."""
    await connection.execute(ADVANCE, one.base, one.codes, position, count)


async def finish(connection: Connection, one: Pass) -> None:
    """The way through the resources is done, and what was taken away is forgotten."""
    await connection.execute(FINISH, one.base, one.codes)
    await connection.execute(FORGET, one.base, one.codes)


async def progress(store: Any) -> list[Record]:
    """base, code, definition, position, indexed and done of every registered parameter."""
    found: list[Record] = await store.fetch(PROGRESS)
    return found


async def count_with(store: Any, type_: str, key: int) -> int:
    """How many resources of a type have this search key."""
    return int(await store.fetchval(WITH_KEY, type_, key))
