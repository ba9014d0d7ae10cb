"""The token endpoint: one function per grant type. https://www.rfc-editor.org/rfc/rfc6749#section-3.2"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from app.auth import scopes
from app.auth.access_token import Grant, Issued, issue
from app.auth.authority import Authority
from app.auth.authorization_code import authorization_code
from app.auth.client_authentication import Request, authenticate_client
from app.auth.clients import Client
from app.auth.dpop import InvalidProof, proven_key
from app.auth.errors import (
    InvalidDPoPProof,
    InvalidScope,
    SlowDown,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from app.auth.refresh import client_of, refresh_token

MAX_LIFETIME = 300
"""Seconds of a backend service's token; SMART: "SHOULD be no longer than five minutes"."""

AUTHENTICATING = frozenset({"client_id", "client_secret", "client_assertion"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What an OAuth step granted, for the client (`body`) and for the audit trail (the rest)."""

    client_id: str
    body: Mapping[str, Any]
    scope: str | None = None
    token_id: str | None = None
    grant: Grant | None = None
    status: int = 200


async def token(authority: Authority, request: Request) -> Answer:
    """Issue a token for a grant. Raises OAuthError."""
    grant_type = request.required("grant_type")
    if grant_type not in GRANTS:
        raise UnsupportedGrantType(f"the grant types are {', '.join(GRANTS)}")
    client = await _client(authority, request, grant_type)
    request = replace(request, jkt=await bound_to(authority, client, request))
    # Anybody can name a public client: what they ask in its name is none of its requests, until it
    # is granted.
    if client.auth_method != "none":
        await _spend(authority, client)
    issued = await GRANTS[grant_type](authority, client, request)
    if client.auth_method == "none":
        await authority.budgets.take(client.id)
    return Answer(client.id, _response(issued), issued.token.scope, issued.token.id, issued.grant)


async def _spend(authority: Authority, client: Client) -> None:
    """Count a request of the client. Raises SlowDown when it has none left."""
    wait = await authority.budgets.take(client.id)
    if wait is not None:
        raise SlowDown("this client may make no more requests just now", wait)


async def bound_to(authority: Authority, client: Client, request: Request) -> str | None:
    """The key that the request proved to have, if it tried or has to. Raises InvalidDPoPProof."""
    presented = request.presented
    if presented is None or not presented.proofs:
        if client.dpop_bound_access_tokens:
            raise InvalidDPoPProof("the tokens of this client are bound: send a DPoP proof")
        return None
    try:
        return await proven_key(authority.database, presented)
    except InvalidProof as error:
        raise InvalidDPoPProof(str(error)) from error


async def _client(authority: Authority, request: Request, grant_type: str) -> Client:
    """The client that asks; one that refreshes need not say who it is, if it has no secret."""
    is_silent = request.authorization is None and not AUTHENTICATING & request.parameters.keys()
    if grant_type == "refresh_token" and is_silent:
        return await client_of(authority, request.required("refresh_token"))
    return await authenticate_client(authority, request)


async def client_credentials(authority: Authority, client: Client, request: Request) -> Issued:
    """A token for the client itself: SMART Backend Services, or a partner with a secret.

    https://hl7.org/fhir/smart-app-launch/backend-services.html#obtain-access-token
    """
    if client.auth_method == "none":
        raise UnauthorizedClient("a public client cannot act for itself")
    scope = grantable(client, request.required("scope"), contexts=("system",))
    grant = Grant(
        *(client.id, scope, client.role, client.organization, client.purpose), jkt=request.jkt
    )
    lifetime = min(authority.settings.access_token_lifetime, MAX_LIFETIME)
    return Issued(await issue(authority, grant, lifetime), grant)


def grantable(client: Client, asked: str, contexts: tuple[str, ...]) -> str:
    """The scopes of a request that are granted: all that mean something here, or none.

    What is unknown is passed over; what lies beyond the registration, or in a context the grant
    cannot have, is refused. Raises InvalidScope.
    """
    registered, others = scopes.parse(client.scope), set(client.scope.split())
    granted = []
    for text in dict.fromkeys(asked.split()):
        scope = scopes.parse_one(text)
        if scope is None and text not in scopes.OTHER:
            continue
        if scope and scope.context not in contexts:
            raise InvalidScope(f"this grant gives only {'/, '.join(contexts)}/ scopes")
        if not (scopes.covers(registered, scope) if scope else text in others):
            raise InvalidScope("a scope lies beyond what the client is registered for")
        granted.append(text)
    if not granted:
        raise InvalidScope("no scope of the request means anything here")
    return " ".join(granted)


def _response(issued: Issued) -> dict[str, Any]:
    return {
        "access_token": issued.token.token,
        "token_type": "DPoP" if issued.grant.jkt else "Bearer",
        "expires_in": issued.token.lifetime,
        "scope": issued.token.scope,
        **issued.more,
    }


Grants = Mapping[str, Callable[[Authority, Client, Request], Awaitable[Issued]]]
GRANTS: Grants = MappingProxyType(
    {
        "authorization_code": authorization_code,
        "refresh_token": refresh_token,
        "client_credentials": client_credentials,
    }
)
