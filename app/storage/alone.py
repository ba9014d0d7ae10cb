"""One process at a time: a lock that a connection of its own holds until it is closed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg


@asynccontextmanager
async def alone(
    dsn: str, key: tuple[int, int]
) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record] | None]":
    """The connection that holds the lock, None where another process has it.

    Whoever holds the lock keeps it as long as the connection lives. Raises OSError and
    asyncpg.PostgresError where the database is away.
    """
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        is_mine = await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", *key)
        yield connection if is_mine else None
    finally:
        await connection.close()
