"""Access tokens: signed JWTs that any worker verifies alone, and that end at once when revoked.

https://www.rfc-editor.org/rfc/rfc9068, https://www.rfc-editor.org/rfc/rfc6750
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.auth import jose
from app.auth.assertions import claimed_issuer
from app.auth.authority import Authority
from app.auth.caller import Caller
from app.auth.dpop import ALGORITHMS as PROOFS
from app.auth.dpop import InvalidProof, Presented, proven_key
from app.auth.external_token import Untrusted, ours
from app.auth.keys import ALGORITHM
from app.auth.outgoing import Unreachable
from app.auth.roles import ROLES
from app.auth.scopes import OTHER, OWN, Scope, parse
from app.fhir.errors import Unauthorized, Unavailable

TYP = "at+jwt"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token will say: for which client, in which role, for whom when a user signed in."""

    client_id: str
    scope: str
    role: str
    organization: str | None = None
    purpose: str | None = None
    user: str | None = None
    fhir_user: str | None = None
    patient: str | None = None
    approval: str | None = None
    jkt: str | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An issued token; `lifetime` in seconds."""

    token: str
    id: str
    lifetime: int
    scope: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A token with what it says, and what else its response has: `more`, by member."""

    token: AccessToken
    grant: Grant
    more: Mapping[str, Any] = field(default_factory=dict)


async def issue(authority: Authority, grant: Grant, lifetime: int | None = None) -> AccessToken:
    """Sign an access token for a grant; `lifetime` in seconds, the setting's without."""
    seconds = lifetime or authority.settings.access_token_lifetime
    now, jti = int(time.time()), secrets.token_urlsafe(16)
    claims = {
        "iss": authority.issuer,
        "sub": grant.user or grant.client_id,
        "aud": authority.audience,
        "exp": now + seconds,
        "iat": now,
        "jti": jti,
        "client_id": grant.client_id,
        "scope": grant.scope,
        "role": grant.role,
        "organization": grant.organization,
        "purpose": grant.purpose,
        "fhirUser": grant.fhir_user,
        "patient": grant.patient,
        "approval": grant.approval,
        "cnf": {"jkt": grant.jkt} if grant.jkt else None,
    }
    said = {name: value for name, value in claims.items() if value is not None}
    token = jose.sign(said, await authority.keys.signing(), TYP)
    return AccessToken(token, jti, seconds, grant.scope)


async def authenticate(
    authority: Authority, authorization: str | None, presented: Presented | None = None
) -> Caller:
    """The caller whose access token an Authorization header carries, with the proof it may need.

    Raises Unauthorized, with the challenge of RFC 6750 section 3; DatabaseAway when it cannot tell.
    """
    scheme, token = _credentials(authorization)
    if not authority.revocations.is_current:
        authority.forget()
    caller = authority.callers.get(token)
    if caller is None:
        caller = await _external(authority, token) or to_caller(await verified(authority, token))
        authority.callers.put(token, caller)
    revocations = authority.revocations
    if await revocations.is_revoked(caller.token_id):
        raise _invalid("the access token was revoked")
    # What a person approved ends with all its tokens.
    if caller.approval and await revocations.is_revoked(caller.approval):
        raise _invalid("the access token was revoked")
    if caller.jkt or scheme == "dpop":
        await _check_binding(authority, caller, scheme, token, presented)
    return caller


async def _check_binding(
    authority: Authority, caller: Caller, scheme: str, token: str, presented: Presented | None
) -> None:
    """A bound token works with its key only, and another one not as if it were bound.

    https://www.rfc-editor.org/rfc/rfc9449#section-7
    """
    if scheme != "dpop":
        raise _invalid("the access token is bound to a key: send it with DPoP")
    if caller.jkt is None:
        raise _invalid("the access token is bound to no key: send it as Bearer")
    try:
        jkt = await proven_key(authority.database, presented or Presented("", "", ()), token)
    except InvalidProof as error:
        raise _unproven(str(error)) from error
    if jkt != caller.jkt:
        raise _unproven("the access token is bound to another key")


