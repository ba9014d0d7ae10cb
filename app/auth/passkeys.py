"""Passkeys: keys in somebody's device or cloud that sign a challenge of ours, after it knew them.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from app.auth.authority import Authority
from app.storage.database import Database

METHODS = ("pop", "user", "mfa")
"""A key was proved and its owner verified. https://www.rfc-editor.org/rfc/rfc8176#section-2"""


class InvalidPasskey(ValueError):
    """The answer of the browser is not good."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner sees it."""

    id: str
    name: str
    created: datetime
    last_used: datetime | None


def is_possible(authority: Authority) -> bool:
    """Whether browsers would make passkeys for this server: it needs a name and TLS, or localhost.

    https://www.w3.org/TR/webauthn-3/#relying-party-identifier
    """
    parts = urlsplit(authority.issuer)
    try:
        ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        return parts.scheme == "https" or parts.hostname == "localhost"
    return False


async def passkeys_of(database: Database, subject: str) -> list[Passkey]:
    """The passkeys of an account, the oldest first."""
    rows = await database.fetch(
        "SELECT id, name, created, last_used FROM passkey WHERE subject = $1 ORDER BY created, id",
        subject,
    )
    return [Passkey(**dict(row)) for row in rows]


async def remove_passkey(database: Database, subject: str, id_: str) -> bool:
    """Forget a passkey of an account; whether it was there."""
    row = await database.fetchrow(
        "DELETE FROM passkey WHERE id = $1 AND subject = $2 RETURNING id", id_, subject
    )
    return row is not None
