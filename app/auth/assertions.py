"""private_key_jwt: a client proves itself with a signed assertion that works once.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html,
https://www.rfc-editor.org/rfc/rfc7523#section-3
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from app.auth import jose
from app.auth.authority import Authority
from app.auth.clients import ALGORITHMS, Client, find_client
from app.auth.errors import InvalidClient
from app.auth.outgoing import Unreachable
from app.storage.database import Database

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_LIFETIME = 300
"""Seconds; "This time SHALL be no more than five minutes in the future"."""
SKEW = 10
"""Seconds by which a client's clock may differ from ours."""
MAX_TIME = 1e11
"""Seconds since 1970 that still make sense as a time."""
MAX_JTI = 255


async def authenticate(
    authority: Authority, parameters: Mapping[str, str], also: tuple[str, ...] = ()
) -> Client:
    """The client whose registered key signed the assertion. Raises InvalidClient.

    It is addressed to the token endpoint, or to one of `also`.
    """
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidClient(f"client_assertion_type must be {ASSERTION_TYPE}")
    assertion = parameters["client_assertion"]
    issuer = claimed_issuer(assertion)
    client = await find_client(authority.database, issuer) if issuer else None
    if client is None or client.auth_method != "private_key_jwt":
        raise InvalidClient("the assertion names no client that may use one")
    try:
        claims = await _verified(authority, client, assertion)
    except (jose.InvalidToken, jose.InvalidKey, Unreachable) as error:
        raise InvalidClient(f"the assertion cannot be verified: {error}") from error
    _check(claims, client, {authority.token_endpoint, *also})
    # Last, so that only the client itself can use up its assertion.
    if not await consume(authority.database, client.id, claims["jti"], claims["exp"] + SKEW):
        raise InvalidClient("the assertion was used before")
    return client


def claimed_issuer(assertion: str) -> str | None:
    """Whom an assertion says it is from, before anything is proved."""
    try:
        issuer = jose.read_unverified(assertion).get("iss")
    except jose.InvalidToken:
        return None
    return issuer if isinstance(issuer, str) else None


async def consume(database: Database, issuer: str, jti: str, expires: float) -> bool:
    """Use up an assertion's jti until it expires; False when it was used before."""
    row = await database.fetchrow(
        "INSERT INTO used_assertion (issuer, jti, expires) VALUES ($1, $2, to_timestamp($3))"
        " ON CONFLICT DO NOTHING RETURNING jti",
        issuer,
        jti,
        expires,
    )
    return row is not None


async def _verified(authority: Authority, client: Client, assertion: str) -> jose.Claims:
    """The claims, after asking the key set's server again when it has no such key: keys rotate."""
    header = jose.read_header(assertion)
    # "If the jku header is present, verify that it is whitelisted": the registered URL, no other.
    if "jku" in header and header["jku"] != client.jwks_url:
        raise jose.InvalidToken("jku is not the registered key set URL")
    if client.jwks_url is None:
        return jose.verify(assertion, client.keys, ALGORITHMS)
    keys = await authority.client_keys.get(client.jwks_url, ALGORITHMS)
    try:
        return jose.verify(assertion, keys, ALGORITHMS)
    except jose.UnknownKey:
        keys = await authority.client_keys.get(client.jwks_url, ALGORITHMS, again=True)
        return jose.verify(assertion, keys, ALGORITHMS)


def _check(claims: jose.Claims, client: Client, audiences: set[str]) -> None:
    for fault in _faults(claims, client, audiences, time.time()):
        raise InvalidClient(fault)


def _faults(claims: jose.Claims, client: Client, audiences: set[str], now: float) -> Iterable[str]:
    """What is wrong with an assertion's claims, one sentence each."""
    exp, jti = claims.get("exp"), claims.get("jti")
    if claims.get("iss") != client.id or claims.get("sub") != client.id:
        yield "iss and sub must both be the client_id"
    if not any(isinstance(aud, str) and aud in audiences for aud in _texts(claims.get("aud"))):
        yield "aud must be the URL of the token endpoint"
    if not is_within(exp, now - SKEW, MAX_TIME):
        yield "the assertion has expired, or has no exp"
    elif not is_within(exp, 0, now + MAX_LIFETIME + SKEW):
        yield "exp is more than 5 minutes ahead"
    if any(
        name in claims and not is_within(claims[name], 0, now + SKEW) for name in ("nbf", "iat")
    ):
        yield "the assertion is not valid yet"
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI or not jti.isprintable():
        yield f"jti must be a text of 1 to {MAX_JTI} printable characters"


def _texts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def is_within(value: Any, low: float, high: float) -> bool:
    """Whether this is a number between the two, which no infinity and no NaN is."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low < value < high
