"""Who asks at an OAuth endpoint: private_key_jwt, client_secret_basic, client_secret_post, none.

https://www.rfc-editor.org/rfc/rfc6749#section-2.3
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from app.auth import assertions
from app.auth.authority import Authority
from app.auth.clients import CLIENT_ID, Client, find_client
from app.auth.dpop import Presented
from app.auth.errors import InvalidClient, InvalidRequest

FAILED = "client authentication failed"


@dataclass(frozen=True, slots=True)
class Request:
    """A form posted to an OAuth endpoint, each parameter once, and its Authorization header.

    `presented` are its DPoP proofs, `jkt` the thumbprint of the key that one of them proved.
    """

    parameters: Mapping[str, str]
    authorization: str | None = None
    presented: Presented | None = None
    jkt: str | None = None

    def required(self, name: str) -> str:
        """The value of a parameter. Raises InvalidRequest when it is missing."""
        if name not in self.parameters:
            raise InvalidRequest(f"the parameter {name} is missing")
        return self.parameters[name]


async def authenticate_client(
    authority: Authority, request: Request, also: tuple[str, ...] = ()
) -> Client:
    """The client that proved to be who it says, in the one way it is registered for.

    An assertion is addressed to the token endpoint, or to one of `also`. Raises InvalidClient for
    every failure; InvalidRequest when several ways are tried at once.
    """
    parameters = request.parameters
    ways = ("client_assertion", "client_secret")
    if sum(way in parameters for way in ways) + (request.authorization is not None) > 1:
        raise InvalidRequest("a client authenticates in one way only")
    if "client_assertion" in parameters:
        client = await assertions.authenticate(authority, parameters, also)
    elif request.authorization is not None:
        client = await _basic(authority, request.authorization)
    else:
        client = await _posted(authority, request)
    if parameters.get("client_id", client.id) != client.id:
        raise InvalidClient("client_id names another client")
    return client


def claimed_client(request: Request) -> str | None:
    """Which client a request says it comes from, for the record of a refusal."""
    claimed = _claimed(request)
    return claimed if claimed and CLIENT_ID.match(claimed) else None


def _claimed(request: Request) -> str | None:
    if "client_assertion" in request.parameters:
        return assertions.claimed_issuer(request.parameters["client_assertion"])
    if request.authorization is None:
        return request.parameters.get("client_id")
    try:
        return _credentials(request.authorization)[0]
    except InvalidClient:
        return None


async def _basic(authority: Authority, authorization: str) -> Client:
    client_id, secret = _credentials(authorization)
    return await _with_secret(authority, client_id, secret, "client_secret_basic")


async def _posted(authority: Authority, request: Request) -> Client:
    client_id = request.parameters.get("client_id")
    if client_id is None:
        raise InvalidClient("the request carries no client authentication")
    if "client_secret" in request.parameters:
        secret = request.parameters["client_secret"]
        return await _with_secret(authority, client_id, secret, "client_secret_post")
    client = await find_client(authority.database, client_id)
    if client is None or client.auth_method != "none":
        raise InvalidClient(FAILED)
    return client


async def _with_secret(authority: Authority, client_id: str, secret: str, method: str) -> Client:
    client = await find_client(authority.database, client_id)
    known = client if client and client.auth_method == method else None
    # Asked without a hash too: an unknown client must take as long as a wrong secret.
    proven = await authority.secrets.is_secret(secret, known.secret_hash if known else None)
    if known and not proven and known.previous_secret_hash:
        proven = await authority.secrets.is_secret(secret, known.previous_secret_hash)
    if client is None or not proven:
        raise InvalidClient(FAILED)
    return client


def _credentials(authorization: str) -> tuple[str, str]:
    """RFC 6749 2.3.1: id and secret are form-urlencoded before they are joined by a colon."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)
        text = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, secret = text.partition(":")
        if not colon:
            raise ValueError("no colon")
        return unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError as error:
        raise InvalidClient("the Authorization header is not HTTP Basic") from error
