"""Bring a database to the tables this version of the server needs."""

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import asyncpg

from app.settings import SERVICE_ROLE
from app.storage.roles import check_owner, establish, is_established

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
HEAD = max(path.name[:4] for path in (ROOT / "alembic" / "versions").glob("[0-9]*.py"))
DEFINITIONS = [
    "CodeSystem",
    "CompartmentDefinition",
    "Measure",
    "OperationDefinition",
    "SearchParameter",
    "StructureDefinition",
    "ValueSet",
]
"""What the server itself publishes (app/publishing.py)."""

LOCK = (1_230_192_205, 1)
"""Two-int advisory lock key; the one-bigint form belongs to write_instant()."""


class MigrationFailed(RuntimeError):
    """The tables are what they were; standard error says why."""


async def migrate(dsn: str, revision: str = HEAD, role: str = SERVICE_ROLE) -> bool:
    """Upgrade to `revision`, with what `role` may do if one is named; whether tables changed.

    Several processes may ask at once: one does it, the others wait. A database that is already
    newer is left alone, so that an old and a new version of the server can run side by side.
    Raises NotOwner, MigrationFailed.
    """
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        if await _is_done(connection, revision, role):
            return False
        # Polled: a session that blocks on the lock holds a snapshot, for which CREATE INDEX
        # CONCURRENTLY in the migration would wait forever.
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", *LOCK):
            await asyncio.sleep(0.2)
        if is_behind := await version(connection) < revision:
            await check_owner(connection)
            await _upgrade(dsn, revision)
            log.info("the database is at revision %s", revision)
        if role:
            await establish(connection, role)
    finally:
        await connection.close()
    return is_behind


async def _is_done(
    connection: "asyncpg.Connection[asyncpg.Record]", revision: str, role: str
) -> bool:
    found = await version(connection)
    if found != revision:
        return found > revision
    return not role or await is_established(connection, role)


async def version(connection: "asyncpg.Connection[asyncpg.Record]") -> str:
    """The revision a database is at, "" for an empty one."""
    try:
        return await connection.fetchval("SELECT version_num FROM alembic_version") or ""
    except asyncpg.UndefinedTableError:
        return ""


async def is_empty(dsn: str) -> bool:
    """Whether no resource was ever written to a migrated database, but for definitions."""
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        statement = "SELECT EXISTS (SELECT FROM resource WHERE type <> ALL ($1))"
        return not await connection.fetchval(statement, DEFINITIONS)
    finally:
        await connection.close()


async def _upgrade(dsn: str, revision: str) -> None:
    """In a process of its own: what the library takes of memory is not a server's to keep."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, revision, stdin=PIPE
    )
    await process.communicate(dsn.encode())
    if process.returncode:
        raise MigrationFailed(f"the tables could not be brought to revision {revision}")


def run_alembic(dsn: str, command: str, revision: str) -> None:
    """Run `alembic upgrade` or `alembic downgrade` on a database, whatever it is at."""
    # Imported here: a start that finds nothing to do saves the time.
    import alembic.command
    import alembic.config

    config = alembic.config.Config(ROOT / "alembic.ini")
    config.attributes["dsn"] = dsn
    getattr(alembic.command, command)(config, revision)


if __name__ == "__main__":
    run_alembic(sys.stdin.read(), "upgrade", sys.argv[1])
