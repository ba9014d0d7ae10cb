"""Another secret for a client, while the one before it still counts for a while.

https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
"""

import secrets

from app.auth.authority import Authority
from app.auth.passwords import hash_password
from app.storage.database import Database


async def rotate_secret(database: Database, client_id: str, overlap: int) -> str:
    """Give a client another secret, shown this once; the present one counts `overlap` seconds more.

    One before that counts no more. Raises LookupError for a client without a secret.
    """
    secret = secrets.token_urlsafe(32)
    hash_ = await hash_password(secret)
    async with database.transaction() as connection:
        present = await connection.fetchval(
            "SELECT secret_hash FROM client WHERE id = $1 FOR UPDATE", client_id
        )
        if present is None:
            raise LookupError("no client with a secret has this client_id")
        await connection.execute("DELETE FROM retired_secret WHERE client_id = $1", client_id)
        if overlap > 0:
            await connection.execute(
                "INSERT INTO retired_secret (client_id, secret_hash, expires)"
                " VALUES ($1, $2, now() + make_interval(secs => $3))",
                client_id,
                present,
                overlap,
            )
        await connection.execute(
            "UPDATE client SET secret_hash = $2 WHERE id = $1", client_id, hash_
        )
    return secret


async def is_retired(authority: Authority, client_id: str, secret: str) -> bool:
    """Whether this is the secret a client had before, and it still counts."""
    sql = "SELECT secret_hash FROM retired_secret WHERE client_id = $1 AND expires > now()"
    hash_ = await authority.database.fetchval(sql, client_id)
    return hash_ is not None and await authority.secrets.is_secret(secret, hash_)
