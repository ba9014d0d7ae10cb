"""The keys that sign: made once, shared through the database, rotated with overlap.

ES256 for access tokens, because signing takes 36 µs where RS256 takes 267 µs
(docs/decisions/0004-tokens.md); RS256 for id tokens, because OpenID Connect demands it.
"""

import asyncio
import json
import time

from app.auth import jose
from app.storage.database import Connection, Database

ALGORITHM = "ES256"
ID_TOKEN_ALGORITHM = "RS256"
"""https://openid.net/specs/openid-connect-core-1_0.html#IDToken; SMART demands it of servers."""

MADE = (ALGORITHM, ID_TOKEN_ALGORITHM)
OVERLAP = 3_600
"""Seconds a replaced key still verifies: as long as any token it signed may live."""

PUBLISHED_AGE = 300
"""Seconds the published key set may be cached; apps know a new key only afterwards."""

CHANNEL = "auth"
"""Where workers tell each other: `keys`, or `<jti> <expires>` of a revoked token."""

RELOAD_INTERVAL = 1.0
LOCK = (1_230_192_205, 3)
"""Advisory lock held while keys change; (…, 1) is the migrations'."""


class Keys:
    """The signing keys as this worker knows them; a kid it does not know makes it look again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: tuple[jose.Claims, ...] = ()
        self._created: dict[str, float] = {}
        self._loaded = float("-inf")

    def forget(self) -> None:
        """Read the keys again before their next use."""
        self._keys = ()

    async def signing(self) -> jose.Claims:
        """The private key to sign access tokens with: the newest. The very first is made here."""
        return (await self._of(ALGORITHM))[0]

    async def id_token_signing(self) -> jose.Claims:
        """The private key to sign id tokens with: the newest that every app can know by now."""
        keys, known = await self._of(ID_TOKEN_ALGORITHM), time.time() - PUBLISHED_AGE
        return next((key for key in keys if self._created[key["kid"]] <= known), keys[-1])

    async def verification(self, kid: str) -> tuple[jose.Claims, ...]:
        """The keys a token may be verified with, looked up again when none has this kid."""
        known = any(key["kid"] == kid for key in self._keys)
        if not known and (not self._keys or time.monotonic() - self._loaded > RELOAD_INTERVAL):
            await self._load()
        return self._keys

    async def public(self) -> dict[str, list[jose.Claims]]:
        """The JSON Web Key Set of the server. https://www.rfc-editor.org/rfc/rfc7517#section-5"""
        for name in MADE:
            await self._of(name)
        return {"keys": [jose.public(key) for key in self._keys]}

    async def _of(self, name: str) -> list[jose.Claims]:
        """The keys of an algorithm, the newest first; at least one."""
        if not self._has(name):
            await self._load()
        if not self._has(name):
            await create_first(self._database, name)
            await self._load()
        return [key for key in self._keys if key["alg"] == name]

    def _has(self, name: str) -> bool:
        return any(key["alg"] == name for key in self._keys)

    async def _load(self) -> None:
        rows = await self._database.fetch(
            "SELECT jwk, extract(epoch FROM created)::float8 AS created FROM signing_key"
            " ORDER BY created DESC, kid"
        )
        self._keys = tuple(json.loads(row["jwk"]) for row in rows)
        self._created = {
            key["kid"]: row["created"] for key, row in zip(self._keys, rows, strict=True)
        }
        self._loaded = time.monotonic()


async def create_first(database: Database, name: str = ALGORITHM) -> None:
    """Make the first key of an algorithm, once, however many workers start together."""
    jwk = await asyncio.to_thread(jose.generate, name)
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", *LOCK)
        sql = "SELECT EXISTS (SELECT FROM signing_key WHERE alg = $1)"
        if not await connection.fetchval(sql, name):
            await _insert(connection, jwk)


async def rotate(database: Database, *, compromised: bool = False) -> str:
    """Sign with new keys from now on; answers the kid of the one for access tokens.

    Replaced keys verify for another hour, unless they are compromised: then every token they signed
    ends now.
    """
    # Last what is answered, so that it is the first of the published set.
    made = [await asyncio.to_thread(jose.generate, name) for name in reversed(MADE)]
    kids = [jwk["kid"] for jwk in made]
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", *LOCK)
        for jwk in made:
            await _insert(connection, jwk)
        await connection.execute(
            "DELETE FROM signing_key AS old WHERE kid <> ALL ($1) AND ($2 OR EXISTS ("
            " SELECT FROM signing_key AS successor WHERE successor.alg = old.alg"
            " AND successor.created > old.created"
            " AND successor.created < clock_timestamp() - make_interval(secs => $3)))",
            kids,
            compromised,
            OVERLAP,
        )
        await connection.execute("SELECT pg_notify($1, 'keys')", CHANNEL)
    return str(kids[-1])


async def _insert(connection: Connection, jwk: jose.Claims) -> None:
    await connection.execute(
        "INSERT INTO signing_key (kid, alg, jwk, created) VALUES ($1, $2, $3, clock_timestamp())",
        jwk["kid"],
        jwk["alg"],
        json.dumps(jwk),
    )
