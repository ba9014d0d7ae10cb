"""A Database whose work is part of somebody else's transaction."""

import asyncpg
import pytest

from app.storage.database import Database
from app.storage.joined import Joined

ADD = "INSERT INTO shared_secret (name, value) VALUES ($1, 'x')"
NAMES = "SELECT array_agg(name::text ORDER BY name) FROM shared_secret"


async def test_what_is_written_is_there_when_the_outer_transaction_commits(
    database: Database,
) -> None:
    async with database.transaction() as connection:
        joined = Joined(connection, database)
        async with joined.transaction() as inner:
            await inner.execute(ADD, "a")
        assert await joined.fetchval(NAMES) == ["a"]
        assert await database.fetchval(NAMES) is None
    assert await database.fetchval(NAMES) == ["a"]


async def test_a_part_that_fails_takes_only_itself_back(database: Database) -> None:
    async with database.transaction() as connection:
        joined = Joined(connection, database)
        await joined.execute(ADD, "a")
        with pytest.raises(asyncpg.UniqueViolationError):
            await joined.execute(ADD, "a")
        with pytest.raises(ZeroDivisionError):
            async with joined.transaction() as inner:
                await inner.execute(ADD, "b")
                raise ZeroDivisionError
        assert [row["name"] for row in await joined.search("SELECT name FROM shared_secret")] == [
            "a"
        ]
        await joined.close()
        assert await joined.next_rid() > 0
        await joined.execute(ADD, "c")
    assert await database.fetchval(NAMES) == ["a", "c"]
