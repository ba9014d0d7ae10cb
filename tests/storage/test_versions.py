"""Many versions are written in parts, all in one transaction or none of them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from asyncpg import UniqueViolationError

from app.storage.database import Database
from app.storage.versions import Head, Part, write_parts

HEAD = Head(1, "Goal", "g1", 1, datetime(2026, 1, 1, tzinfo=UTC), "POST", None, None, (), 0, "{}")
COUNT = "SELECT count(*) FROM resource"


def part(*numbers: int, id_: str = "") -> Part:
    return Part([HEAD._replace(rid=n, id=id_ or f"g{n}") for n in numbers], {})


async def test_all_parts_are_written(database: Database) -> None:
    async with database.transaction() as connection:
        stamps = await write_parts(connection, iter([part(1, 2), part(3), part(4, 5)]))
    assert len(stamps) == 1
    assert await database.fetchval(COUNT) == 5


async def test_nothing_stays_of_parts_of_which_one_is_refused(database: Database) -> None:
    with pytest.raises(UniqueViolationError):
        async with database.transaction() as connection:
            await write_parts(connection, iter([part(1), part(2, id_="g1"), part(3)]))
    assert await database.fetchval(COUNT) == 0


async def test_what_is_being_written_ends_when_the_next_part_cannot_be_made(
    database: Database,
) -> None:
    def failing() -> Iterator[Part]:
        yield part(1)
        raise LookupError

    with pytest.raises(LookupError):
        async with database.transaction() as connection:
            await write_parts(connection, failing())
    assert await database.fetchval(COUNT) == 0
    async with database.transaction() as connection:
        await write_parts(connection, iter([part(1)]))
    assert await database.fetchval(COUNT) == 1
