"""Proofs of RFC 9449, and requests that carry them."""

import secrets
import time
from typing import Any

import httpx
from jose import jws

from app.auth import jose
from app.auth.dpop import TYP
from tests.smart.browser import FORM, App
from tests.smart.conftest import SCOPE, World


def proof(key: jose.Claims, method: str, url: str, token: str | None = None, **changed: Any) -> str:
    """A fresh proof; what is changed to None is left out, and `header` changes its header."""
    header = {"typ": TYP, "jwk": jose.public(key)} | changed.pop("header", {})
    said = {
        "jti": secrets.token_urlsafe(),
        "htm": method,
        "htu": url,
        "iat": int(time.time()),
        "ath": jose.hash_of(token) if token else None,
    } | changed
    return signed({n: v for n, v in said.items() if v is not None}, key, header)


def signed(claims: dict[str, Any], key: jose.Claims, header: dict[str, Any]) -> str:
    """With any header, as no library makes it."""
    made: str = jws.sign(claims, jose._key(key, key["alg"]), header, key["alg"])
    return made


async def token(app: App, sent: str | None, **asked: Any) -> httpx.Response:
    """Ask for a token with a proof."""
    data = {"client_id": app.client_id} | asked
    headers = FORM | ({"DPoP": sent} if sent else {})
    return await app.http.post(f"{app.issuer}/auth/token", data=data, headers=headers)


async def bound(
    world: World, key: jose.Claims, scope: str = SCOPE, **registered: Any
) -> tuple[App, dict[str, Any]]:
    """An app and the token response that is bound to this key."""
    app = await world.app(**registered)
    code = await world.code(app, await world.signed_in("ada"), scope)
    answer = await token(app, proof(key, "POST", f"{world.issuer}/auth/token"), **form(app, code))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return app, body


def form(app: App, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": app.redirect_uri,
        "code_verifier": app.verifier,
    }


async def read(world: World, access: str, *sent: str, scheme: str = "DPoP") -> httpx.Response:
    headers = [("Authorization", f"{scheme} {access}"), *(("DPoP", each) for each in sent)]
    return await world.http().get(goal(world), headers=headers)


def goal(world: World) -> str:
    return f"{world.issuer}/fhir/Goal/ada-goal-1"
