"""Signing in with another OpenID provider: away with a state, back with a code.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth,
https://www.rfc-editor.org/rfc/rfc9700#section-2.1
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from asyncpg import Record

from app.auth import jose
from app.auth.accounts import Account
from app.auth.authority import Authority
from app.auth.external_accounts import account_of
from app.auth.external_token import Untrusted, check_times, is_name
from app.auth.handles import digest, new_handle
from app.auth.issuers import Issuer
from app.auth.outgoing import Unreachable

LIFETIME = 600
"""Seconds a person has to sign in there."""


class NotSignedIn(Exception):
    """Why nobody is signed in, for the audit trail; the person is told no more than that."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who came back, and the handle of the authorization request it was for, "" for none."""

    account: Account
    request: str


def return_address(authority: Authority) -> str:
    """The redirect URI to be registered with every provider."""
    return f"{authority.issuer}/auth/callback"


async def departure(
    authority: Authority, issuer: Issuer, browser: str, request: str, *, is_anew: bool
) -> str:
    """Where to send a browser to sign in; `is_anew` when the app wants the person asked again.

    Raises NotSignedIn when the provider cannot be asked.
    """
    assert issuer.sign_in
    try:
        metadata = await authority.providers.metadata(issuer)
    except Unreachable as error:
        raise NotSignedIn(f"the provider's metadata: {error}") from error
    state, nonce, verifier = new_handle(), new_handle(), new_handle()
    await authority.database.execute(
        "INSERT INTO external_sign_in (id, browser, issuer, nonce, code_verifier, request, expires)"
        " VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))",
        digest(state),
        digest(browser),
        issuer.issuer,
        nonce,
        verifier,
        request,
        LIFETIME,
    )
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    asked = {
        "response_type": "code",
        "client_id": issuer.sign_in.client_id,
        "redirect_uri": return_address(authority),
        "scope": issuer.sign_in.scope,
        "state": state,
        "nonce": nonce,
        "code_challenge": hashed.rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    asked |= issuer.sign_in.parameters | ({"prompt": "login"} if is_anew else {})
    joint = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
    return f"{metadata.authorization_endpoint}{joint}{urlencode(asked)}"


async def arrival(authority: Authority, browser: str, said: Mapping[str, str]) -> Arrival:
    """Who came back with what the provider said. Raises NotSignedIn."""
    row = await _use_up(authority, browser, said.get("state", ""))
    issuer = authority.providers.issuers.find(row["issuer"])
    if issuer is None or issuer.sign_in is None:
        raise NotSignedIn("the provider is not trusted any more")
    try:
        await _check_issuer(authority, issuer, said.get("iss"))
        if "code" not in said:
            raise NotSignedIn("the provider answered without a code")
        claims = await _id_token(authority, issuer, row, said["code"])
        return Arrival(await account_of(authority, issuer, claims), row["request"])
    except (Unreachable, Untrusted, jose.InvalidToken) as error:
        raise NotSignedIn(str(error)) from error


async def _use_up(authority: Authority, browser: str, state: str) -> Record:
    """What was remembered of a departure, this once, and for the browser that departed alone."""
    row = await authority.database.fetchrow(
        "DELETE FROM external_sign_in WHERE id = $1 AND browser = $2 AND expires > now()"
        " RETURNING issuer, nonce, code_verifier, request",
        digest(state),
        digest(browser),
    )
    if row is None:
        raise NotSignedIn("the state is unknown, expired, was used, or is another browser's")
    return row


async def _check_issuer(authority: Authority, issuer: Issuer, iss: str | None) -> None:
    """Refuse an answer mixed up with another provider's. RFC 9207 2.4; RFC 9700 4.4.2."""
    others = [e for e in authority.providers.issuers.issuers if e.sign_in and e != issuer]
    is_needed = bool(others) or (await authority.providers.metadata(issuer)).says_iss
    if (iss is not None or is_needed) and iss != issuer.issuer:
        raise NotSignedIn("the answer is another provider's, or does not say whose it is")


async def _id_token(
    authority: Authority, issuer: Issuer, row: Record, code: str
) -> Mapping[str, Any]:
    """Who signed in there: the claims of an id token made for us, now, for this browser.

    https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": return_address(authority),
        "code_verifier": row["code_verifier"],
    }
    answer = await authority.providers.redeem(issuer, form)
    token = answer.get("id_token") if isinstance(answer, dict) else None
    if not isinstance(token, str):
        raise NotSignedIn("the provider answered without an id token")
    claims = await authority.providers.verify(issuer, token, "JWT")
    check_times(claims)
    nonce, client_id = claims.get("nonce"), issuer.sign_in and issuer.sign_in.client_id
    audiences = claims["aud"] if isinstance(claims.get("aud"), list) else [claims.get("aud")]
    if claims.get("iss") != issuer.issuer or client_id not in audiences:
        raise NotSignedIn("the id token is another issuer's, or for another client")
    if claims.get("azp", client_id if len(audiences) == 1 else None) != client_id:
        raise NotSignedIn("the id token is for another client")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), row["nonce"].encode()):
        raise NotSignedIn("the id token was made for another sign-in")
    if not is_name(claims.get("sub")):
        raise NotSignedIn("the id token names nobody")
    return claims
