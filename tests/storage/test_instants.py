"""write_instant() and history_horizon(): who polls for changes never misses one."""

import asyncio
from datetime import UTC, datetime, timedelta

from app.storage.database import Connection, Database

MILLISECOND = timedelta(milliseconds=1)


async def write(connection: Connection, rid: int) -> datetime:
    instant: datetime = await connection.fetchval("SELECT write_instant()")
    await connection.execute(
        "INSERT INTO resource_version (rid, version, type, last_updated, method, confidentiality)"
        " VALUES ($1, 1, 'Goal', $2, 'PUT', 3)",
        rid,
        instant,
    )
    return instant


async def test_a_write_in_flight_holds_the_horizon_back(database: Database) -> None:
    async with database.transaction() as connection:
        instant = await write(connection, 1)
        await asyncio.sleep(0.02)
        assert await database.fetchval("SELECT history_horizon()") <= instant
    assert await database.fetchval("SELECT history_horizon()") > instant


async def test_a_rolled_back_write_does_not_hold_it_back(database: Database) -> None:
    async with database.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        instant = await write(connection, 1)
        await transaction.rollback()
    await asyncio.sleep(0.002)
    assert await database.fetchval("SELECT history_horizon()") >= instant


async def test_without_writes_the_horizon_is_now(database: Database) -> None:
    before = await database.fetchval("SELECT clock_timestamp()")
    horizon = await database.fetchval("SELECT history_horizon()")
    assert before - 2 * MILLISECOND <= horizon <= datetime.now(UTC)
    assert horizon.microsecond % 1000 == 0


async def test_the_locks_of_others_do_not_hold_it_back(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock_shared(1, 1)")
        await connection.execute("SELECT pg_advisory_xact_lock(1)")
        before = await database.fetchval("SELECT clock_timestamp()")
        assert await database.fetchval("SELECT history_horizon()") >= before - 2 * MILLISECOND


async def test_a_poller_misses_no_write(database: Database) -> None:
    """Windows [since, horizon] laid end to end hold all writes, however long each took."""
    done = asyncio.Event()

    async def writer(number: int) -> None:
        for step in range(20):
            async with database.transaction() as connection:
                await write(connection, number * 100 + step)
                await asyncio.sleep((number * 7 + step * 3) % 5 / 1000)

    async def poll() -> set[int]:
        seen: set[int] = set()
        since = datetime(2000, 1, 1, tzinfo=UTC)
        while True:
            is_last = done.is_set()
            if is_last:
                await asyncio.sleep(0.005)
            horizon = await database.fetchval("SELECT history_horizon()")
            rows = await database.fetch(
                "SELECT rid FROM resource_version WHERE last_updated >= $1 AND last_updated <= $2",
                since,
                horizon,
            )
            seen |= {row["rid"] for row in rows}
            since = max(since, horizon)
            if is_last:
                return seen

    poller = asyncio.create_task(poll())
    await asyncio.gather(*(writer(number) for number in range(6)))
    done.set()
    seen = await poller
    assert seen == {number * 100 + step for number in range(6) for step in range(20)}
