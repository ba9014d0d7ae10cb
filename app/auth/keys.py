"""The keys that sign access tokens: made once, shared through the database, rotated with overlap.

ES256, because signing takes 36 µs where RS256 takes 267 µs (docs/decisions/0004-tokens.md).
"""

import json
import time

from app.auth import jose
from app.storage.database import Connection, Database

ALGORITHM = "ES256"
OVERLAP = 3_600
"""Seconds a replaced key still verifies: as long as any token it signed may live."""

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
        self._loaded = float("-inf")

    def forget(self) -> None:
        """Read the keys again before their next use."""
        self._keys = ()

    async def signing(self) -> jose.Claims:
        """The private key to sign with: the newest. The very first is made here."""
        if not self._keys:
            await self._load()
        if not self._keys:
            await create_first(self._database)
            await self._load()
        return self._keys[0]

    async def verification(self, kid: str) -> tuple[jose.Claims, ...]:
        """The keys a token may be verified with, looked up again when none has this kid."""
        known = any(key["kid"] == kid for key in self._keys)
        if not known and (not self._keys or time.monotonic() - self._loaded > RELOAD_INTERVAL):
            await self._load()
        return self._keys

    async def public(self) -> dict[str, list[jose.Claims]]:
        """The JSON Web Key Set of the server. https://www.rfc-editor.org/rfc/rfc7517#section-5"""
        await self.signing()
        return {"keys": [jose.public(key) for key in self._keys]}

    async def _load(self) -> None:
        rows = await self._database.fetch("SELECT jwk FROM signing_key ORDER BY created DESC, kid")
        self._keys = tuple(json.loads(row["jwk"]) for row in rows)
        self._loaded = time.monotonic()


async def create_first(database: Database) -> None:
    """Make the first key, once, however many workers start together."""
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", *LOCK)
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM signing_key)"):
            await _insert(connection)


async def rotate(database: Database, *, compromised: bool = False) -> str:
    """Sign with a new key from now on; answers its kid.

    Replaced keys verify for another hour, unless they are compromised: then every token they signed
    ends now.
    """
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", *LOCK)
        kid = await _insert(connection)
        await connection.execute(
            "DELETE FROM signing_key AS old WHERE kid <> $1 AND ($2 OR EXISTS ("
            " SELECT FROM signing_key AS successor WHERE successor.created > old.created"
            " AND successor.created < clock_timestamp() - make_interval(secs => $3)))",
            kid,
            compromised,
            OVERLAP,
        )
        await connection.execute("SELECT pg_notify($1, 'keys')", CHANNEL)
    return kid


async def _insert(connection: Connection) -> str:
    jwk = jose.generate(ALGORITHM)
    await connection.execute(
        "INSERT INTO signing_key (kid, alg, jwk, created) VALUES ($1, $2, $3, clock_timestamp())",
        jwk["kid"],
        ALGORITHM,
        json.dumps(jwk),
    )
    return str(jwk["kid"])
