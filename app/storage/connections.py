"""Connections: a pool, and in front of it the connections that nobody needs right now.

Giving one back to asyncpg's pool and taking it out again makes a task, three futures and a turn of
the event loop: more than all the rest of a read by key.
"""

from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from asyncpg import Record
    from asyncpg.pool import Pool, PoolConnectionProxy


class Connections:
    """The connections of a pool, for one event loop.

    A connection goes back to the pool if it was lost, if it failed, or if somebody waits for one.
    """

    __slots__ = ("_at_hand", "_is_closing", "_pool", "_waiting")

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool
        self._at_hand: list[PoolConnectionProxy[Record]] = []
        self._waiting = 0
        self._is_closing = False

    @property
    def size(self) -> int:
        """How many there are at most."""
        return self._pool.get_max_size()

    async def take(self) -> "PoolConnectionProxy[Record]":
        """One that is open. Raises what asyncpg raises when there is none to be had."""
        while self._at_hand:
            connection = self._at_hand.pop()
            if not is_closed(connection):
                return connection
            await self._pool.release(connection)
        self._waiting += 1
        try:
            return await self._pool.acquire()
        finally:
            self._waiting -= 1

    def keep(self, connection: "PoolConnectionProxy[Record]") -> bool:
        """Hold it ready for whoever takes one next; False where it has to be released instead."""
        if self._waiting or self._is_closing or _is_in_use(connection):
            return False
        self._at_hand.append(connection)
        return True

    async def release(self, connection: "PoolConnectionProxy[Record]") -> None:
        """Back to the pool, which rolls back what was left open, or replaces what was lost."""
        await self._pool.release(connection)

    async def close(self) -> None:
        """Close each once it is given back."""
        self._is_closing = True
        while self._at_hand:
            await self._pool.release(self._at_hand.pop())
        await self._pool.close()

    def terminate(self) -> None:
        """Close all of them now, whatever they do."""
        self._pool.terminate()


def is_closed(connection: "PoolConnectionProxy[Record]") -> bool:
    """Whether a connection was lost: asyncpg may have taken it out of its pool already."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


def _is_in_use(connection: "PoolConnectionProxy[Record]") -> bool:
    """Whether a transaction was left open, or the connection was taken out of the pool."""
    try:
        return connection.is_in_transaction()
    except asyncpg.InterfaceError:
        return True
