"""Browsers in which somebody signed in: a random value in a cookie, its hash in the database."""

from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record

from app.auth.account_state import NOT_LOCKED
from app.auth.accounts import Account
from app.auth.authority import Authority
from app.auth.handles import digest, new_handle
from app.storage.database import Database

IDLE, MOST = 1_800, 43_200
"""Seconds a session lasts without being used, and at all."""

BEGUN = 600
"""Seconds in which a second factor must follow."""

MAX_AGENT = 200


@dataclass(frozen=True, slots=True)
class SignIn:
    """How somebody signed in: codes of RFC 8176, from where; or that a second factor is missing.

    `since` is when they did, now without.
    https://www.rfc-editor.org/rfc/rfc8176#section-2
    """

    methods: tuple[str, ...] = ("pwd",)
    is_complete: bool = True
    agent: str | None = None
    address: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A session: since when, and whose account as it is now. `id` is the hash of its cookie."""

    id: str
    account: Account
    created: datetime
    methods: tuple[str, ...] = ()


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


async def begin(database: Database, username: str, how: SignIn = SignIn()) -> str:
    """A new session of somebody who proved who they are; answers the cookie's value."""
    cookie = new_handle()
    await database.execute(
        "INSERT INTO sign_in_session"
        " (id, username, methods, complete, agent, address, created, expires)"
        " VALUES ($1, $2, $3, $4, $5, $6, coalesce($8, now()), now() + make_interval(secs => $7))",
        digest(cookie),
        username,
        list(how.methods),
        how.is_complete,
        (how.agent or "")[:MAX_AGENT],
        how.address,
        IDLE if how.is_complete else BEGUN,
        how.since,
    )
    return cookie


async def find_session(database: Database, cookie: str) -> Session | None:
    """The session of a cookie, which lasts longer for being asked for."""
    row = await database.fetchrow(
        "UPDATE sign_in_session AS s SET expires = least("
        "  s.created + make_interval(secs => $3), now() + make_interval(secs => $2))"
        " FROM account AS a WHERE s.id = $1 AND s.expires > now() AND s.complete"
        f" AND a.username = s.username AND {NOT_LOCKED} RETURNING {_SESSION}",
        digest(cookie),
        IDLE,
        MOST,
    )
    return _session(row) if row else None


async def find_begun(database: Database, cookie: str) -> Session | None:
    """The session of a cookie of which a second factor is still missing: no session otherwise."""
    row = await database.fetchrow(
        f"SELECT {_SESSION} FROM sign_in_session AS s JOIN account AS a ON a.username = s.username"
        f" WHERE s.id = $1 AND s.expires > now() AND NOT s.complete AND {NOT_LOCKED}",
        digest(cookie),
    )
    return _session(row) if row else None


_SESSION = "s.id, s.created, s.methods, a.username, a.fhir_user, a.role, a.organization, a.subject"


def _session(row: Record) -> Session:
    values = dict(row)
    id_, created, methods = values.pop("id"), values.pop("created"), values.pop("methods")
    return Session(id_, Account(**values), created, tuple(methods))


@dataclass(frozen=True, slots=True)
class Open:
    """A browser in which somebody is signed in, as they may know it again."""

    id: str
    created: datetime
    agent: str | None
    address: str | None


async def open_sessions(database: Database, username: str) -> list[Open]:
    """The browsers in which somebody is signed in, the newest first."""
    rows = await database.fetch(
        "SELECT id, created, agent, address FROM sign_in_session WHERE username = $1"
        " AND complete AND expires > now() ORDER BY created DESC, id",
        username,
    )
    return [Open(**dict(row)) for row in rows]


async def end(database: Database, session: str) -> None:
    """End a session, by its id."""
    await database.execute("DELETE FROM sign_in_session WHERE id = $1", session)
