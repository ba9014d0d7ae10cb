"""Tokens of an app that a person approved: the response says what it was opened with.

https://hl7.org/fhir/smart-app-launch/app-launch.html#response-5
"""

from typing import Any

from app.auth.access_token import AccessToken, Grant, Issued, issue
from app.auth.approvals import (
    LASTING,
    MAX_TOKEN_LIFETIME,
    REFRESH_LIFETIME,
    Approval,
    used,
)
from app.auth.authority import Authority
from app.auth.clients import Client
from app.auth.handles import digest, new_handle


async def issue_app_token(
    authority: Authority, client: Client, approval: Approval, scope: str, jkt: str | None
) -> Issued:
    """An access token for an approval, a refresh token where one was granted, the context.

    `scope` is the approval's or less; with `jkt` the tokens work with this key only.
    """
    grant = Grant(
        client_id=client.id,
        scope=scope,
        role=approval.account.role,
        organization=approval.account.organization,
        purpose=client.purpose,
        user=approval.account.subject,
        fhir_user=approval.account.fhir_user,
        patient=approval.patient,
        approval=approval.id,
        jkt=jkt,
    )
    token: AccessToken = await issue(authority, grant, authority.settings.app_token_lifetime)
    more = context(authority, approval)
    lifetime = MAX_TOKEN_LIFETIME
    if LASTING.intersection(approval.scope.split()):
        more["refresh_token"] = await _new_refresh_token(authority, approval)
        lifetime = REFRESH_LIFETIME
    # RFC 9449 5: a refresh token of a confidential client is bound to its authentication.
    is_bound = client.auth_method == "none"
    await used(authority.database, approval.id, lifetime, jkt if is_bound else None)
    return Issued(token, grant, more)


def context(authority: Authority, approval: Approval) -> dict[str, Any]:
    """What the app is opened with, as members of the token response."""
    found: dict[str, Any] = dict(approval.context)
    if approval.patient is not None:
        found = {"patient": approval.patient, "need_patient_banner": True} | found
    return found | {"smart_style_url": style_url(authority)}


def style_url(authority: Authority) -> str:
    """Where the style is; another name whenever its content changes."""
    return f"{authority.issuer}/auth/style-1.json"


async def _new_refresh_token(authority: Authority, approval: Approval) -> str:
    token = new_handle()
    await authority.database.execute(
        "INSERT INTO refresh_token (id, approval, expires)"
        " VALUES ($1, $2, now() + make_interval(secs => $3))",
        digest(token),
        approval.id,
        REFRESH_LIFETIME,
    )
    return token
