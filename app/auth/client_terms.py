"""How long a client's secret counts, the overlap when it is rotated, and what needs attention."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from app.auth.external_token import is_name
from app.auth.issuers import Issuers
from app.auth.passwords import hash_password
from app.storage.database import Database

WARNED = 30
"""Days before a secret expires in which its operator is warned."""

OVERLAP = 24
"""Hours that the secret before counts beside the new one, unless said otherwise."""


class NoSecret(LookupError):
    """There is no such client, or it has no secret."""


@dataclass(frozen=True, slots=True)
class Expiring:
    """A client whose secret ends soon or has ended."""

    client_id: str
    expires: datetime

    def told(self, now: datetime) -> str:
        """What its operator is told."""
        ends = "has expired" if self.expires <= now else f"expires on {self.expires:%Y-%m-%d}"
        return f"its secret {ends}: isp client rotate-secret {self.client_id}"


async def rotate_secret(
    database: Database, client_id: str, overlap: int = OVERLAP, lifetime: int | None = None
) -> str:
    """Give a client another secret, shown this once; only the tables' owner may.

    The one before counts for `overlap` hours more, and never longer than it would have; the new one
    for `lifetime` days, or until it is rotated. Raises NoSecret.
    """
    secret = secrets.token_urlsafe(32)
    hash_ = await hash_password(secret)
    async with database.transaction() as connection:
        sql = "SELECT secret_hash FROM client WHERE id = $1 FOR UPDATE"
        before = await connection.fetchval(sql, client_id)
        if before is None:
            raise NoSecret("no client with a secret has this client_id")
        await connection.execute(
            "UPDATE client SET secret_hash = $2 WHERE id = $1", client_id, hash_
        )
        await connection.execute(
            "INSERT INTO client_terms AS t"
            " (client_id, secret_expires, previous_secret_hash, previous_expires)"
            " VALUES ($1, now() + make_interval(days => $2), $3,"
            " now() + make_interval(hours => $4))"
            " ON CONFLICT (client_id) DO UPDATE SET secret_expires = excluded.secret_expires,"
            " previous_secret_hash = excluded.previous_secret_hash,"
            " previous_expires = least(t.secret_expires, excluded.previous_expires)",
            client_id,
            lifetime,
            before,
            overlap,
        )
    return secret


async def limit_rate(
    database: Database, client_id: str, per_minute: int | None, issuers: Issuers | None = None
) -> None:
    """Set how many requests a client may make in a minute; None for any number.

    One of another issuer that is trusted is named issuer#client. Raises LookupError for an unknown
    client.
    """
    issuer, _, elsewhere = client_id.partition("#")
    is_trusted = issuers is not None and issuers.find(issuer) is not None
    row = await database.fetchrow(
        "INSERT INTO client_terms (client_id, requests_per_minute)"
        " SELECT $1, $2 WHERE $3 OR EXISTS (SELECT FROM client WHERE id = $1)"
        " ON CONFLICT (client_id)"
        " DO UPDATE SET requests_per_minute = excluded.requests_per_minute RETURNING client_id",
        client_id,
        per_minute,
        is_trusted and is_name(elsewhere),
    )
    if row is None:
        raise LookupError("no client has this client_id")


async def expiring(database: Database) -> list[Expiring]:
    """The clients whose secret ends within WARNED days or has ended, the first to end first."""
    rows = await database.fetch(
        "SELECT t.client_id, t.secret_expires AS expires FROM client_terms AS t"
        " JOIN client AS c ON c.id = t.client_id"
        " WHERE t.secret_expires < now() + make_interval(days => $1) ORDER BY expires, client_id",
        WARNED,
    )
    return [Expiring(**dict(row)) for row in rows]


async def exposition(database: Database) -> bytes:
    """Seconds until each secret ends that ends soon, in the text format of Prometheus."""
    registry, now = CollectorRegistry(), datetime.now(UTC)
    text = "Until a client's secret expires; only those that do within 30 days."
    gauge = Gauge("isp_client_secret_expiry_seconds", text, ["client_id"], registry=registry)
    for one in await expiring(database):
        gauge.labels(one.client_id).set((one.expires - now).total_seconds())
    return generate_latest(registry)
