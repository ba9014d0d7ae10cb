"""The statements of the labelling job: where it is, the next rows, and labels that are added."""

from collections.abc import Sequence
from typing import Any

from app.storage.database import Connection
from app.storage.versions import Row

BEGIN = "INSERT INTO labelling (digest) VALUES ($1) ON CONFLICT DO NOTHING"
STANDING = "SELECT after_rid FROM labelling WHERE digest = $1 AND done IS NULL FOR UPDATE"
BATCH = """
SELECT rid, type, body, confidentiality, labels, seals FROM resource
WHERE rid > $1 AND NOT deleted ORDER BY rid LIMIT $2 FOR UPDATE
"""
RAISE = "UPDATE resource SET confidentiality = $2, labels = $3, seals = $4 WHERE rid = $1"
REACHED = "UPDATE labelling SET after_rid = $2 WHERE digest = $1"
DONE = "UPDATE labelling SET done = now() WHERE digest = $1"


async def standing(connection: Connection, digest: str) -> int | None:
    """The row up to which these rules were asked, None when all were; locked."""
    await connection.execute(BEGIN, digest)
    after: int | None = await connection.fetchval(STANDING, digest)
    return after


async def batch(connection: Connection, after: int, limit: int) -> list[Any]:
    """The next current versions; locked."""
    return await connection.fetch(BATCH, after, limit)


async def raised(
    connection: Connection, digest: str, rows: Sequence[Row], reached: int | None
) -> None:
    """Write these labels, as (rid, confidentiality, labels, seals), and how far it came; None at
    the end."""
    await connection.executemany(RAISE, rows)
    if reached is None:
        await connection.execute(DONE, digest)
    else:
        await connection.execute(REACHED, digest, reached)
