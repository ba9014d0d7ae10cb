"""Token introspection: what a token still says. https://www.rfc-editor.org/rfc/rfc7662

A client asks with its own credentials about its own tokens; with the scope `__introspection`,
registered or in a bearer token, about any. https://hl7.org/fhir/smart-app-launch/token-introspection.html
"""

from typing import Any

from app.auth.access_token import authenticate, verified
from app.auth.app_token import context
from app.auth.approvals import Approval, find_approval
from app.auth.authority import Authority
from app.auth.client_authentication import Request, authenticate_client
from app.auth.errors import UnauthorizedClient
from app.auth.refresh import find_refresh_token
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
    "cnf",
)


async def introspect(authority: Authority, request: Request) -> Answer:
    """What a token says if it is active, else only that it is not.

    Raises OAuthError, or Unauthorized for a bearer token that is no longer good.
    """
    client_id, about_any = await _asker(authority, request)
    token = request.required("token")
    said = await _access_token(authority, token) or await _refresh_token(authority, token)
    if said is None or not (about_any or said["client_id"] == client_id):
        return Answer(client_id, INACTIVE)
    return Answer(client_id, {"active": True} | said, token_id=said.get("jti"))


async def _asker(authority: Authority, request: Request) -> tuple[str, bool]:
    """Who asks, and whether about any token."""
    if (request.authorization or "").lower().startswith(("bearer ", "dpop ")):
        caller = await authenticate(authority, request.authorization, request.presented)
        if INTROSPECTION not in caller.extra_scopes:
            raise UnauthorizedClient(f"the access token has no scope {INTROSPECTION}")
        return caller.client_id, True
    client = await authenticate_client(authority, request)
    if client.auth_method == "none":
        raise UnauthorizedClient("a public client cannot introspect")
    return client.id, INTROSPECTION in client.scope.split()


async def _access_token(authority: Authority, token: str) -> dict[str, Any] | None:
    try:
        claims = await verified(authority, token)
    except Unauthorized:
        return None
    if await authority.revocations.is_revoked(claims["jti"]):
        return None
    shown = {name: claims[name] for name in SHOWN if name in claims}
    said = {"token_type": "DPoP" if "cnf" in claims else "Bearer"} | shown
    if "approval" not in claims:
        return said
    approval = await find_approval(authority.database, claims["approval"])
    return said | _of_approval(authority, approval) if approval else None


async def _refresh_token(authority: Authority, token: str) -> dict[str, Any] | None:
    approval = await find_refresh_token(authority.database, token)
    if approval is None:
        return None
    said = {"scope": approval.scope, "client_id": approval.client_id}
    return said | _of_approval(authority, approval)


def _of_approval(authority: Authority, approval: Approval) -> dict[str, Any]:
    """Who approved and with what the app was opened: all that came with the token."""
    account = approval.account
    said = context(authority, approval) | {"iss": authority.issuer, "sub": account.subject}
    return said | {"fhirUser": f"{authority.audience}/{account.fhir_user}"}
