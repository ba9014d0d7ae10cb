"""DPoP: a token that works only with the key its client has, proved with each request.

https://www.rfc-editor.org/rfc/rfc9449
"""

import hmac
import re
import time
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from app.auth import jose
from app.auth.assertions import MAX_JTI, consume, is_within
from app.storage.database import Database

ALGORITHMS = ("ES256", "ES384", "RS256")
TYP = "dpop+jwt"
LIFETIME, SKEW = 60, 10
"""Seconds after its iat that a proof is taken, and by which the client's clock may be ahead."""

JKT = re.compile(r"[A-Za-z0-9_-]{43}")
PORTS = {"http": 80, "https": 443}


class InvalidProof(ValueError):
    """The proof proves nothing for this request; the message is fit for the client's developer."""


@dataclass(frozen=True, slots=True)
class Presented:
    """The proofs that came with a request, and the method and URL they have to be for."""

    method: str
    url: str
    proofs: tuple[str, ...]


async def proven_key(database: Database, presented: Presented, token: str | None = None) -> str:
    """The thumbprint of the key that whoever sent this request has. Raises InvalidProof.

    `token` is the access token that came with it, if one did. A proof works once, on all workers.
    https://www.rfc-editor.org/rfc/rfc9449#section-4.3
    """
    if len(presented.proofs) != 1:
        raise InvalidProof("a request has one DPoP header")
    try:
        claims, jkt = jose.verify_embedded(presented.proofs[0], ALGORITHMS, TYP)
    except jose.InvalidToken as error:
        raise InvalidProof(f"the DPoP proof cannot be verified: {error}") from error
    _check(claims, presented)
    if token is not None and not _is_hash(claims.get("ath"), token):
        raise InvalidProof("ath is not the hash of the access token")
    # No client id has a colon, so that the two kinds of jti stay apart.
    if not await consume(database, f"dpop:{jkt}", claims["jti"], claims["iat"] + LIFETIME + SKEW):
        raise InvalidProof("the DPoP proof was used before")
    return jkt


def _check(claims: jose.Claims, presented: Presented) -> None:
    jti, now = claims.get("jti"), time.time()
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI or not jti.isprintable():
        raise InvalidProof(f"jti must be a text of 1 to {MAX_JTI} printable characters")
    if claims.get("htm") != presented.method:
        raise InvalidProof("htm is not the method of the request")
    if not _is_same(claims.get("htu"), presented.url):
        raise InvalidProof("htu is not the URL of the request, without query and fragment")
    if not is_within(claims.get("iat"), now - LIFETIME, now + SKEW):
        raise InvalidProof("iat is not the time of the request")


def _is_same(given: object, url: str) -> bool:
    """Whether two URLs are one, as RFC 3986 6.2.2 and 6.2.3 normalize them, but for the query."""
    try:
        return isinstance(given, str) and _parts(given) == _parts(url)
    except ValueError:
        return False


def _parts(url: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme), unquote(parts.path)


def _is_hash(value: object, token: str) -> bool:
    expected = jose.hash_of(token)
    return isinstance(value, str) and hmac.compare_digest(value.encode(), expected.encode())
