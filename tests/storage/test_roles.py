"""The server works as a role that reads and appends; the database keeps it from more."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from app.storage.audit_chain import seal
from app.storage.database import Database
from app.storage.migrate import HEAD, migrate
from app.storage.roles import PRIVILEGES, NotOwner, establish, is_established, missing
from app.storage.tables import Resource
from tests.conftest import named
from tests.http.conftest import Service, serving
from tests.storage.audit_trail import record

ROLE = "isp_service"


@pytest.fixture
async def lesser(dsn: str, database: Database) -> AsyncIterator[Database]:
    """What the server has."""
    await record(database, "1", "2")
    opened = await Database.open(dsn, role=ROLE)
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_event SET body = ''",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "DROP TABLE audit_event",
        "UPDATE audit_seal SET digest = ''",
        "DELETE FROM audit_seal",
        "UPDATE resource_version SET body = ''",
        "DELETE FROM resource_version",
        "DELETE FROM resource",
        "UPDATE client SET scope = ''",
        "UPDATE account SET role = 'operator'",
        "UPDATE alembic_version SET version_num = ''",
        "CREATE TABLE mine (a int)",
        "SET session_replication_role = 'replica'",
        "CREATE ROLE mine",
    ],
)
async def test_the_server_cannot_rewrite_the_past(lesser: Database, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await lesser.execute(sql)
    assert await lesser.fetchval("SELECT count(*) FROM audit_event") == 2


async def test_saying_that_events_expire_does_not_help_it(lesser: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        async with lesser.transaction() as connection:
            await connection.execute("SET LOCAL isp.expiring = 'on'")
            await connection.execute("DELETE FROM audit_event")


async def test_it_can_seal(lesser: Database) -> None:
    assert await seal(lesser) == 2


async def test_the_running_service_is_that_role(dsn: str, database: Database) -> None:
    async with serving(dsn) as service:
        pool: Database = service.app.state.engine.database
        assert await pool.fetchval("SELECT current_user::text") == ROLE
        async with pool.transaction() as connection:
            assert await connection.fetchval("SELECT current_user::text") == ROLE
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("DELETE FROM audit_event")


async def test_a_login_of_the_role_itself_serves_too(dsn: str, database: Database) -> None:
    own = dsn.replace("//isp@", f"//{ROLE}@")
    assert await migrate(own) is False
    async with serving(own) as service:
        assert isinstance(service, Service)
        operator = await service.as_("operator")
        assert (await operator.get("/Patient")).status_code == 200
        pool: Database = service.app.state.engine.database
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("SET ROLE isp")


async def test_what_was_granted_by_hand_is_taken_back(dsn: str, database: Database) -> None:
    connection = await asyncpg.connect(dsn)
    assert await is_established(connection)
    await connection.execute(f"GRANT DELETE ON audit_event TO {ROLE}")
    await connection.execute(f"REVOKE SELECT ON resource FROM {ROLE}")
    assert len(await missing(connection)) == 2
    assert await migrate(dsn) is False
    assert await is_established(connection)
    await connection.close()


async def test_who_may_not_set_it_up_says_what_to_do(dsn: str, database: Database) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"SET ROLE {ROLE}")
    with pytest.raises(NotOwner, match="isp migrate"):
        await establish(connection, "isp_other")
    await connection.close()


async def test_who_may_not_migrate_says_what_to_do(dsn: str, database: Database) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("UPDATE alembic_version SET version_num = '0001'")
    try:
        with pytest.raises(NotOwner, match="isp migrate"):
            await migrate(dsn.replace("//isp@", f"//{ROLE}@"))
    finally:
        await connection.execute("UPDATE alembic_version SET version_num = $1", HEAD)
        await connection.close()


async def test_another_role_can_be_named(dsn: str, database: Database) -> None:
    connection = await asyncpg.connect(dsn)
    await migrate(dsn, role="isp_second")
    assert await is_established(connection, "isp_second")
    await connection.execute("DROP OWNED BY isp_second; DROP ROLE isp_second")
    await connection.close()


async def test_an_owner_who_is_no_superuser_sets_it_up_too(dsn: str, server: str) -> None:
    """As on a managed PostgreSQL: may create roles, owns the database."""
    admin = await asyncpg.connect(server)
    await admin.execute("CREATE ROLE keeper LOGIN CREATEROLE")
    await admin.execute("CREATE DATABASE kept OWNER keeper")
    own = named(server, "kept").replace("//isp@", "//keeper@")
    assert await migrate(own, role="isp_kept") is True
    async with serving(own, database_role="isp_kept") as service:
        operator = await service.as_("operator")
        assert (await operator.get("/Patient")).status_code == 200
        pool: Database = service.app.state.engine.database
        assert await pool.fetchval("SELECT current_user::text") == "isp_kept"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("DELETE FROM audit_event")
    await admin.execute("DROP DATABASE kept WITH (FORCE)")
    await admin.execute("DROP ROLE isp_kept; DROP ROLE keeper")
    await admin.close()


def test_every_table_that_is_named_exists() -> None:
    assert set(PRIVILEGES) - set(Resource.metadata.tables) == {"alembic_version"}
