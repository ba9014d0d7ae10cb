"""What people approved: each approval is the family of all codes and tokens that follow from it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asyncpg import Record

from app.auth import authorization_requests, launches
from app.auth.account_state import NOT_LOCKED
from app.auth.accounts import Account, find_account
from app.auth.authority import Authority
from app.auth.authorize import Authorization
from app.auth.errors import InvalidRequest
from app.auth.handles import digest, is_handle, new_handle
from app.auth.links import withdraw
from app.auth.sessions import Session
from app.storage.database import Connection, Database

CODE_LIFETIME = 60
"""Seconds; SMART: a code "SHALL expire shortly", one minute is suggested."""

CODE_KEPT = 86_400
"""Seconds a code is remembered, so that a second use of it ends what it had opened."""

REFRESH_LIFETIME = 92 * 86_400
"""Seconds a refresh token lasts without being used: three months."""

MAX_TOKEN_LIFETIME = 3_660
"""Seconds until the last access token of an approval that ended has expired by itself: an hour, and
a minute for one that was being issued."""

LASTING = frozenset({"offline_access", "online_access"})


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: the scopes granted, for which patient (logical id), with what else."""

    scope: tuple[str, ...]
    patient: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval that has not ended, and the account of the person as it is now."""

    id: str
    client_id: str
    account: Account
    session: str
    scope: str
    patient: str | None
    context: Mapping[str, Any]
    authenticated: datetime
    dpop_jkt: str | None
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectedApp:
    """An app as the person who approved it sees it: `scope` was granted, `patient` a logical id."""

    id: str
    name: str
    scope: str
    patient: str | None
    created: datetime
    last_used: datetime | None


async def approve(
    authority: Authority,
    handle: str,
    asked: Authorization,
    session: Session,
    decision: Decision,
) -> str:
    """Write down what a person decided; answers the code. Raises InvalidRequest the second time."""
    approval, code = new_handle(), new_handle()
    async with authority.database.transaction() as connection:
        if not await authorization_requests.use_up(connection, handle):
            raise InvalidRequest("this request was decided before")
        if asked.launch and not await launches.use_up(connection, asked.launch):
            raise InvalidRequest("this launch was used before")
        await connection.execute(
            "INSERT INTO approval (id, client_id, username, session, scope, patient, context,"
            " authenticated, methods, expires)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10))",
            approval,
            asked.client.id,
            session.account.username,
            session.id,
            " ".join(decision.scope),
            decision.patient,
            json.dumps(dict(decision.context)),
            session.created,
            list(session.methods),
            CODE_KEPT,
        )
        await _insert_code(connection, code, approval, asked)
    return code


async def _insert_code(
    connection: Connection, code: str, approval: str, asked: Authorization
) -> None:
    await connection.execute(
        "INSERT INTO authorization_code (id, approval, redirect_uri, code_challenge, nonce,"
        " dpop_jkt, expires) VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))",
        digest(code),
        approval,
        asked.redirect_uri,
        asked.code_challenge,
        asked.nonce,
        asked.dpop_jkt,
        CODE_KEPT,
    )


STANDING = (
    """SELECT p.id, p.client_id, p.session, p.scope, p.patient, p.context, p.authenticated,
 p.dpop_jkt, p.methods, a.username, a.fhir_user, a.role, a.subject, a.organization
 FROM approval AS p JOIN account AS a ON a.username = p.username WHERE p.ended IS NULL
 AND """
    + NOT_LOCKED
)
"""The approvals that have not ended, of accounts that are still there and not locked."""


async def find_approval(database: Database, id_: str) -> Approval | None:
    """The approval, unless it ended or the account is gone."""
    row = await database.fetchrow(f"{STANDING} AND p.id = $1", id_)
    return approval_of(row) if row else None


def approval_of(row: Record) -> Approval:
    """The approval in a row of STANDING."""
    names = ("username", "fhir_user", "role", "subject", "organization")
    return Approval(
        id=row["id"],
        client_id=row["client_id"],
        account=Account(**{name: row[name] for name in names}),
        session=row["session"],
        scope=row["scope"],
        patient=row["patient"],
        context=json.loads(row["context"]),
        authenticated=row["authenticated"],
        dpop_jkt=row["dpop_jkt"],
        methods=tuple(row["methods"]),
    )


async def used(database: Database, id_: str, lifetime: int, jkt: str | None) -> None:
    """Note that an approval gave a token, and that it lasts `lifetime` seconds from now.

    With `jkt` its refresh tokens work with this key only, from now on.
    """
    await database.execute(
        "UPDATE approval SET last_used = now(), dpop_jkt = coalesce(dpop_jkt, $3),"
        " expires = greatest(expires, now() + make_interval(secs => $2)) WHERE id = $1",
        id_,
        lifetime,
        jkt,
    )


async def end_approval(authority: Authority, id_: str) -> None:
    """End an approval: its codes and refresh tokens here, its access tokens on all workers."""
    await authority.database.execute(
        "UPDATE approval SET ended = now() WHERE id = $1 AND ended IS NULL", id_
    )
    await authority.revocations.add(id_, int(time.time()) + MAX_TOKEN_LIFETIME)


async def connected_apps(database: Database, username: str) -> list[ConnectedApp]:
    """The apps a person has approved and not ended, the last used first."""
    rows = await database.fetch(
        "SELECT p.id, c.name, p.scope, p.patient, p.created, p.last_used"
        " FROM approval AS p JOIN client AS c ON c.id = p.client_id"
        " WHERE p.username = $1 AND p.ended IS NULL AND p.last_used IS NOT NULL"
        " AND p.expires > now() ORDER BY p.last_used DESC, p.id",
        username,
    )
    return [ConnectedApp(**dict(row)) for row in rows]


async def owned_by(database: Database, id_: str, username: str) -> str | None:
    """The client of an approval of this person; None when it is not theirs."""
    if not is_handle(id_):
        return None
    client_id: str | None = await database.fetchval(
        "SELECT client_id FROM approval WHERE id = $1 AND username = $2 AND ended IS NULL",
        id_,
        username,
    )
    return client_id


async def end_with_account(authority: Authority, username: str, *, is_removed: bool) -> None:
    """End all that somebody has open, and with `is_removed` the account itself.

    Their sessions, their approvals with the tokens, and the links mailed to them.
    Raises LookupError for an unknown account.
    """
    database = authority.database
    account = await find_account(database, username)
    if account is None:
        raise LookupError("no account has this username")
    await withdraw(database, account.subject)
    if is_removed:
        await database.execute("DELETE FROM account WHERE username = $1", username)
        # Or the next account of this name would be theirs who signs in elsewhere.
        await database.execute("DELETE FROM external_identity WHERE username = $1", username)
    await database.execute("DELETE FROM sign_in_session WHERE username = $1", username)
    rows = await database.fetch(
        "SELECT id FROM approval WHERE username = $1 AND ended IS NULL AND expires > now()",
        username,
    )
    for row in rows:
        await end_approval(authority, row["id"])


async def end_with_client(authority: Authority, client_id: str) -> None:
    """End whatever people approved for a client that is gone."""
    rows = await authority.database.fetch(
        "SELECT id FROM approval WHERE client_id = $1 AND ended IS NULL AND expires > now()",
        client_id,
    )
    for row in rows:
        await end_approval(authority, row["id"])


async def end_with_session(authority: Authority, session: str) -> None:
    """End what a person approved for no longer than they are signed in."""
    rows = await authority.database.fetch(
        "SELECT id, scope FROM approval WHERE session = $1 AND ended IS NULL AND expires > now()",
        session,
    )
    for row in rows:
        if "offline_access" not in row["scope"].split():
            await end_approval(authority, row["id"])
