"""DPoP: what a thief of tokens lacks is the key, and what a thief of proofs lacks is the time."""

import asyncio
import time
from collections import Counter
from typing import Any

import pytest

from app.auth import jose
from app.auth.access_token import Grant, issue
from tests.auth.assertions import ASSERTION_TYPE, assertion
from tests.http.conftest import serving
from tests.smart.browser import FORM, App, returned
from tests.smart.conftest import SCOPE, World
from tests.smart.dpop import bound, form, goal, proof, read, token
from tests.smart.test_pushed_requests import code as pushed_code

MANY = 32


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "RS256"])
async def test_a_bound_token_opens_with_a_proof_of_its_key(world: World, algorithm: str) -> None:
    key = jose.generate(algorithm)
    _, body = await bound(world, key)
    assert body["token_type"] == "DPoP"
    access = body["access_token"]
    assert (await read(world, access, proof(key, "GET", goal(world), access))).status_code == 200
    by_query = f"{goal(world)}?_format=json"
    headers = {"Authorization": f"DPoP {access}", "DPoP": proof(key, "GET", goal(world), access)}
    assert (await world.http().get(by_query, headers=headers)).status_code == 200
    headers["DPoP"] = proof(key, "HEAD", goal(world), access)
    assert (await world.http().head(goal(world), headers=headers)).status_code == 200


async def test_a_bound_token_is_no_bearer_token(world: World) -> None:
    key = jose.generate()
    _, body = await bound(world, key)
    access = body["access_token"]
    for sent in ((), (proof(key, "GET", goal(world), access),)):
        answer = await read(world, access, *sent, scheme="Bearer")
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_bearer_token_is_no_bound_token(world: World) -> None:
    _, body = await world.launched()
    access = body["access_token"]
    sent = proof(jose.generate(), "GET", goal(world), access)
    assert (await read(world, access, sent)).status_code == 401
    assert (await read(world, access, scheme="Bearer")).status_code == 200


