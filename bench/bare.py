"""The bare ceiling: the same row by key, sent as it is stored, with nothing between but ASGI.

No routing, token, access, audit or validation. Started with uvicorn and uvloop like the service:
`uvicorn bench.bare:app`, the connection URI in BENCH_DATABASE_URL.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

Message = dict[str, Any]
SQL = "SELECT version, last_updated, deleted, body FROM resource WHERE type = $1 AND id = $2"
HEAD = [(b"content-type", b"application/fhir+json"), (b"cache-control", b"no-store")]


async def _keep(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """No reset query when a connection goes back to the pool, as in the service."""


class Bare:
    """An ASGI application that answers GET …/Type/id."""

    def __init__(self) -> None:
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        _, type_, id_ = scope["path"].rsplit("/", 2)
        row = await self.row(type_, id_)
        status, body = (404, b"") if row is None else (200, row["body"].encode())
        headers = [*HEAD, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def row(self, type_: str, id_: str) -> Any:
        """What is stored of a resource, None if nothing is."""
        assert self._pool is not None
        return await self._pool.fetchrow(SQL, type_, id_)

    async def open(self, url: str) -> None:
        """Connect."""
        self._pool = await asyncpg.create_pool(url, min_size=10, max_size=10, reset=_keep)

    async def close(self) -> None:
        """Disconnect."""
        assert self._pool is not None
        await self._pool.close()

    async def _live(
        self,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        await receive()
        await self.open(os.environ["BENCH_DATABASE_URL"])
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})


app = Bare()
