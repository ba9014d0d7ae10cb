"""The grant type refresh_token: each works once, and a second use ends the whole family.

https://www.rfc-editor.org/rfc/rfc6749#section-6, https://www.rfc-editor.org/rfc/rfc9700#section-4.14
"""

from app.auth import scopes
from app.auth.access_token import Issued
from app.auth.app_token import issue_app_token
from app.auth.approvals import Approval, end_approval, find_approval
from app.auth.authority import Authority
from app.auth.authorize import is_registered
from app.auth.client_authentication import Request
from app.auth.clients import Client, find_client
from app.auth.errors import InvalidClient, InvalidGrant, InvalidScope
from app.auth.handles import digest
from app.storage.database import Database

INVALID = "the refresh token is unknown, expired, ended, was used, or is not this client's"


async def refresh_token(authority: Authority, client: Client, request: Request) -> Issued:
    """New tokens for a refresh token, for the scopes of the approval or fewer.

    Raises InvalidGrant, InvalidScope; a second use ends the approval.
    """
    token = request.required("refresh_token")
    approval = await _approval(authority.database, token)
    if approval is None or approval.client_id != client.id:
        raise InvalidGrant(INVALID)
    if approval.dpop_jkt not in (None, request.jkt):
        raise InvalidGrant("the refresh token is bound to another key than the DPoP proof's")
    asked = narrowed(approval.scope, request.parameters.get("scope"))
    # An operator may have taken something away from the client since.
    scope = " ".join(text for text in asked.split() if is_registered(client, text))
    if not await _is_signed_in(authority.database, approval):
        raise InvalidGrant("the person has signed out, and the app has no offline access")
    if not await _use_up(authority.database, token):
        await end_approval(authority, approval.id)
        raise InvalidGrant(INVALID)
    return await issue_app_token(authority, client, approval, scope, request.jkt)


async def client_of(authority: Authority, token: str) -> Client:
    """The public client a refresh token was given to, for one that does not say who it is.

    SMART's refresh request has no client_id. Raises InvalidClient for any other client.
    """
    approval = await _approval(authority.database, token)
    client = await find_client(authority.database, approval.client_id) if approval else None
    if approval is None:
        raise InvalidGrant(INVALID)
    if client is None or client.auth_method != "none":
        raise InvalidClient("this client has to authenticate")
    return client


def narrowed(granted: str, asked: str | None) -> str:
    """What is asked for, if all of it was granted. Raises InvalidScope."""
    if asked is None:
        return granted
    known, within = set(granted.split()), scopes.parse(granted)
    kept = list(dict.fromkeys(asked.split()))
    for text in kept:
        scope = scopes.parse_one(text)
        if text not in known and not (scope and scopes.covers(within, scope)):
            raise InvalidScope("a scope lies beyond what was approved")
    return " ".join(kept)


async def find_refresh_token(database: Database, token: str) -> Approval | None:
    """The approval a refresh token belongs to, while both are good."""
    id_ = await database.fetchval(
        "SELECT approval FROM refresh_token WHERE id = $1 AND used IS NULL AND expires > now()",
        digest(token),
    )
    return await find_approval(database, id_) if id_ else None


async def family_of(database: Database, token: str) -> tuple[str, str] | None:
    """The approval and client of a refresh token, used or not."""
    row = await database.fetchrow(
        "SELECT p.id, p.client_id FROM refresh_token AS t JOIN approval AS p ON p.id = t.approval"
        " WHERE t.id = $1",
        digest(token),
    )
    return (row["id"], row["client_id"]) if row else None


async def _approval(database: Database, token: str) -> Approval | None:
    """The approval of a refresh token, also of one that was used: whose second use ends it."""
    id_ = await database.fetchval(
        "SELECT approval FROM refresh_token WHERE id = $1 AND expires > now()", digest(token)
    )
    return await find_approval(database, id_) if id_ else None


async def _use_up(database: Database, token: str) -> bool:
    row = await database.fetchrow(
        "UPDATE refresh_token SET used = now() WHERE id = $1 AND used IS NULL RETURNING id",
        digest(token),
    )
    return row is not None


async def _is_signed_in(database: Database, approval: Approval) -> bool:
    """offline_access outlives the session, online_access does not."""
    if "offline_access" in approval.scope.split():
        return True
    sql = "SELECT EXISTS (SELECT FROM sign_in_session WHERE id = $1 AND expires > now())"
    return bool(await database.fetchval(sql, approval.session))
