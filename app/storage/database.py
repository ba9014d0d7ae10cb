"""The pool of connections to PostgreSQL: statements, transactions, row numbers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Self

import asyncpg
from asyncpg import Record
from asyncpg.pool import Pool, PoolConnectionProxy

if TYPE_CHECKING:
    Connection = PoolConnectionProxy[Record]
else:  # asyncpg's classes are generic to the type checker only
    Connection = PoolConnectionProxy

RID_BLOCK = 100
"""Row numbers that one nextval('resource_rid') hands out: the INCREMENT of that sequence."""

CONNECT_TIMEOUT = 5.0

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidCatalogNameError,
)


class DatabaseAway(Exception):
    """The database cannot be reached, is starting or is going down; a later call may succeed."""


class Database:
    """One worker's connections; it reconnects by itself after the database was away."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool
        self._rids: deque[int] = deque()

    @classmethod
    async def open(cls, dsn: str, size: int = 10, *, statement_timeout: int = 30) -> Self:
        """Make the pool. It connects with the first statement, so the database may be away now."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=size,
            max_queries=10_000_000,
            max_inactive_connection_lifetime=0,
            timeout=CONNECT_TIMEOUT,
            reset=_keep_as_is,
            statement_cache_size=500,
            max_cached_statement_lifetime=0,
            server_settings={
                "application_name": "isp",
                "timezone": "UTC",
                # Compiling a statement of one millisecond costs tens of them.
                "jit": "off",
                "statement_timeout": f"{statement_timeout}s",
                "idle_in_transaction_session_timeout": "60s",
            },
        )
        return cls(pool)

    async def close(self) -> None:
        """Close every connection once it is idle; the ones still busy after 5 s are cut."""
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """A connection outside of any transaction. Raises DatabaseAway."""
        with _translated():
            connection = await self._pool.acquire()
        try:
            with _translated(connection):
                yield connection
        finally:
            with _translated():
                await self._pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a READ COMMITTED transaction: committed at the end, rolled back on error.

        Raises DatabaseAway; then a COMMIT may or may not have happened. Retrying is the caller's.
        """
        async with self.acquire() as connection, connection.transaction():
            yield connection

    async def fetch(self, sql: str, *args: Any) -> list[Record]:
        """All rows of one statement in its own transaction. Raises DatabaseAway."""
        async with self.acquire() as connection:
            return await connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Record | None:
        """The first row of one statement, None without any. Raises DatabaseAway."""
        async with self.acquire() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, None without any. Raises DatabaseAway."""
        async with self.acquire() as connection:
            return await connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        """Run one statement; its command tag ("UPDATE 1"). Raises DatabaseAway."""
        async with self.acquire() as connection:
            return await connection.execute(sql, *args)

    async def next_rid(self) -> int:
        """A row number nobody else has or had; one round trip in a hundred.

        Ask before a transaction is opened: with all connections busy, asking within would wait for
        one that never comes.
        """
        while not self._rids:
            start = await self.fetchval("SELECT nextval('resource_rid')")
            self._rids.extend(range(start, start + RID_BLOCK))
        return self._rids.popleft()


async def _keep_as_is(connection: "asyncpg.Connection[Record]") -> None:
    """Instead of the reset when a connection goes back to the pool: it costs a read a round trip.

    In return nobody may leave session state behind: no SET without LOCAL, no session advisory lock.
    A transaction left open is rolled back all the same.
    """


@contextmanager
def _translated(connection: Connection | None = None) -> Iterator[None]:
    """Turn a lost connection into DatabaseAway; let everything else pass."""
    try:
        yield
    except LOST as error:
        raise DatabaseAway(type(error).__name__) from error
    except (OSError, asyncpg.InterfaceError) as error:
        # The caller's own OSError, or a wrong call, which asyncpg reports like a closed connection.
        if connection is not None and not connection.is_closed():
            raise
        raise DatabaseAway(type(error).__name__) from error
