"""Token introspection: what a token still says. https://www.rfc-editor.org/rfc/rfc7662

A client asks with its own credentials about its own tokens; with the scope `__introspection`,
registered or in a bearer token, about any. https://hl7.org/fhir/smart-app-launch/token-introspection.html
"""

from typing import Any

from app.auth.access_token import authenticate, verified
from app.auth.authority import Authority
from app.auth.client_authentication import Request, authenticate_client
from app.auth.errors import UnauthorizedClient
from app.auth.token import Answer
from app.fhir.errors import Unauthorized

INTROSPECTION = "__introspection"
INACTIVE: dict[str, Any] = {"active": False}
SHOWN = (
    "scope",
    "client_id",
    "sub",
    "aud",
    "iss",
    "exp",
    "iat",
    "jti",
    "patient",
    "fhirUser",
)


async def introspect(authority: Authority, request: Request) -> Answer:
    """What a token says if it is active, else only that it is not.

    Raises OAuthError, or Unauthorized for a bearer token that is no longer good.
    """
    client_id, about_any = await _asker(authority, request)
    claims = await _active(authority, request.required("token"))
    if claims is None or not (about_any or claims["client_id"] == client_id):
        return Answer(client_id, INACTIVE)
    shown = {name: claims[name] for name in SHOWN if name in claims}
    return Answer(
        client_id,
        {"active": True, "token_type": "Bearer"} | shown,
        token_id=claims["jti"],
    )


async def _asker(authority: Authority, request: Request) -> tuple[str, bool]:
    """Who asks, and whether about any token."""
    if (request.authorization or "").lower().startswith("bearer "):
        caller = await authenticate(authority, request.authorization)
        if INTROSPECTION not in caller.extra_scopes:
            raise UnauthorizedClient(f"the access token has no scope {INTROSPECTION}")
        return caller.client_id, True
    client = await authenticate_client(authority, request)
    if client.auth_method == "none":
        raise UnauthorizedClient("a public client cannot introspect")
    return client.id, INTROSPECTION in client.scope.split()


async def _active(authority: Authority, token: str) -> dict[str, Any] | None:
    try:
        claims = await verified(authority, token)
    except Unauthorized:
        return None
    return None if await authority.revocations.is_revoked(claims["jti"]) else claims
