"""alembic/: the migrations make what app/storage/tables.py says, forwards and back."""

import asyncio
import time

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import ARRAY, Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from app.storage import migrate as migration
from app.storage.migrate import HEAD, MigrationFailed, migrate, run_alembic
from app.storage.tables import Resource
from tests.conftest import named


@pytest.fixture
async def empty(server: str) -> str:
    """The DSN of a database without a table."""
    name = f"empty_{time.monotonic_ns()}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return named(server, name)


async def differences(dsn: str) -> list[object]:
    """What would have to change in the database to match the metadata, collations included."""

    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        found = list(compare_metadata(context, Resource.metadata))
        for table in Resource.metadata.tables.values():
            for column in inspect(connection).get_columns(table.name):
                is_ = getattr(column["type"], "collation", None)
                wanted = table.columns[column["name"]].type
                wanted = wanted.item_type if isinstance(wanted, ARRAY) else wanted
                if not isinstance(column["type"], ARRAY):
                    found += [(table.name, column)] * (is_ != getattr(wanted, "collation", None))
        return found

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn)
    )
    async with engine.connect() as connection:
        found = await connection.run_sync(compare)
    await engine.dispose()
    return found


async def test_the_migrations_make_the_tables_of_the_schema(empty: str) -> None:
    assert await migrate(empty) is True
    assert await differences(empty) == []


async def test_a_difference_would_be_seen(empty: str) -> None:
    await migrate(empty)
    connection = await asyncpg.connect(empty)
    await connection.execute('ALTER TABLE resource ALTER id TYPE text COLLATE "default"')
    await connection.execute("DROP INDEX resource_patient")
    await connection.close()
    assert len(await differences(empty)) == 2


async def test_a_migration_that_fails_is_told(empty: str) -> None:
    with pytest.raises(MigrationFailed, match="9999"):
        await migrate(empty, "9999")


async def test_the_last_migration_can_be_taken_back(empty: str) -> None:
    await migrate(empty)
    await asyncio.to_thread(run_alembic, empty, "downgrade", "-1")
    assert await migrate(empty) is True
    assert await differences(empty) == []


async def test_all_migrations_can_be_taken_back(empty: str) -> None:
    await migrate(empty)
    await asyncio.to_thread(run_alembic, empty, "downgrade", "base")
    connection = await asyncpg.connect(empty)
    left = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relname NOT LIKE 'alembic%' UNION ALL"
        " SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    )
    await connection.close()
    assert left == []


async def test_several_processes_may_migrate_at_once(empty: str) -> None:
    assert sorted(await asyncio.gather(*(migrate(empty) for _ in range(4)))) == [
        False,
        False,
        False,
        True,
    ]


async def test_a_newer_database_is_left_alone(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate(empty)
    connection = await asyncpg.connect(empty)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert await migrate(empty) is False
    assert await migration.version(connection) == "9999"
    await connection.close()


def test_revisions_are_numbered_without_gaps() -> None:
    names = sorted((migration.ROOT / "alembic" / "versions").glob("[0-9]*.py"))
    assert [name.name[:4] for name in names] == [f"{n:04}" for n in range(1, int(HEAD) + 1)]
