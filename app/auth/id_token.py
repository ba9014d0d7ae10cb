"""The id token: who signed in, told to one app. https://openid.net/specs/openid-connect-core-1_0.html"""

import time
from typing import Any

from app.auth import jose
from app.auth.approvals import Approval
from app.auth.authority import Authority

LIFETIME = 600
"""Seconds; an app reads it once."""

ONE_FACTOR, TWO_FACTORS = (f"http://idmanagement.gov/ns/assurance/aal/{level}" for level in "12")
"""How sure it is that it is them: the levels of NIST SP 800-63B.

https://pages.nist.gov/800-63-4/sp800-63b.html#AAL_SEC4
"""


def acr(methods: tuple[str, ...]) -> str:
    """The level that these methods reach together."""
    return TWO_FACTORS if "mfa" in methods else ONE_FACTOR


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
    if approval.methods:
        claims |= {"amr": list(approval.methods), "acr": acr(approval.methods)}
    if nonce is not None:
        claims["nonce"] = nonce
    if {"fhirUser", "profile"}.intersection(approval.scope.split()):
        claims["fhirUser"] = f"{authority.audience}/{approval.account.fhir_user}"
    return jose.sign(claims, await authority.keys.id_token_signing())
