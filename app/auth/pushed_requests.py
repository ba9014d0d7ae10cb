"""Pushed authorization requests: an app says itself, and not by the browser, what it asks for.

https://www.rfc-editor.org/rfc/rfc9126
"""

import json
from collections.abc import Mapping
from dataclasses import replace

from app.auth.authority import Authority
from app.auth.authorize import Redirected, check_authorization
from app.auth.client_authentication import Request, authenticate_client
from app.auth.errors import InvalidDPoPProof, InvalidRequest
from app.auth.handles import digest, new_handle
from app.auth.token import Answer, bound_to
from app.storage.database import Database

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = 90
"""Seconds until the browser must have come with the request_uri."""

CREDENTIALS = frozenset({"client_assertion", "client_assertion_type", "client_secret"})


async def push(authority: Authority, request: Request) -> Answer:
    """Check a request as the authorization endpoint would, and keep it. Raises OAuthError."""
    # RFC 9126 2: each of these MUST be accepted as audience of an assertion here.
    also = (authority.issuer, authority.pushed_request_endpoint)
    client = await authenticate_client(authority, request, also)
    if "request_uri" in request.parameters:
        raise InvalidRequest("request_uri is not a parameter of a pushed request")
    asked = {name: value for name, value in request.parameters.items() if name not in CREDENTIALS}
    asked["client_id"] = client.id
    # RFC 9449 10.1: a proof here binds the code as dpop_jkt does.
    jkt = await bound_to(authority, replace(client, dpop_bound_access_tokens=False), request)
    if jkt is not None and asked.setdefault("dpop_jkt", jkt) != jkt:
        raise InvalidDPoPProof("dpop_jkt is of another key than the DPoP proof")
    try:
        checked = await check_authorization(authority, asked)
    except Redirected as error:
        raise error.error from error
    handle = new_handle()
    await _keep(authority.database, handle, asked)
    body = {"request_uri": f"{PREFIX}{handle}", "expires_in": LIFETIME}
    return Answer(client.id, body, " ".join(checked.scope), status=201)


async def _keep(database: Database, handle: str, parameters: Mapping[str, str]) -> None:
    await database.execute(
        "INSERT INTO authorization_request (id, client_id, parameters, expires)"
        " VALUES ($1, $2, $3, now() + make_interval(secs => $4))",
        _key(handle),
        parameters["client_id"],
        json.dumps(dict(parameters)),
        LIFETIME,
    )


async def take(database: Database, parameters: Mapping[str, str]) -> dict[str, str] | None:
    """What was pushed under a request's request_uri, this once; None when it has none of ours.

    Whatever else such a request says does not count. Raises InvalidRequest, to be shown.
    """
    uri = parameters.get("request_uri", "")
    if not uri.startswith(PREFIX):
        return None
    found = await database.fetchval(
        "DELETE FROM authorization_request WHERE id = $1 AND client_id = $2 AND expires > now()"
        " RETURNING parameters",
        _key(uri.removeprefix(PREFIX)),
        parameters.get("client_id", "").replace("\0", ""),
    )
    if found is None:
        raise InvalidRequest("the request_uri is unknown, expired, was used, or is another app's")
    kept: dict[str, str] = json.loads(found)
    return kept


def _key(handle: str) -> str:
    """Never that of a request a person is deciding: those can be named in a page's URL."""
    return digest(f"pushed {handle}")