WRONG: list[dict[str, Any]] = [
    {"htm": "POST"},
    {"htm": "get"},
    {"htm": None},
    {"htu": "https://evil.example/fhir/Goal/ada-goal-1"},
    {"htu": None},
    {"htu": 7},
    {"htu": "http://[/fhir/Goal/ada-goal-1"},
    {"iat": int(time.time()) - 3600},
    {"iat": int(time.time()) + 3600},
    {"iat": None},
    {"iat": "now"},
    {"iat": float("nan")},
    {"jti": None},
    {"jti": ""},
    {"jti": "x" * 300},
    {"jti": "a\0b"},
    {"ath": None},
    {"ath": jose.hash_of("another")},
    {"ath": 7},
    {"header": {"typ": "JWT"}},
    {"header": {"typ": "at+jwt"}},
    {"header": {"jwk": None}},
    {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    {"header": {"jwk": {"kty": "EC"}}},
    {"header": {"jwk": {"kty": ["EC"], "crv": 7}}},
    {"header": {"jwk": jose.public(jose.generate())}},
    {"header": {"jwk": jose.generate()}},
    {"header": {"crit": ["exp"]}},
]


@pytest.mark.parametrize("changed", WRONG, ids=range(len(WRONG)))
async def test_a_proof_that_is_wrong_in_one_way_opens_nothing(
    world: World, changed: dict[str, Any]
) -> None:
    key = jose.generate()
    _, body = await bound(world, key, "launch/patient patient/Goal.rs")
    access = body["access_token"]
    answer = await read(world, access, proof(key, "GET", goal(world), access, **changed))
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("DPoP ")
    assert 'error="invalid_dpop_proof"' in challenge
    assert 'algs="ES256 ES384 RS256"' in challenge


async def test_one_proof_comes_with_a_request(world: World) -> None:
    key = jose.generate()
    _, body = await bound(world, key)
    access = body["access_token"]
    two = [proof(key, "GET", goal(world), access) for _ in range(2)]
    for sent in ((), two, ("not-a-jws",), ("a.b.c",), ("",)):
        assert (await read(world, access, *sent)).status_code == 401


async def test_the_proof_is_of_the_key_the_token_is_bound_to(world: World) -> None:
    _, body = await bound(world, jose.generate())
    access, thief = body["access_token"], jose.generate()
    answer = await read(world, access, proof(thief, "GET", goal(world), access))
    assert answer.status_code == 401


async def test_of_many_who_send_one_proof_at_once_one_is_let_in(world: World) -> None:
    key = jose.generate()
    _, body = await bound(world, key)
    access = body["access_token"]
    sent = proof(key, "GET", goal(world), access)
    answers = await asyncio.gather(*(read(world, access, sent) for _ in range(MANY)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: MANY - 1}


async def test_a_public_app_refreshes_with_its_key_only(world: World) -> None:
    key, url = jose.generate(), f"{world.issuer}/auth/token"
    app, body = await bound(world, key)
    asked = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
    for sent in (None, proof(jose.generate(), "POST", url)):
        refused = await token(app, sent, **asked)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    answer = await token(app, proof(key, "POST", url), **asked)
    assert answer.json()["token_type"] == "DPoP"
    assert answer.json()["refresh_token"]


async def test_an_app_that_has_to_bind_its_tokens_gets_no_others(world: World) -> None:
    app = await world.app(dpop_bound_access_tokens=True)
    browser = await world.signed_in("ada")
    refused = await app.redeem(await world.code(app, browser))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    key, url = jose.generate(), f"{world.issuer}/auth/token"
    code = await world.code(app, browser)
    assert (await token(app, proof(key, "POST", url), **form(app, code))).status_code == 200


async def test_a_wrong_proof_gets_no_token(world: World) -> None:
    app, url = await world.app(), f"{world.issuer}/auth/token"
    code = await world.code(app, await world.signed_in("ada"))
    for sent in (proof(jose.generate(), "GET", url), proof(jose.generate(), "POST", url + "s")):
        refused = await token(app, sent, **form(app, code))
        assert refused.json()["error"] == "invalid_dpop_proof"
    assert (await app.redeem(code)).json()["token_type"] == "Bearer"


@pytest.mark.parametrize("pushes", [False, True])
async def test_a_code_bound_to_a_key_needs_its_proof(world: World, pushes: bool) -> None:
    """RFC 9449 10: who steals code and verifier together still lacks the key."""
    key, url = jose.generate(), f"{world.issuer}/auth/token"
    app, browser = await world.app(), await world.signed_in("ada")
    for thief in (None, proof(jose.generate(), "POST", url)):
        if pushes:
            code = await _pushed(world, app, key)
        else:
            code = await world.code(app, browser, dpop_jkt=jose.thumbprint(key))
        assert (await token(app, thief, **form(app, code))).json()["error"] == "invalid_grant"
    code = await world.code(app, browser, dpop_jkt=jose.thumbprint(key))
    assert (await token(app, proof(key, "POST", url), **form(app, code))).status_code == 200
    said = returned(await world.asked(app, browser, dpop_jkt="x"))
    assert said["error"] == "invalid_request"


async def _pushed(world: World, app: App, key: jose.Claims) -> str:
    par = f"{world.issuer}/auth/par"
    headers = FORM | {"DPoP": proof(key, "POST", par)}
    pushed = await app.http.post(par, data=app.request(SCOPE), headers=headers)
    wrong = await app.http.post(
        par,
        data=app.request(SCOPE, dpop_jkt="x" * 43),
        headers=FORM | {"DPoP": proof(key, "POST", par)},
    )
    assert wrong.json()["error"] == "invalid_dpop_proof"
    return await pushed_code(app, await world.signed_in("ada"), pushed.json()["request_uri"])


async def test_a_backend_service_binds_its_token(world: World) -> None:
    mine, key, url = jose.generate("ES384"), jose.generate(), f"{world.issuer}/auth/token"
    app = await world.app(
        "private_key_jwt",
        scope="system/Goal.rs __introspection",
        organization="Organization/agency",
        jwks={"keys": [jose.public(mine)]},
    )
    asked = {
        "grant_type": "client_credentials",
        "scope": "system/Goal.rs __introspection",
        "client_assertion": assertion(app.client_id, mine),
        "client_assertion_type": ASSERTION_TYPE,
    }
    body = (await token(app, proof(key, "POST", url), **asked)).json()
    access = body["access_token"]
    assert (await read(world, access, proof(key, "GET", goal(world), access))).status_code == 200
    asking = f"{world.issuer}/auth/introspect"
    headers = FORM | {"Authorization": f"DPoP {access}", "DPoP": proof(key, "POST", asking, access)}
    said = (await world.http().post(asking, data={"token": access}, headers=headers)).json()
    assert said["active"] is True
    assert (said["token_type"], said["cnf"]) == ("DPoP", {"jkt": jose.thumbprint(key)})


async def test_who_comes_without_a_token_is_told_both_ways(world: World) -> None:
    challenge = (await world.http().get(goal(world))).headers["www-authenticate"]
    assert challenge == 'Bearer realm="fhir", DPoP algs="ES256 ES384 RS256"'


async def test_the_figures_are_told_to_a_bound_token_with_a_proof(dsn: str, world: World) -> None:
    key = jose.generate("ES256")
    async with serving(dsn, metrics="operator") as service:
        authority = service.app.state.authority
        grant = Grant("watch", "system/*.rs", "operator", jkt=jose.thumbprint(key))
        access = (await issue(authority, grant)).token
        url = f"{authority.issuer}/metrics"
        sent = {"Authorization": f"DPoP {access}", "DPoP": proof(key, "GET", url, access)}
        http = service.client()
        assert "isp_requests" in (await http.get(url, headers=sent)).text
        assert (await http.get(url, headers=sent)).status_code == 401
        del sent["DPoP"]
        assert (await http.get(url, headers=sent)).status_code == 401


async def test_discovery_says_which_proofs_are_taken(world: World) -> None:
    for path in ("oauth-authorization-server", "oauth-protected-resource/fhir"):
        said = (await world.http().get(f"{world.issuer}/.well-known/{path}")).json()
        assert said["dpop_signing_alg_values_supported"] == ["ES256", "ES384", "RS256"]


def test_a_thumbprint_is_that_of_the_standard() -> None:
    """https://www.rfc-editor.org/rfc/rfc9449#section-6.1"""
    jwk = {
        "kty": "EC",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        "crv": "P-256",
    }
    assert jose.thumbprint(jwk) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
