"""One private PostgreSQL for the whole run, one migrated database for each process of it."""

import asyncio
import gc
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from app.fhir.engine import Engine
from app.main import create_app
from app.settings import Settings
from app.storage.database import Database
from app.storage.embedded import embedded
from app.storage.migrate import migrate

DATA_DIR = "ISP_TEST_DATA_DIR"
TEMPLATE = "isp_template"
TEMPLATE_LOCK = (1_230_192_205, 2)
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

CLEAN = """
DO $$ DECLARE name text; BEGIN
PERFORM set_config('session_replication_role', 'replica', true);  -- without triggers
FOR name IN SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
            WHERE relkind = 'r' AND nspname = 'public' AND relname <> 'alembic_version'
LOOP EXECUTE 'DELETE FROM ' || quote_ident(name); END LOOP;
END $$
"""


def pytest_configure(config: pytest.Config) -> None:
    """The first process makes the directory that those it starts share."""
    gc.disable()
    for name in [name for name in os.environ if name.startswith("ISP_") and name != DATA_DIR]:
        del os.environ[name]
    if DATA_DIR not in os.environ:
        os.environ[DATA_DIR] = tempfile.mkdtemp(prefix="isp-test-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(DATA_DIR)))


def pytest_collection_finish() -> None:
    """What is here now stays until the end: no collection of garbage has to look at it again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The DSN of a PostgreSQL nobody else uses."""
    with embedded(Path(os.environ[DATA_DIR]), FAST) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def dsn(server: str) -> str:
    """The DSN of a migrated database of this process."""
    return asyncio.run(new_database(server, f"isp_{os.getpid()}"))


async def new_database(server: str, name: str) -> str:
    """Clone the migrated template, which the first to come makes; the clone's DSN."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"SELECT pg_advisory_lock{TEMPLATE_LOCK}")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", TEMPLATE):
            await connection.execute(f"CREATE DATABASE {TEMPLATE}")
            await migrate(named(server, TEMPLATE))
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    finally:
        await connection.close()
    return named(server, name)


def named(server: str, database: str) -> str:
    """The DSN of another database on the same server."""
    return server.replace("/postgres?", f"/{database}?", 1)


@pytest.fixture(scope="session")
async def pool(dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(dsn)
    yield database
    await database.close()


@pytest.fixture
async def database(pool: Database) -> Database:
    """A database with every table empty, and whatever this test leaves in it until the next."""
    await pool.execute(CLEAN)
    return pool


@pytest.fixture
async def engine(dsn: str, database: Database) -> AsyncIterator[Engine]:
    """The engine of a running application."""
    app = create_app(Settings(database_url=dsn))
    async with app.router.lifespan_context(app):
        yield app.state.engine


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