async def _external(authority: Authority, token: str) -> Caller | None:
    """The caller whose token another issuer signed whom the operator trusts; None for all others.

    Raises Unauthorized; Unavailable when the issuer does not say with what it signs.
    """
    providers = authority.providers
    if not providers.issuers.issuers:
        return None
    issuer = providers.issuers.find(claimed_issuer(token))
    if issuer is None or issuer.audience is None:
        return None
    try:
        claims = await providers.verify(issuer, token, issuer.typ)
        return to_caller(ours(issuer, token, claims, authority.audience))
    except (jose.InvalidToken, Untrusted) as error:
        raise _invalid(str(error)) from error
    except Unreachable as error:
        raise Unavailable("The issuer of the access token cannot be asked for its keys.") from error


async def verified(authority: Authority, token: str) -> jose.Claims:
    """The claims of a token this server issued for itself and that has not expired.

    Says nothing about revocation. Raises Unauthorized.
    """
    try:
        kid = jose.read_header(token)["kid"]
        keys = await authority.keys.verification(kid)
        claims = jose.verify(token, keys, (ALGORITHM,), TYP)
    except jose.InvalidToken as error:
        raise _invalid("the access token is not one of this server") from error
    if not _is_ours(authority, claims):
        raise _invalid("the access token was made for another server")
    if claims["exp"] <= time.time():
        raise _invalid("the access token has expired", "expired")
    return claims


def to_caller(claims: jose.Claims) -> Caller:
    """The caller a token speaks of. What a claim is missing for opens nothing: without fhirUser
    the user/ scopes fall away, without patient the patient/ scopes."""
    fhir_user, patient = claims.get("fhirUser"), claims.get("patient")
    present = {
        "system": True,
        "user": fhir_user is not None,
        "patient": patient is not None,
    }
    return Caller(
        client_id=claims["client_id"],
        role=claims["role"],
        organization=claims.get("organization"),
        user=claims["sub"] if fhir_user else None,
        fhir_user=fhir_user,
        patient=patient,
        scopes=tuple(
            scope
            for scope in (*parse(claims["scope"]), *_own(claims["scope"], fhir_user))
            if present[scope.context]
        ),
        extra_scopes=OTHER.intersection(claims["scope"].split()),
        purpose=claims.get("purpose"),
        token_id=claims["jti"],
        expires=claims["exp"],
        approval=claims.get("approval"),
        jkt=claims["cnf"]["jkt"] if "cnf" in claims else None,
    )


def _own(scope: str, fhir_user: str | None) -> tuple[Scope, ...]:
    """The scope `fhirUser` opens the one resource that says who signed in.

    https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-identity-data
    """
    if fhir_user is None or not {"fhirUser", "profile"}.intersection(scope.split()):
        return ()
    type_, _, id_ = fhir_user.partition("/")
    return (Scope("user", type_, "r", (("_id", id_),), OWN),)


def _is_ours(authority: Authority, claims: jose.Claims) -> bool:
    texts = ("sub", "jti", "client_id", "scope", "role")
    return (
        claims.get("iss") == authority.issuer
        and claims.get("aud") == authority.audience
        and _is_whole(claims.get("exp"))
        and all(isinstance(claims.get(name), str) for name in texts)
        and claims["role"] in ROLES
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _credentials(authorization: str | None) -> tuple[str, str]:
    """The scheme, in small letters, and the token."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() not in ("bearer", "dpop") or not token:
        # RFC 6750 3.1: a request without credentials is not told an error code.
        headers = {"WWW-Authenticate": f'Bearer realm="fhir", DPoP algs="{" ".join(PROOFS)}"'}
        raise Unauthorized("an access token is needed", headers=headers)
    return scheme.lower(), token.strip()


def _invalid(diagnostics: str, code: str = "login") -> Unauthorized:
    return Unauthorized(diagnostics, code=code, headers=_challenge(diagnostics))


def _challenge(diagnostics: str) -> dict[str, str]:
    error = f'error="invalid_token", error_description="{diagnostics}"'
    return {"WWW-Authenticate": f'Bearer realm="fhir", {error}'}


def _unproven(diagnostics: str) -> Unauthorized:
    error = f'error="invalid_dpop_proof", error_description="{diagnostics}"'
    headers = {"WWW-Authenticate": f'DPoP realm="fhir", {error}, algs="{" ".join(PROOFS)}"'}
    return Unauthorized(diagnostics, headers=headers)
