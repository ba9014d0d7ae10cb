"""app/storage/database.py: what a caller can rely on, whether the database is there or not."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from app.storage import postmaster
from app.storage.database import RID_BLOCK, Database, DatabaseAway
from app.storage.sql import Arguments


async def test_arguments_become_numbered_placeholders(database: Database) -> None:
    arguments = Arguments(20)
    sql = f"SELECT $1::int + {arguments.add(22, 'int')}"
    assert sql.endswith("$2::int")
    assert await database.fetchval(sql, *arguments.values) == 42


async def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO shared_secret (name, value) VALUES ('a', '')")
            raise ZeroDivisionError
    assert await database.fetchval("SELECT count(*) FROM shared_secret") == 0
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO shared_secret (name, value) VALUES ('a', '')")
    assert await database.fetchval("SELECT count(*) FROM shared_secret") == 1


async def test_row_numbers_are_never_handed_out_twice(dsn: str, database: Database) -> None:
    other = await Database.open(dsn)
    count = 2 * RID_BLOCK + 1
    both = await asyncio.gather(*(each.next_rid() for each in (database, other) * count))
    await other.close()
    assert len(set(both)) == 2 * count


async def test_statements_wait_for_a_free_connection(dsn: str) -> None:
    database = await Database.open(dsn, size=2)
    answers = await asyncio.gather(*(database.fetchval("SELECT $1::int", i) for i in range(50)))
    await database.close()
    assert answers == list(range(50))


async def test_nobody_overtakes_who_waits_for_a_transaction(dsn: str) -> None:
    database = await Database.open(dsn, size=2)  # one of them for transactions
    order: list[str] = []

    async def work(name: str) -> None:
        async with database.transaction() as connection:
            order.append(name)
            await connection.execute("SELECT")

    async with database.transaction():
        waiting = [asyncio.create_task(work(name)) for name in ("first", "second")]
        await asyncio.sleep(0)
    await work("third")
    await asyncio.gather(*waiting)
    await database.close()
    assert order == ["first", "second", "third"]


async def test_an_error_of_the_caller_is_not_the_database_away(database: Database) -> None:
    with pytest.raises(FileNotFoundError):
        async with database.transaction():
            raise FileNotFoundError
    with pytest.raises(asyncpg.InterfaceError):
        await database.fetch("SELECT $1::int")
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.fetch("SELECT * FROM nothing_of_the_kind")


async def test_a_database_that_was_never_there_is_away(tmp_path: Path) -> None:
    database = await Database.open(f"postgresql://isp@/postgres?host={tmp_path}")
    with pytest.raises(DatabaseAway):
        await database.fetchval("SELECT 1")
    await database.close()


async def test_it_recovers_when_the_database_comes_back(tmp_path: Path) -> None:
    server = postmaster.locate(tmp_path)
    postmaster.start(server, {"shared_buffers": "16MB"})
    database = await Database.open(server.dsn, size=2)
    assert await database.fetchval("SELECT 1") == 1
    postmaster.stop(server)
    for _ in range(3):
        with pytest.raises(DatabaseAway):
            await database.fetchval("SELECT 1")
    postmaster.start(server, {"shared_buffers": "16MB"})
    assert await database.fetchval("SELECT 2") == 2
    await database.close()
    postmaster.stop(server)


async def test_a_backend_that_is_terminated_is_replaced(database: Database) -> None:
    with pytest.raises(DatabaseAway):
        await database.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert await database.fetchval("SELECT 1") == 1


async def test_a_transaction_left_open_does_not_leak_into_the_next_use(dsn: str) -> None:
    database = await Database.open(dsn, size=2)
    async with database.acquire() as connection:
        await connection.execute("BEGIN")
    async with database.acquire() as connection:
        assert not connection.is_in_transaction()
    await database.close()


PID = "SELECT pg_backend_pid()"


async def test_who_comes_next_has_the_connection_that_was_used_last(database: Database) -> None:
    assert await database.fetchval(PID) == await database.fetchval(PID)


async def test_a_connection_that_is_lost_while_nobody_needs_it_is_replaced(
    database: Database,
) -> None:
    async with database.transaction() as other:
        lost = await database.fetchval(PID)
        await other.execute("SELECT pg_terminate_backend($1, 5000)", lost)
    await asyncio.sleep(0.05)  # until the driver has heard of it
    assert await database.fetchval(PID) != lost


async def test_a_caller_who_gives_up_leaves_a_connection_that_works(dsn: str) -> None:
    database = await Database.open(dsn, size=2)
    waits = asyncio.create_task(database.fetchval("SELECT pg_sleep(60)"))
    await asyncio.sleep(0.1)
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)
    both = await asyncio.gather(*(database.fetchval("SELECT $1::int", at) for at in range(4)))
    await database.close()
    assert both == [0, 1, 2, 3]


async def test_closing_ends_the_connections_that_nobody_needs(dsn: str) -> None:
    database, other = await Database.open(dsn), await Database.open(dsn)
    await asyncio.gather(*(database.fetchval(PID) for _ in range(3)))
    async with database.transaction() as connection:
        used = await connection.fetchval(PID)
    await database.close()
    gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"
    async with asyncio.timeout(5):
        while not await other.fetchval(gone, used):
            await asyncio.sleep(0.01)
    with pytest.raises(DatabaseAway):
        await database.fetchval(PID)
    await other.close()


async def test_closing_waits_for_a_statement_and_no_longer(dsn: str) -> None:
    database = await Database.open(dsn)
    slow = asyncio.create_task(database.fetchval("SELECT pg_sleep(0.3)::text"))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(4):  # of what stays in use the rest is cut after five
        await database.close()
    assert await slow == ""
