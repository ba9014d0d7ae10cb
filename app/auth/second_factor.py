"""What somebody has besides a password, who must have it, and what to do when it is lost."""

import base64
import re
import secrets
from dataclasses import dataclass

from app.auth import totp
from app.auth.accounts import Account
from app.auth.authority import Authority
from app.auth.handles import digest
from app.storage.database import Connection, Database

RECOVERY_CODES = 10


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account has set up; how many recovery codes are left."""

    has_totp: bool
    passkeys: int
    recovery_codes: int

    @property
    def is_any(self) -> bool:
        """Whether there is something to ask for."""
        return self.has_totp or self.passkeys > 0


async def factors_of(database: Database, subject: str) -> Factors:
    """What an account has."""
    row = await database.fetchrow(
        "SELECT EXISTS (SELECT FROM totp WHERE subject = $1) AS has_totp,"
        " (SELECT count(*) FROM passkey WHERE subject = $1) AS passkeys,"
        " (SELECT count(*) FROM recovery_code WHERE subject = $1) AS recovery_codes",
        subject,
    )
    assert row
    return Factors(**dict(row))


def is_asked(authority: Authority, account: Account, factors: Factors) -> bool:
    """Whether a password alone does not sign this account in."""
    return factors.has_totp or account.role in authority.settings.second_factors


async def is_proven(database: Database, subject: str, code: str) -> bool:
    """Whether this is a code of the account's app, or one of its recovery codes: each good once."""
    if await totp.is_code(database, subject, code):
        return True
    row = await database.fetchrow(
        "DELETE FROM recovery_code WHERE id = $1 RETURNING id", _digest(subject, code)
    )
    return row is not None


async def new_recovery_codes(database: Database, subject: str) -> list[str]:
    """Codes in place of those before; shown this once. 80 random bits need no slow hash."""
    codes = [
        base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)
    ]
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM recovery_code WHERE subject = $1", subject)
        await connection.executemany(
            "INSERT INTO recovery_code (id, subject) VALUES ($1, $2)",
            [(_digest(subject, code), subject) for code in codes],
        )
    return ["-".join(re.findall("....", code)) for code in codes]


async def remove_totp(database: Database, subject: str) -> None:
    """Take the authenticator app of an account away, and the recovery codes for it."""
    async with database.transaction() as connection:
        await _remove_totp(connection, subject)


async def remove_all(database: Database, subject: str) -> None:
    """Take every second factor of an account away: for who lost them."""
    async with database.transaction() as connection:
        await _remove_totp(connection, subject)
        await connection.execute("DELETE FROM passkey WHERE subject = $1", subject)


async def _remove_totp(connection: Connection, subject: str) -> None:
    await connection.execute("DELETE FROM totp WHERE subject = $1", subject)
    await connection.execute("DELETE FROM recovery_code WHERE subject = $1", subject)


def _digest(subject: str, code: str) -> str:
    return digest(f"recovery {subject} {re.sub(r'[^a-z2-7]', '', code.lower())}")
