"""The id token: who signed in, told to one app. https://openid.net/specs/openid-connect-core-1_0.html"""

import time
from typing import Any

from app.auth import jose
from app.auth.approvals import Approval
from app.auth.authority import Authority

LIFETIME = 600
"""Seconds; an app reads it once."""


async def id_token(authority: Authority, approval: Approval, nonce: str | None) -> str:
    """Who approved, signed with RS256, `nonce` as the app sent it.

    https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-identity-data
    """
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": authority.issuer,
        "sub": approval.account.subject,
        "aud": approval.client_id,
        "exp": now + LIFETIME,
        "iat": now,
        "auth_time": int(approval.authenticated.timestamp()),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if {"fhirUser", "profile"}.intersection(approval.scope.split()):
        claims["fhirUser"] = f"{authority.audience}/{approval.account.fhir_user}"
    return jose.sign(claims, await authority.keys.id_token_signing())
