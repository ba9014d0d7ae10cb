"""Another provider's answers, each made wrong in one way: nobody is signed in."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth import jose
from tests.http.conftest import serving
from tests.smart.browser import Browser
from tests.smart.conftest import World
from tests.smart.lying import elsewhere, provider, trusted, world
from tests.smart.provider import Liar, liar, named

__all__ = ["elsewhere", "provider", "world"]

MANY = 32


async def away(world: World, provider: Liar, browser: Browser) -> str:
    """Where the provider sends the browser back to."""
    start = f"{world.issuer}/auth/external"
    there = await browser.http.get(start, params={"issuer": provider.issuer})
    assert there.status_code == 303, there.text
    async with httpx.AsyncClient() as http:
        back = await http.get(there.headers["location"])
    return back.headers["location"]


async def outcome(world: World, provider: Liar) -> httpx.Response:
    browser = world.browser()
    return await browser.get(await away(world, provider, browser))


async def test_an_honest_provider_signs_in_whom_it_vouches_for(
    world: World, provider: Liar
) -> None:
    for _ in range(2):
        answer = await outcome(world, provider)
        assert answer.status_code == 200
        assert answer.url.path == "/auth/apps"
    rows = await world.database.fetch("SELECT * FROM account WHERE username LIKE 's-1@%'")
    assert [(row["fhir_user"], row["role"]) for row in rows] == [("Patient/ada", "individual")]
    assert provider.asked["code_challenge_method"] == "S256"
    assert provider.asked["redirect_uri"] == f"{world.issuer}/auth/callback"


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["us", "another-client"]},
        {"azp": "another-client"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"exp": float("inf")},
        {"nbf": 99_999_999_999},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 300},
        {"sub": ["s-1"]},
        {"sub": "somebody-new", "fhirUser": "Observation/1"},
        {"sub": "somebody-new", "fhirUser": None},
        {"sub": "somebody-new", "fhirUser": "https://evil.example/fhir/Patient/ada"},
        {"realm_access": {"roles": ["operator"]}},
        {"realm_access": {"roles": ["key-worker"]}},
        {"realm_access": None},
        {"realm_access": {"roles": ["care-manager"]}},
        {"fhirUser": "Patient/bea"},
    ],
)
async def test_an_id_token_with_a_wrong_claim_signs_nobody_in(
    world: World, provider: Liar, changed: dict[str, Any]
) -> None:
    await outcome(world, provider)
    accounts = await world.database.fetchval("SELECT count(*) FROM account")
    provider.claims |= changed
    answer = await outcome(world, provider)
    assert answer.status_code == 403
    assert await world.database.fetchval("SELECT count(*) FROM account") == accounts


@pytest.mark.parametrize(
    "said",
    [
        {"iss": "https://evil.example"},
        {"state": "x" * 43},
        {"code": None, "error": "access_denied"},
        {"code": None},
    ],
)
async def test_an_answer_that_is_mixed_up_signs_nobody_in(
    world: World, provider: Liar, said: dict[str, Any]
) -> None:
    provider.answer = said
    redeemed = len(provider.redeemed)
    assert (await outcome(world, provider)).status_code == 403
    assert len(provider.redeemed) == redeemed


async def test_a_provider_that_says_iss_has_to_say_it(
    dsn: str, world: World, tmp_path: Path
) -> None:
    async with liar() as provider:
        provider.metadata = {"authorization_response_iss_parameter_supported": True}
        provider.claims = {"realm_access": {"roles": ["person"]}, "fhirUser": "Patient/ada"}
        path = named(tmp_path, trusted(provider))
        async with serving(dsn, external_issuers=path) as service:
            inner = World(service, world.database, world.opened)
            assert (await outcome(inner, provider)).status_code == 200
            provider.answer = {"iss": None}
            assert (await outcome(inner, provider)).status_code == 403


async def test_an_answer_is_for_the_browser_that_left_and_for_it_once(
    world: World, provider: Liar
) -> None:
    """Login CSRF: an attacker's answer, brought to a victim's browser."""
    attacker = world.browser()
    url = await away(world, provider, attacker)
    assert (await world.browser().get(url)).status_code == 403
    answers = await asyncio.gather(*(attacker.http.get(url) for _ in range(MANY)))
    assert sorted(a.status_code for a in answers) == [303] + [403] * (MANY - 1)


async def test_a_session_held_before_is_not_the_session_afterwards(
    world: World, provider: Liar
) -> None:
    browser = world.browser()
    await browser.get(f"{world.issuer}/auth/login")
    before = browser.http.cookies["isp-session"]
    await browser.get(await away(world, provider, browser))
    assert browser.http.cookies["isp-session"] != before


async def test_an_id_token_of_another_kind_or_key_signs_nobody_in(
    world: World, provider: Liar
) -> None:
    provider.typ = "logout+jwt"
    assert (await outcome(world, provider)).status_code == 403
    provider.typ = "JWT"
    for name, kid in (("ES256", provider.key["kid"]), ("ES256", "x"), ("ES384", "x")):
        provider.forger = jose.generate(name) | {"kid": kid}
        assert (await outcome(world, provider)).status_code == 403


async def test_only_a_provider_of_the_file_is_left_for(world: World) -> None:
    for issuer in ("https://evil.example", ""):
        url = f"{world.issuer}/auth/external"
        answer = await world.http().get(url, params={"issuer": issuer})
        assert (answer.status_code, answer.headers.get("location")) == (404, None)


async def test_the_person_is_asked_anew_where_the_app_wants_it(
    world: World, provider: Liar
) -> None:
    app, browser = await world.app(), world.browser()
    page = await world.asked(app, browser, prompt="login")
    handle = parse_qs(urlsplit(str(page.url)).query)["request"][0]
    url = f"{world.issuer}/auth/external"
    there = await browser.http.get(url, params={"issuer": provider.issuer, "request": handle})
    assert parse_qs(urlsplit(there.headers["location"]).query)["prompt"] == ["login"]
