"""Secrets that all workers share and that nobody chose: made once, kept in the database."""

import secrets

from app.storage.database import Database

BYTES = 32


async def shared_secret(database: Database, name: str) -> bytes:
    """The secret of this name; the first to ask makes it."""
    await database.execute(
        "INSERT INTO shared_secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        name,
        secrets.token_bytes(BYTES),
    )
    value: bytes = await database.fetchval("SELECT value FROM shared_secret WHERE name = $1", name)
    return value
