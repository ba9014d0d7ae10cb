"""Assertions of RFC 7523 at the token endpoint: who signed them, what they say, and only once."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.auth import jose
from app.auth.clients import Client, Registration, create_client
from app.storage.database import Database
from tests.auth.assertions import SCOPE, TOKEN_URL, assertion, form, post, refused, rsa_jwk


async def test_an_rs384_assertion_is_as_good(http: httpx.AsyncClient, database: Database) -> None:
    key = rsa_jwk()
    jwks = {"keys": [jose.public(key)]}
    asked = Registration("RSA", SCOPE, "ehr-system", jwks=jwks)
    client, _ = await create_client(database, asked)
    assert (await post(http, form(assertion(client.id, key)))).status_code == 200


async def test_client_id_must_be_the_one_that_signed(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    data = form(assertion(backend.id, key), client_id="another")
    assert refused(await post(http, data), "invalid_client", 401)
    data = form(assertion(backend.id, key), client_id=backend.id)
    assert (await post(http, data)).status_code == 200


NOW = int(time.time())


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "nobody"},
        {"iss": None},
        {"iss": 1},
        {"sub": "nobody"},
        {"sub": None},
        {"aud": "http://127.0.0.1:8000/fhir"},
        {"aud": TOKEN_URL + "/"},
        {"aud": []},
        {"aud": None},
        {"aud": {"token": TOKEN_URL}},
        {"exp": NOW + 3_600},
        {"exp": NOW - 60},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"nbf": NOW + 3_600},
        {"iat": NOW + 3_600},
        {"iat": "now"},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "a\0b"},
        {"jti": "x" * 256},
    ],
)
async def test_an_assertion_with_a_wrong_claim_is_refused(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims, changed: dict[str, Any]
) -> None:
    response = await post(http, form(assertion(backend.id, key, **changed)))
    assert refused(response, "invalid_client", 401)


async def test_an_assertion_may_name_several_audiences(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    signed = assertion(backend.id, key, aud=["https://other.example", TOKEN_URL])
    assert (await post(http, form(signed))).status_code == 200


async def test_an_assertion_signed_by_another_key_is_refused(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    stranger = jose.generate("ES384")
    for signer in (stranger, stranger | {"kid": key["kid"]}):
        response = await post(http, form(assertion(backend.id, signer)))
        assert refused(response, "invalid_client", 401)


@pytest.mark.parametrize("kind", ["", "urn:ietf:params:oauth:grant-type:jwt-bearer"])
async def test_an_assertion_of_an_unknown_kind_is_refused(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims, kind: str
) -> None:
    data = form(assertion(backend.id, key), client_assertion_type=kind)
    assert refused(await post(http, data), "invalid_client", 401)


@pytest.mark.parametrize("text", ["x", "a.b.c", "e30.e30.e30", "é.é.é"])
async def test_an_assertion_that_is_no_token_is_refused(http: httpx.AsyncClient, text: str) -> None:
    assert refused(await post(http, form(text)), "invalid_client", 401)


async def test_an_access_token_is_not_an_assertion(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    body = (await post(http, form(assertion(backend.id, key)))).json()
    assert refused(await post(http, form(body["access_token"])), "invalid_client", 401)


async def test_an_assertion_works_once(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    data = form(assertion(backend.id, key))
    assert (await post(http, data)).status_code == 200
    assert refused(await post(http, data), "invalid_client", 401)


async def test_of_32_concurrent_redemptions_of_an_assertion_one_succeeds(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    data = form(assertion(backend.id, key))
    responses = await asyncio.gather(*(post(http, data) for _ in range(32)))
    assert sorted(response.status_code for response in responses) == [200] + [401] * 31


async def test_a_forged_assertion_does_not_use_up_the_real_one(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    forger = jose.generate("ES384") | {"kid": key["kid"]}
    forged, real = (assertion(backend.id, k, jti="the-same-one") for k in (forger, key))
    assert refused(await post(http, form(forged)), "invalid_client", 401)
    assert (await post(http, form(real))).status_code == 200


async def test_a_jti_is_used_up_for_its_issuer_alone(
    http: httpx.AsyncClient, database: Database, key: jose.Claims
) -> None:
    asked = Registration("One", SCOPE, "ehr-system", jwks={"keys": [jose.public(key)]})
    for name in ("One", "Two"):
        client, _ = await create_client(database, replace(asked, name=name))
        data = form(assertion(client.id, key, jti="shared"))
        assert (await post(http, data)).status_code == 200
