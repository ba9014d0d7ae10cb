"""The pool of connections to PostgreSQL: statements, transactions, row numbers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import asyncpg
from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from app.storage.connections import Connections, is_closed
from app.storage.together import Together, Types, Values

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


BROKEN = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises on a connection that broke, but for other reasons too."""


class DatabaseAway(Exception):
    """The database cannot be reached, is starting or is going down; a later call may succeed."""


class Database:
    """One worker's connections; it reconnects by itself after the database was away.

    Three pools: of readers and of writers (transactions), whose statements find rows by key, so
    that one plan serves every set of values; and of searchers, whose statements are planned for the
    values they have, which costs more than most of them do.
    """

    def __init__(self, readers: Connections, writers: Connections, searchers: Connections) -> None:
        self._readers = readers
        self._writers = writers
        self._writing = asyncio.Semaphore(writers.size)
        self._searchers = searchers
        self._rids: deque[int] = deque()
        self._together = Together(self._read, self._parameters)

    @classmethod
    async def open(
        cls, dsn: str, size: int = 12, *, statement_timeout: int = 30, role: str = ""
    ) -> Self:
        """Make the pools, of `size` connections together, that work as `role` where one is named.

        Four at least, for one reader listens all the time.

        They connect with the first statement, so the database may be away now.
        """
        session = {"statement_timeout": f"{statement_timeout}s"} | ({"role": role} if role else {})
        generic = {**session, "plan_cache_mode": "force_generic_plan"}
        writers, searchers = max(1, size // 3), max(1, size // 6)
        return cls(
            await _pool(dsn, max(2, size - writers - searchers), generic),
            await _pool(dsn, writers, generic),
            await _pool(dsn, searchers, session),
        )

    async def close(self) -> None:
        """Close every connection once it is idle; the ones still busy after 5 s are cut."""
        for pool in (self._readers, self._writers, self._searchers):
            try:
                async with asyncio.timeout(5):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    def acquire(self) -> "Held":
        """A connection outside of any transaction, for `async with`. Raises DatabaseAway."""
        return Held(self._readers)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a READ COMMITTED transaction: committed at the end, rolled back on error.

        Raises DatabaseAway; then a COMMIT may or may not have happened. Retrying is the caller's.
        """
        # In the order of asking: the pool gives a connection to whoever asks in the moment that it
        # comes back, and sends those who waited for it to the end of the queue.
        async with self._writing, Held(self._writers) as connection, connection.transaction():
            yield connection

    async def fetch(self, sql: str, *args: Any) -> list[Record]:
        """All rows of one statement in its own transaction. Raises DatabaseAway."""
        async with self.acquire() as connection:
            return await connection.fetch(sql, *args)

    async def search(self, sql: str, *args: Any) -> list[Record]:
        """`fetch`, planned for these values: for what may find one row or half of a table."""
        async with Held(self._searchers) as connection:
            return await connection.fetch(sql, *args)

    def together(self, sql: str, *args: Any) -> Awaitable[list[Record]]:
        """`fetch` of a SELECT, answered with others of the same text: for what many ask."""
        return self._together.fetch(sql, args)

    def _read(self, sql: str, args: Values) -> Awaitable[list[Record]]:
        return self.fetch(sql, *args)

    async def _parameters(self, sql: str) -> Types:
        async with self.acquire() as connection:
            return tuple(each.name for each in (await connection.prepare(sql)).get_parameters())

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


async def _pool(dsn: str, size: int, session: Mapping[str, str]) -> Connections:
    pool = await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size,
        max_queries=10_000_000,
        max_inactive_connection_lifetime=0,
        timeout=CONNECT_TIMEOUT,
        reset=_keep_as_is,
        statement_cache_size=200,
        # Whatever its size: to plan a long statement anew each time is what the cache is there for.
        max_cacheable_statement_size=0,
        max_cached_statement_lifetime=0,
        server_settings={
            "application_name": "isp",
            "timezone": "UTC",
            # Compiling a statement of one millisecond costs tens of them.
            "jit": "off",
            "idle_in_transaction_session_timeout": "60s",
            **session,
        },
    )
    return Connections(pool)


async def _keep_as_is(connection: "asyncpg.Connection[Record]") -> None:
    """Instead of the reset when a connection goes back to the pool: it costs a read a round trip.

    In return nobody may leave session state behind: no SET without LOCAL, no session advisory lock.
    A transaction left open is rolled back all the same.
    """


class Held:
    """A connection of a pool for the length of an `async with`; losing it raises DatabaseAway.

    A class, not a generator: this is on the path of every read.
    """

    __slots__ = ("_connection", "_connections")

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def __aenter__(self) -> Connection:
        try:
            self._connection: Connection = await self._connections.take()
        except (*LOST, *BROKEN) as error:
            raise DatabaseAway(type(error).__name__) from error
        return self._connection

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None and self._connections.keep(self._connection):
            return
        is_lost = is_closed(self._connection)
        try:
            await self._connections.release(self._connection)
        except (*LOST, *BROKEN) as failure:
            error, is_lost = error or failure, True
        # An OSError may be the caller's own; asyncpg reports wrong calls like closed connections.
        is_ours = isinstance(error, LOST) or (is_lost and isinstance(error, BROKEN))
        if is_ours:
            raise DatabaseAway(type(error).__name__) from error
