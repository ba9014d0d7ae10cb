"""How the web view signs people in: as any app does, by authorization code and PKCE.

Its access token lives in a cookie that no script reads, and counts only beside the session of the
person it was issued for.
https://hl7.org/fhir/smart-app-launch/app-launch.html
"""

import base64
import hashlib
import hmac
import re
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

from fastapi import Response

from app.auth.access_token import authenticate
from app.auth.authority import Authority
from app.auth.caller import Caller
from app.auth.client_authentication import Request
from app.auth.errors import OAuthError
from app.auth.handles import digest, is_handle, new_handle
from app.auth.sessions import is_secure
from app.auth.token import Answer, token
from app.auth.web_client import CLIENT_ID, SCOPE, register_web_client
from app.fhir.errors import Unauthorized
from app.routers.oauth import who
from app.routers.visits import PageError, Visit

TOKEN, ASKED = "app", "asked"
ASKED_AGE = 3_600
"""Seconds a person may take to sign in and to decide."""

HANDLE = 43
"""Characters of a handle; in the cookie of who is asked the page they came for follows it."""

PLACE = re.compile(r"(/[A-Za-z0-9.\-]{1,64}){0,6}")


def root(authority: Authority) -> str:
    """The URL that the web view is under."""
    return f"{authority.issuer}/app"


def return_address(authority: Authority) -> str:
    """The redirect URI of the web view."""
    return f"{root(authority)}/return"


async def caller_of(visit: Visit) -> Caller | None:
    """Who looks at the web view; None unless they are signed in and their token stands."""
    given = visit.http.cookies.get(_name(visit.authority, TOKEN))
    if visit.session is None or not given:
        return None
    try:
        caller = await authenticate(visit.authority, f"Bearer {given}")
    except Unauthorized:
        return None
    is_theirs = caller.user == visit.session.account.subject and caller.client_id == CLIENT_ID
    return caller if is_theirs else None


async def ask(visit: Visit) -> Response:
    """Send the browser to the authorization endpoint, with a verifier that only it keeps."""
    authority, verifier = visit.authority, new_handle()
    await register_web_client(authority, return_address(authority))
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    asked = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": return_address(authority),
        "scope": SCOPE,
        "state": _state(verifier),
        "aud": authority.audience,
        "code_challenge": hashed.rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    response = visit.redirect(f"{visit.root}/authorize?{urlencode(asked)}")
    place = visit.http.url.path.removeprefix(urlsplit(root(authority)).path)
    wanted = place if PLACE.fullmatch(place) else ""
    _keep(authority, response, ASKED, verifier + wanted, ASKED_AGE)
    return response


async def come_back(visit: Visit) -> Response:
    """Redeem the code that the browser brings. Raises PageError where it is not what was asked."""
    authority, form = visit.authority, visit.form
    kept = visit.http.cookies.get(_name(authority, ASKED), "")
    verifier, place = kept[:HANDLE], kept[HANDLE:]
    is_asked = hmac.compare_digest(form.get("state", "").encode(), _state(verifier).encode())
    if not (is_handle(verifier) and is_asked and form.get("iss") == authority.issuer):
        raise PageError("web.error.sign-in", 403)
    if "code" not in form:
        raise PageError("web.error.refused", 403)
    answer = await _redeemed(visit, form["code"], verifier)
    response = visit.redirect(root(authority) + (place if PLACE.fullmatch(place) else ""))
    _keep(authority, response, TOKEN, answer.body["access_token"], answer.body["expires_in"])
    _keep(authority, response, ASKED, "", 0)
    return response


async def _redeemed(visit: Visit, code: str, verifier: str) -> Answer:
    asked = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "redirect_uri": return_address(visit.authority),
        "code": code,
        "code_verifier": verifier,
    }
    event = replace(visit.event, action="token", client_id=CLIENT_ID)
    try:
        answer = await token(visit.authority, Request(asked))
    except OAuthError as error:
        said = replace(event, error=error.error, description=error.description)
        await visit.authority.audit(said)
        raise PageError("web.error.sign-in", 403) from error
    granted = replace(event, scope=answer.scope, token_id=answer.token_id, **who(answer.grant))
    await visit.authority.audit(granted)
    return answer


def _state(verifier: str) -> str:
    """What comes back with the code, and is no use to who reads it."""
    return digest(f"state {verifier}")


def _name(authority: Authority, kind: str) -> str:
    return f"__Host-isp-{kind}" if is_secure(authority) else f"isp-{kind}"


def _keep(authority: Authority, response: Response, kind: str, value: str, age: int) -> None:
    response.set_cookie(
        _name(authority, kind),
        value,
        max_age=age,
        path="/",
        secure=is_secure(authority),
        httponly=True,
        samesite="lax",
    )
