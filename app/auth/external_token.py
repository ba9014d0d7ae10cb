"""Access tokens of an issuer an operator trusts: its claims, in our words, as the operator says.

https://www.rfc-editor.org/rfc/rfc9068#section-4, https://www.rfc-editor.org/rfc/rfc8725
"""

import re
import time
from collections.abc import Mapping
from typing import Any

from app.auth import jose
from app.auth.assertions import MAX_TIME, is_within
from app.auth.handles import digest
from app.auth.issuers import Issuer
from app.auth.scopes import OTHER

SKEW = 10
"""Seconds by which the issuer's clock may differ from ours."""

_ID = re.compile(r"(?:Patient/)?([A-Za-z0-9.-]{1,64})")
_PERSON = re.compile(
    r"(?:Patient|Practitioner|PractitionerRole|RelatedPerson|Person)/[A-Za-z0-9.-]{1,64}"
)
_ORGANIZATION = re.compile(r"Organization/[A-Za-z0-9.-]{1,64}")


class Untrusted(ValueError):
    """The token says what cannot count here; the message is fit for the client's developer."""


def ours(issuer: Issuer, token: str, claims: jose.Claims, base_url: str) -> jose.Claims:
    """The claims of a verified access token as our own tokens have them. Raises Untrusted.

    What a claim is missing for opens nothing; one that is malformed voids the token.
    """
    check_times(claims)
    aud = claims.get("aud")
    if issuer.audience not in (aud if isinstance(aud, list) else [aud]):
        raise Untrusted("the access token was made for another server")
    names = issuer.claims
    subject, client_id = claims.get("sub"), found(claims, names.client_id)
    cnf = claims.get("cnf", {"jkt": ""})
    # RFC 7800 3.1: a token bound in a way we cannot check is not a bearer token.
    if not isinstance(cnf, dict) or list(cnf) != ["jkt"] or not isinstance(cnf["jkt"], str):
        raise Untrusted("the access token is bound to something that cannot be proved here")
    if not is_name(subject) or not is_name(client_id):
        raise Untrusted("the access token names no subject or no client")
    said = {
        # Never to be taken for an account or a client of ours.
        "sub": f"{issuer.issuer}#{subject}",
        "client_id": f"{issuer.issuer}#{client_id}",
        "jti": digest(token),
        "exp": int(claims["exp"]),
        "scope": _scope(issuer, claims),
        "role": role(issuer, claims),
        "fhirUser": fhir_user(issuer, claims, base_url),
        "organization": _matching(claims, names.organization, _ORGANIZATION),
        "patient": _matching(claims, names.patient, _ID),
        "cnf": claims.get("cnf"),
    }
    return {name: value for name, value in said.items() if value is not None}


def _scope(issuer: Issuer, claims: Mapping[str, Any]) -> str:
    """The scopes of a token; there is no registration of ours to say which of OTHER it may have."""
    said = _list(found(claims, issuer.claims.scope))
    barred = OTHER.difference(issuer.extra_scopes)
    texts = (word for text in said if isinstance(text, str) for word in text.split())
    return " ".join(word for word in texts if word not in barred)


def is_name(value: Any) -> bool:
    """Whether this can name somebody: 255 printable characters at most, as in OpenID Connect."""
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()


def check_times(claims: Mapping[str, Any]) -> None:
    """Refuse claims that are over, or not yet. Raises Untrusted."""
    now = time.time()
    if not is_within(claims.get("exp"), now, MAX_TIME):
        raise Untrusted("the token has expired")
    for name in ("nbf", "iat"):
        if name in claims and not is_within(claims[name], 0, now + SKEW):
            raise Untrusted("the token is not valid yet")


def role(issuer: Issuer, claims: Mapping[str, Any]) -> str:
    """The role of ours that the claims amount to. Raises Untrusted."""
    theirs = _list(found(claims, issuer.claims.role))
    for name, ours_ in issuer.roles.items():
        if name in theirs:
            return ours_
    raise Untrusted("the token has none of the roles that mean something here")


def fhir_user(issuer: Issuer, claims: Mapping[str, Any], base_url: str) -> str | None:
    """Who it is, as a reference; None when that is a resource of another server, or not said."""
    value = found(claims, issuer.claims.fhir_user)
    if value is None:
        return None
    reference = str(value).removeprefix(f"{base_url}/")
    if "://" in reference:
        return None
    if not _PERSON.fullmatch(reference):
        raise Untrusted("the claim that says who it is, is no reference to a person")
    return reference


def found(claims: Mapping[str, Any], path: str) -> Any:
    """What is at a name, or at a path with dots: a claim of that very name goes first."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _matching(claims: Mapping[str, Any], path: str, shape: re.Pattern[str]) -> str | None:
    value = found(claims, path)
    if value is None:
        return None
    match = shape.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Untrusted(f"the claim {path} is not well formed")
    return match[match.lastindex or 0]


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return value.split(" ")
    return value if isinstance(value, list) else []
