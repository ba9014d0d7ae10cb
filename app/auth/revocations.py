"""Which tokens were revoked, known to every worker within milliseconds and never later than asked.

Each worker listens for revocations on one connection and asks it for a sign of life every second.
While there is none, nothing is believed but the table.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg

from app.auth.keys import CHANNEL
from app.storage.asynchronous import waiting_since
from app.storage.database import Connection, Database, DatabaseAway

HEARTBEAT = 1.0
LEASE = 3.0
"""Seconds the memory is believed after a heartbeat was sent: the next, its wait, and a little."""
SWEEP_EVERY = 60
"""Heartbeats between two removals of what expired."""

SWEPT = (
    "used_assertion",
    "authorization_request",
    "authorization_code",
    "refresh_token",
    "launch_context",
    "external_sign_in",
    "approval",
    "sign_in_session",
    "sign_in_throttle",
    "one_time_link",
    "passkey_challenge",
    "client_usage",
)
"""The tables whose rows go away after `expires`; of revoked_token once nothing waits, too."""

log = logging.getLogger(__name__)


class Revocations:
    """The revoked tokens that have not expired, as this worker knows them.

    `forget` is called whenever the signing keys may have changed unheard.
    """

    def __init__(self, database: Database, forget: Callable[[], None]) -> None:
        self._database = database
        self._forget = forget
        self._revoked: dict[str, int] = {}
        self._believed_until = float("-inf")

    @property
    def is_current(self) -> bool:
        """Whether this worker hears of every revocation."""
        return time.monotonic() < self._believed_until

    async def is_revoked(self, jti: str) -> bool:
        """Whether a token was revoked. Raises DatabaseAway when nobody can tell."""
        if jti in self._revoked:
            return True
        if self.is_current:
            return False
        sql = "SELECT EXISTS (SELECT FROM revoked_token WHERE jti = $1)"
        return bool(await self._database.fetchval(sql, jti))

    async def add(self, jti: str, expires: int) -> None:
        """Revoke a token, on all workers."""
        await self._database.execute(
            "WITH added AS (INSERT INTO revoked_token (jti, expires)"
            " VALUES ($1, to_timestamp($2::bigint)) ON CONFLICT DO NOTHING RETURNING jti)"
            " SELECT pg_notify($3, jti || ' ' || $2::bigint) FROM added",
            jti,
            expires,
            CHANNEL,
        )
        self._revoked[jti] = expires

    async def watch(self) -> None:
        """Listen for as long as the worker lives, again and again when the connection is lost."""
        while True:
            try:
                async with self._database.acquire() as connection:
                    await self._listen(connection)
            except (
                DatabaseAway,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                OSError,
            ) as error:
                log.warning("revocations are read from the table: %s", type(error).__name__)
            self._believed_until = float("-inf")
            await asyncio.sleep(HEARTBEAT)

    async def _listen(self, connection: Connection) -> None:
        await connection.add_listener(CHANNEL, self._hear)
        try:
            # Only now: what is revoked between reading and listening would go unheard.
            await self._load(connection)
            for beat in range(1, 1 << 62):
                await asyncio.sleep(HEARTBEAT)
                await self._renew(connection, "SELECT 1")
                if beat % SWEEP_EVERY == 0:
                    await self._sweep(connection)
        finally:
            # A lost connection has left the pool and answers nothing; its error would take the
            # place of the cancellation that ends `watch`.
            with suppress(asyncpg.InterfaceError):
                await connection.remove_listener(CHANNEL, self._hear)

    async def _load(self, connection: Connection) -> None:
        rows = await self._renew(
            connection,
            "SELECT jti, extract(epoch FROM expires)::bigint AS expires FROM revoked_token"
            " WHERE expires > now()",
        )
        self._revoked |= {row["jti"]: row["expires"] for row in rows}
        self._forget()

    async def _renew(self, connection: Connection, sql: str) -> list[Any]:
        sent = time.monotonic()
        rows = await connection.fetch(sql, timeout=HEARTBEAT)
        self._believed_until = sent + LEASE
        return rows

    async def _sweep(self, connection: Connection) -> None:
        for table in SWEPT:
            await connection.execute(
                f"DELETE FROM {table} WHERE expires < now() - interval '1 min'"
            )
        # What was asked with a token while it was good may wait longer than the token lasts.
        await connection.execute(
            "DELETE FROM revoked_token WHERE expires < $1::timestamptz - interval '1 min'",
            await waiting_since(connection),
        )
        now = time.time()
        self._revoked = {jti: until for jti, until in self._revoked.items() if until > now}

    def _hear(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        jti, _, expires = str(payload).partition(" ")
        if expires:
            self._revoked[jti] = int(expires)
        else:
            self._forget()
