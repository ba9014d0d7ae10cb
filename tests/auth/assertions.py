"""Client assertions and the forms that carry them, as a client would make them."""

import secrets
import time
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from jose.backends.cryptography_backend import CryptographyRSAKey

from app.auth import jose

TOKEN_URL = "http://127.0.0.1:8000/auth/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = "system/*.rs system/Goal.cruds"


def assertion(client_id: str, key: jose.JWK, **changed: Any) -> str:
    """A fresh assertion; a claim changed to None is left out."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": TOKEN_URL,
        "exp": int(time.time()) + 240,
        "jti": secrets.token_urlsafe(),
    } | changed
    return jose.sign({name: value for name, value in claims.items() if value is not None}, key)


def form(signed: str, scope: str = "system/Goal.rs", **changed: str) -> dict[str, str]:
    """The form of a token request by private_key_jwt."""
    return {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed,
    } | changed


def rsa_jwk(bits: int = 2048, kid: str = "rsa") -> jose.Claims:
    """A new private RSA key for RS384."""
    key: Any = CryptographyRSAKey(rsa.generate_private_key(65537, bits), "RS384")
    jwk: jose.Claims = key.to_dict()
    return jwk | {"kid": kid}


async def post(http: httpx.AsyncClient, data: Any, **options: Any) -> httpx.Response:
    return await http.post("/auth/token", data=data, **options)


def refused(response: httpx.Response, error: str, status: int) -> bool:
    body = response.json()
    assert body["error_description"].isascii()
    assert '"' not in body["error_description"]
    assert response.headers["cache-control"] == "no-store"
    return (response.status_code, body["error"]) == (status, error)
