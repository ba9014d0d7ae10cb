"""What changes of an account: its password, its mail address, whether it is locked."""

from dataclasses import dataclass
from datetime import datetime

from app.storage.database import Connection, Database

NOT_LOCKED = (
    "NOT EXISTS (SELECT FROM account_state AS st"
    " WHERE st.subject = a.subject AND st.locked IS NOT NULL)"
)
"""That an account, as `a`, may be used."""

MOST = 1_000
"""Accounts that are listed at once."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An account as an operator sees it; `sessions` is in how many browsers it is signed in."""

    username: str
    subject: str
    fhir_user: str
    role: str
    email: str | None
    locked: datetime | None
    sessions: int
    has_second_factor: bool


async def set_password(store: Connection | Database, subject: str, hash_: str) -> None:
    """Put a password in place of the one before."""
    await store.execute(
        "INSERT INTO account_state (subject, password_hash) VALUES ($1, $2)"
        " ON CONFLICT (subject) DO UPDATE SET password_hash = excluded.password_hash",
        subject,
        hash_,
    )


async def set_email(store: Connection | Database, subject: str, email: str) -> None:
    """Note where mail for an account goes."""
    await store.execute(
        "INSERT INTO account_state (subject, email) VALUES ($1, $2)"
        " ON CONFLICT (subject) DO UPDATE SET email = excluded.email",
        subject,
        email.lower(),
    )


async def email_of(database: Database, subject: str) -> str | None:
    """Where mail for an account goes, if anywhere."""
    sql = "SELECT email FROM account_state WHERE subject = $1"
    email: str | None = await database.fetchval(sql, subject)
    return email


async def set_locked(store: Connection | Database, subject: str, *, is_locked: bool) -> None:
    """Lock an account, or open it again; what it had opened is ended elsewhere."""
    await store.execute(
        "INSERT INTO account_state (subject, locked)"
        " VALUES ($1, CASE WHEN $2 THEN now() END) ON CONFLICT (subject) DO UPDATE"
        " SET locked = CASE WHEN $2 THEN coalesce(account_state.locked, now()) END",
        subject,
        is_locked,
    )


async def reachable(database: Database, named: str) -> list[tuple[str, str, str]]:
    """Username, subject and mail address of the accounts somebody means by a name or an address.

    Families share addresses: there may be several.
    """
    rows = await database.fetch(
        "SELECT a.username, a.subject, s.email FROM account AS a JOIN account_state AS s"
        " ON s.subject = a.subject WHERE (a.username = $1 OR s.email = lower($1))"
        " AND s.email IS NOT NULL AND s.locked IS NULL ORDER BY a.username LIMIT 10",
        named,
    )
    return [(row["username"], row["subject"], row["email"]) for row in rows]


async def listed(database: Database) -> list[Listed]:
    """The accounts there are, by username."""
    rows = await database.fetch(
        "SELECT a.username, a.subject, a.fhir_user, a.role, s.email, s.locked,"
        " (SELECT count(*) FROM sign_in_session AS b WHERE b.username = a.username"
        "  AND b.complete AND b.expires > now()) AS sessions,"
        " EXISTS (SELECT FROM totp AS t WHERE t.subject = a.subject)"
        " OR EXISTS (SELECT FROM passkey AS k WHERE k.subject = a.subject) AS has_second_factor"
        " FROM account AS a LEFT JOIN account_state AS s ON s.subject = a.subject"
        " ORDER BY a.username LIMIT $1",
        MOST,
    )
    return [Listed(**dict(row)) for row in rows]
