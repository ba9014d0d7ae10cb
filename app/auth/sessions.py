"""Browsers in which somebody signed in: a random value in a cookie, its hash in the database."""

from dataclasses import dataclass
from datetime import datetime

from app.auth.accounts import Account
from app.auth.authority import Authority
from app.auth.handles import digest, new_handle
from app.storage.database import Database

IDLE, MOST = 1_800, 43_200
"""Seconds a session lasts without being used, and at all."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session: since when, and whose account as it is now. `id` is the hash of its cookie."""

    id: str
    account: Account
    created: datetime


def cookie_name(authority: Authority) -> str:
    """With TLS a cookie that only this host can have set, over TLS, for all of its paths.

    https://developer.mozilla.org/en-US/docs/Web/HTTP/Cookies#cookie_prefixes
    """
    return "__Host-isp-session" if is_secure(authority) else "isp-session"


def is_secure(authority: Authority) -> bool:
    """Whether browsers reach this server by TLS."""
    return authority.issuer.startswith("https:")


def csrf_token(cookie: str) -> str:
    """What a form must carry back: only a page of ours knows it, since only we read the cookie."""
    return digest(f"csrf {cookie}")


async def begin(database: Database, username: str) -> str:
    """A new session of somebody who proved who they are; answers the cookie's value."""
    cookie = new_handle()
    await database.execute(
        "INSERT INTO sign_in_session (id, username, expires)"
        " VALUES ($1, $2, now() + make_interval(secs => $3))",
        digest(cookie),
        username,
        IDLE,
    )
    return cookie


async def find_session(database: Database, cookie: str) -> Session | None:
    """The session of a cookie, which lasts longer for being asked for."""
    row = await database.fetchrow(
        "UPDATE sign_in_session AS s SET expires = least("
        "  s.created + make_interval(secs => $3), now() + make_interval(secs => $2))"
        " FROM account AS a WHERE s.id = $1 AND s.expires > now() AND a.username = s.username"
        " RETURNING s.id, s.created, a.username, a.fhir_user, a.role, a.organization, a.subject",
        digest(cookie),
        IDLE,
        MOST,
    )
    if row is None:
        return None
    values = dict(row)
    id_, created = values.pop("id"), values.pop("created")
    return Session(id_, Account(**values), created)


async def end(database: Database, session: str) -> None:
    """End a session, by its id."""
    await database.execute("DELETE FROM sign_in_session WHERE id = $1", session)
