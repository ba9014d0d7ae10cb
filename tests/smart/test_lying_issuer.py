"""Access tokens of another issuer, each made wrong in one way: nothing is opened."""

import time
from pathlib import Path
from typing import Any

import pytest

from app.auth import jose
from app.auth.access_token import authenticate
from app.auth.client_terms import limit_rate
from tests.http.conftest import serving
from tests.smart.conftest import World
from tests.smart.lying import AUDIENCE, elsewhere, provider, trusted, world
from tests.smart.provider import Liar, named

__all__ = ["elsewhere", "provider", "world"]


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
