"""Joined: a Database all of whose work is part of one transaction that somebody else began.

What is written through it is there when that transaction commits, and not before.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asyncpg import Record

from app.storage.database import Connection, Database, Held

PLANNED = "SELECT set_config('plan_cache_mode', $1, true)"


class Joined(Database):
    """Statements and transactions become savepoints of the transaction on this connection.

    One at a time: a connection does one thing. `database` hands out the row numbers.
    """

    def __init__(self, connection: Connection, database: Database) -> None:
        self._connection = connection
        self._database = database

    async def close(self) -> None:
        """Whoever began the transaction ends it."""

    def acquire(self) -> Held:
        return _Part(self._connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._connection.transaction():
            yield self._connection

    async def search(self, sql: str, *args: Any) -> list[Record]:
        async with self.acquire() as connection:
            await connection.fetchval(PLANNED, "force_custom_plan")
            found = await connection.fetch(sql, *args)
            await connection.fetchval(PLANNED, "force_generic_plan")
            return found

    async def together(self, sql: str, *args: Any) -> list[Record]:
        return await self.fetch(sql, *args)

    async def next_rid(self) -> int:
        return await self._database.next_rid()


class _Part(Held):
    """A savepoint for the length of an `async with`."""

    __slots__ = ("_savepoint",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._savepoint = connection.transaction()

    async def __aenter__(self) -> Connection:
        await self._savepoint.start()
        return self._connection

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        await (self._savepoint.commit() if error is None else self._savepoint.rollback())
