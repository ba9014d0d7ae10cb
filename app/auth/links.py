"""Links in mails: they work once, for a while, and are kept only as their hash."""

import json
from dataclasses import asdict, dataclass

from app.auth.account_state import NOT_LOCKED
from app.auth.authority import Authority
from app.auth.handles import digest, is_handle, new_handle
from app.storage.database import Connection, Database

INVITED, RESET = 7 * 86_400, 3_600
"""Seconds in which a link must be followed."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who an invited person will be; `organization` a reference they act for."""

    username: str
    email: str
    fhir_user: str
    role: str
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is for: an account still to be made, or the subject of one there is."""

    invitation: Invitation | None = None
    subject: str | None = None


async def issue_link(authority: Authority, link: Link) -> str:
    """Make a link; answers its URL, which only its receiver may learn."""
    token = new_handle()
    await authority.database.execute(
        "INSERT INTO one_time_link (id, subject, invitation, expires)"
        " VALUES ($1, $2, $3, now() + make_interval(secs => $4))",
        digest(token),
        link.subject,
        json.dumps(asdict(link.invitation)) if link.invitation else None,
        INVITED if link.invitation else RESET,
    )
    return f"{authority.issuer}/auth/link/{token}"


_FOLLOWED = f"a.id = $1 AND a.expires > now() AND {NOT_LOCKED}"
"""A link that works: in time, and for no account that is locked."""


async def find_link(database: Database, token: str) -> Link | None:
    """What a link is for, without using it up: programs that look at mails follow links too."""
    if not is_handle(token):
        return None
    row = await database.fetchrow(
        f"SELECT subject, invitation FROM one_time_link AS a WHERE {_FOLLOWED}",
        digest(token),
    )
    return _link(row["subject"], row["invitation"]) if row else None


async def use_up(connection: Connection, token: str) -> Link | None:
    """What a link is for, to one of any number who ask."""
    row = await connection.fetchrow(
        f"DELETE FROM one_time_link AS a WHERE {_FOLLOWED} RETURNING subject, invitation",
        digest(token),
    )
    return _link(row["subject"], row["invitation"]) if row else None


async def withdraw(store: Connection | Database, subject: str) -> None:
    """Let no other link for this account work."""
    await store.execute("DELETE FROM one_time_link WHERE subject = $1", subject)


def _link(subject: str | None, invitation: str | None) -> Link:
    return Link(Invitation(**json.loads(invitation)) if invitation else None, subject)
