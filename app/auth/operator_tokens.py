"""Tokens that an operator issues, for a client or for somebody who uses it."""

import re
from dataclasses import replace

from app.auth.access_token import AccessToken, Grant, issue
from app.auth.account_state import NOT_LOCKED
from app.auth.accounts import find_account
from app.auth.approvals import MAX_TOKEN_LIFETIME
from app.auth.authority import Authority, Event
from app.auth.clients import find_client
from app.auth.handles import new_handle
from app.auth.token import grantable
from app.fhir.ids import new_id

OPERATOR_LIFETIME = 3_600
"""Seconds of a token printed for an operator; SMART: an access token lives an hour at most."""

_PATIENT = re.compile(r"(?:Patient/)?([A-Za-z0-9.-]{1,64})")


async def issue_for(
    authority: Authority,
    client_id: str,
    *,
    scope: str | None = None,
    user: str | None = None,
    patient: str | None = None,
) -> AccessToken:
    """A token for operators and tests: for a client, or for a user of it, within the registration.

    Without `scope` the whole registration. The user's role takes the place of the client's.
    Raises LookupError for an unknown client or user, ValueError for a patient that is no id or an
    account that is locked, InvalidScope for more than the client is registered for.
    """
    client = await find_client(authority.database, client_id)
    account = await find_account(authority.database, user) if user else None
    if client is None:
        raise LookupError("no client has this client_id")
    if user and account is None:
        raise LookupError("no account has this username")
    match = _PATIENT.fullmatch(patient) if patient else None
    if patient and match is None:
        raise ValueError("a patient is a logical id")
    actor = account or client
    grant = Grant(
        client_id=client.id,
        scope=grantable(client, scope or client.scope, ("system", "user", "patient")),
        role=actor.role,
        organization=actor.organization,
        purpose=client.purpose,
        user=account.subject if account else None,
        fhir_user=account.fhir_user if account else None,
        patient=match[1] if match else None,
    )
    if account:
        grant = replace(grant, approval=await _approval(authority, grant))
    issued = await issue(authority, grant, OPERATOR_LIFETIME)
    event = Event("token", new_id(), client_id=client.id, scope=issued.scope)
    await authority.audit(replace(event, token_id=issued.id, user=grant.user))
    return issued


async def _approval(authority: Authority, grant: Grant) -> str:
    """An approval in the place of the user's own, so that the token ends when their account does.

    Raises ValueError for an account that is locked.
    """
    found: str | None = await authority.database.fetchval(
        "INSERT INTO approval"
        " (id, client_id, username, session, scope, patient, context, authenticated, expires)"
        " SELECT $1, $2, a.username, '', $4, $5, '{}', now(), now() + make_interval(secs => $6)"
        f" FROM account AS a WHERE a.subject = $3 AND {NOT_LOCKED} RETURNING id",
        new_handle(),
        grant.client_id,
        grant.user,
        grant.scope,
        grant.patient,
        MAX_TOKEN_LIFETIME,
    )
    if found is None:
        raise ValueError("the account is locked")
    return found
