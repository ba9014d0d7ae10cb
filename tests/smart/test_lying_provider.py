"""Another provider's answers and tokens, each made wrong in one way: nobody is signed in."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth import jose
from app.auth.access_token import authenticate
from app.auth.client_terms import limit_rate
from app.storage.database import Database
from tests.build import organization, plan, practitioner, practitioner_role
from tests.conftest import CLEAN
from tests.http.conftest import load, serving
from tests.smart.browser import Browser
from tests.smart.conftest import World
from tests.smart.provider import Liar, liar, named

AUDIENCE = "https://isp.example/fhir"
MANY = 32


def trusted(provider: Liar, **sign_in: Any) -> dict[str, Any]:
    return {
        "issuer": provider.issuer,
        "algorithms": ["ES256"],
        "roles": {"care-manager": "key-worker", "person": "individual"},
        "claims": {"role": "realm_access.roles", "organization": "org"},
        "audience": AUDIENCE,
        "is_inside": True,
        "sign_in": {"name": "Elsewhere", "client_id": "us", "makes_accounts": True} | sign_in,
    }


@pytest.fixture(scope="module")
async def elsewhere() -> AsyncIterator[Liar]:
    async with liar() as provider:
        yield provider


@pytest.fixture
def provider(elsewhere: Liar) -> Liar:
    """The provider, honest until the test says otherwise."""
    elsewhere.claims = {"realm_access": {"roles": ["x", "person"]}, "fhirUser": "Patient/ada"}
    elsewhere.answer, elsewhere.typ, elsewhere.forger = {}, "JWT", None
    return elsewhere


@pytest.fixture(scope="module")
async def world(
    elsewhere: Liar, dsn: str, pool: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    await pool.execute(CLEAN)
    path = named(tmp_path_factory.mktemp("issuers"), trusted(elsewhere))
    async with serving(dsn, external_issuers=path) as service:
        operator = await service.as_("operator")
        await load(operator, organization("agency"), practitioner("grace"), practitioner_role())
        await load(operator, *plan("PractitionerRole/grace-key-worker"))
        world = World(service, pool)
        yield world
        for client in world.opened:
            await client.aclose()


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


def claims(**changed: Any) -> dict[str, Any]:
    said = {
        "aud": AUDIENCE,
        "client_id": "app-1",
        "scope": "system/Goal.rs",
        "realm_access": {"roles": ["care-manager"]},
        "org": "Organization/agency",
    }
    return said | changed


async def test_an_access_token_opens_what_its_claims_say(world: World, provider: Liar) -> None:
    client = world.fhir(provider.sign(**claims()))
    assert (await client.get("/Goal/ada-goal-1")).status_code == 200
    nowhere = world.fhir(provider.sign(**claims(org=None)))
    assert (await nowhere.get("/Goal/ada-goal-1")).status_code == 403
    scopes = world.fhir(provider.sign(**claims(scope=None)))
    assert (await scopes.get("/Goal/ada-goal-1")).status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://other.example/fhir"},
        {"aud": None},
        {"aud": f"{AUDIENCE} https://other.example"},
        {"exp": 1},
        {"exp": float("nan")},
        {"nbf": 99_999_999_999},
        {"client_id": None},
        {"sub": None},
        {"sub": "a\x00b"},
        {"realm_access": {"roles": ["operator"]}},
        {"realm_access": "care-manager-not"},
        {"org": "Patient/ada"},
        {"org": {"id": "agency"}},
        {"fhirUser": "Organization/agency"},
        {"iss": "https://evil.example"},
    ],
)
async def test_an_access_token_with_a_wrong_claim_opens_nothing(
    world: World, provider: Liar, changed: dict[str, Any]
) -> None:
    answer = await world.fhir(provider.sign(**claims(**changed))).get("/Goal/ada-goal-1")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_an_access_token_that_lasts_is_not_over_when_it_is_verified_anew(
    world: World, provider: Liar
) -> None:
    authority, exp = world.service.app.state.authority, int(time.time()) + 1_800
    caller = await authenticate(authority, f"Bearer {provider.sign(**claims(exp=exp))}")
    assert caller.expires == exp


async def test_a_client_of_another_issuer_has_a_limit_too(world: World, provider: Liar) -> None:
    issuers = world.service.app.state.authority.providers.issuers
    await limit_rate(world.database, f"{provider.issuer}#app-2", 2, issuers)
    client = world.fhir(provider.sign(**claims(client_id="app-2")))
    found = [(await client.get("/Goal/ada-goal-1")).status_code for _ in range(3)]
    assert found == [200, 200, 429]
    for unknown in ("https://evil.example#app", provider.issuer, f"{provider.issuer}#"):
        with pytest.raises(LookupError):
            await limit_rate(world.database, unknown, 2, issuers)


@pytest.mark.parametrize("scope", ["__introspection", "__launch", ["system/Goal.rs __launch"]])
async def test_an_access_token_has_no_scope_beside_the_data_that_its_issuer_may_not_give(
    world: World, provider: Liar, scope: object
) -> None:
    authority = world.service.app.state.authority
    token = provider.sign(**claims(scope=scope))
    assert not (await authenticate(authority, f"Bearer {token}")).extra_scopes


async def test_an_issuer_may_be_allowed_scopes_beside_the_data(
    dsn: str, world: World, provider: Liar, tmp_path: Path
) -> None:
    allowed = trusted(provider) | {"extra_scopes": ["__launch"]}
    async with serving(dsn, external_issuers=named(tmp_path, allowed)) as service:
        token = provider.sign(**claims(scope="__introspection __launch"))
        caller = await authenticate(service.app.state.authority, f"Bearer {token}")
    assert caller.extra_scopes == {"__launch"}


async def test_an_access_token_of_another_type_or_algorithm_opens_nothing(
    world: World, provider: Liar
) -> None:
    wrong = jose.generate("ES384") | {"kid": provider.key["kid"]}
    for signed in (
        provider.sign("JWT", **claims()),
        provider.sign("dpop+jwt", **claims()),
        provider.sign(key=wrong, **claims()),
        provider.sign(key=jose.generate("ES256"), **claims()),
    ):
        assert (await world.fhir(signed).get("/Goal/ada-goal-1")).status_code == 401


async def test_while_the_issuer_is_away_its_tokens_are_neither_taken_nor_refused(
    dsn: str, world: World, tmp_path: Path
) -> None:
    gone = Liar("http://localhost:9")
    async with serving(dsn, external_issuers=named(tmp_path, trusted(gone))) as service:
        client = service.client({"Authorization": f"Bearer {gone.sign(**claims())}"})
        assert (await client.get("/Goal/ada-goal-1")).status_code == 503
        ours = await service.as_("operator")
        assert (await ours.get("/Goal/ada-goal-1")).status_code == 200


async def test_the_person_is_asked_anew_where_the_app_wants_it(
    world: World, provider: Liar
) -> None:
    app, browser = await world.app(), world.browser()
    page = await world.asked(app, browser, prompt="login")
    handle = parse_qs(urlsplit(str(page.url)).query)["request"][0]
    url = f"{world.issuer}/auth/external"
    there = await browser.http.get(url, params={"issuer": provider.issuer, "request": handle})
    assert parse_qs(urlsplit(there.headers["location"]).query)["prompt"] == ["login"]
