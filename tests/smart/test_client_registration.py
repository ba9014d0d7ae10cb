"""Dynamic registration: software asks, an operator approves, only then there is a client."""

import json
from typing import Any

import httpx
import pytest

from app.auth import jose, throttle
from app.auth.client_terms import rotate_secret
from app.auth.clients import InvalidRegistration
from app.auth.registrations import approve_client, pending
from tests.smart.browser import App
from tests.smart.conftest import SCOPE, World

APP: dict[str, Any] = {
    "client_name": "Walk Along",
    "redirect_uris": ["https://app.example/callback"],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": SCOPE,
}


@pytest.fixture(autouse=True)
async def unthrottled(world: World) -> None:
    await world.database.execute("DELETE FROM sign_in_throttle")


async def asked(world: World, **changed: Any) -> httpx.Response:
    metadata = {name: value for name, value in (APP | changed).items() if value is not None}
    return await world.http().post(
        f"{world.issuer}/auth/register",
        content=json.dumps(metadata),
        headers={"Content-Type": "application/json"},
    )


async def test_an_app_registers_is_approved_and_launched(world: World) -> None:
    response = await asked(world)
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert {"client_id", "registration_access_token", "registration_client_uri"} <= body.keys()
    assert body["approved"] is False
    assert "client_secret" not in body
    app = App(world.http(), world.issuer, body["client_id"])
    assert (await world.asked(app, world.browser())).status_code == 400
    assert body["client_id"] in {each.client_id for each in await pending(world.database)}
    await approve_client(world.database, body["client_id"])
    _, tokens = await world.launched(app=app)
    assert tokens["scope"] == SCOPE


async def test_a_secret_is_shown_once_and_works_after_approval(world: World) -> None:
    body = (await asked(world, token_endpoint_auth_method=None)).json()
    assert body["token_endpoint_auth_method"] == "client_secret_basic"
    assert body["client_secret_expires_at"] == 0
    app = App(world.http(), world.issuer, body["client_id"], secret=body["client_secret"])
    refused = await app.redeem("x")
    assert refused.json()["error"] == "invalid_client"
    await approve_client(world.database, body["client_id"])
    _, tokens = await world.launched(app=app)
    assert tokens["patient"] == "ada"
    http = world.http()
    bearer = {"Authorization": f"Bearer {body['registration_access_token']}"}
    read = (await http.get(body["registration_client_uri"], headers=bearer)).json()
    assert "client_secret" not in read
    assert read["approved"] is True


async def test_a_secret_that_was_rotated_stays_so_when_a_change_is_approved(world: World) -> None:
    body = (await asked(world, token_endpoint_auth_method=None)).json()
    client_id, first = body["client_id"], body["client_secret"]
    await approve_client(world.database, client_id)
    second = await rotate_secret(world.database, client_id, overlap=0)
    await approve_client(world.database, client_id, scope="patient/Goal.rs")
    errors = [
        (await App(world.http(), world.issuer, client_id, secret=each).redeem("x")).json()["error"]
        for each in (first, second)
    ]
    assert errors == ["invalid_client", "invalid_grant"]


async def test_an_operator_may_allow_less(world: World) -> None:
    body = (await asked(world)).json()
    made = await approve_client(world.database, body["client_id"], scope="patient/Goal.rs")
    assert made.scope == "patient/Goal.rs"
    with pytest.raises(LookupError):
        await approve_client(world.database, "unknown")


async def test_a_change_waits_for_approval_and_the_client_stays_until_then(world: World) -> None:
    body = (await asked(world)).json()
    await approve_client(world.database, body["client_id"])
    bearer = {"Authorization": f"Bearer {body['registration_access_token']}"}
    evil = APP | {"redirect_uris": ["https://evil.example/callback"]}
    url = body["registration_client_uri"]
    changed = await world.http().put(url, json=evil, headers=bearer)
    assert (changed.status_code, changed.json()["approved"]) == (200, False)
    app = App(world.http(), world.issuer, body["client_id"])
    assert (await world.launched(app=app))[1]["patient"] == "ada"
    app.redirect_uri = "https://evil.example/callback"
    assert (await world.asked(app, world.browser())).status_code == 400


async def test_what_is_approved_is_what_was_shown(world: World) -> None:
    body = (await asked(world)).json()
    [shown] = [
        each for each in await pending(world.database) if each.client_id == body["client_id"]
    ]
    bearer = {"Authorization": f"Bearer {body['registration_access_token']}"}
    evil = shown.metadata | {"redirect_uris": ["https://evil.example/callback"]}
    await world.http().put(body["registration_client_uri"], json=evil, headers=bearer)
    with pytest.raises(InvalidRegistration, match="changed since"):
        await approve_client(world.database, body["client_id"], shown.digest)
    [again] = [
        each for each in await pending(world.database) if each.client_id == body["client_id"]
    ]
    made = await approve_client(world.database, body["client_id"], again.digest)
    assert made.redirect_uris == ("https://evil.example/callback",)


async def test_a_client_ends_its_registration(world: World) -> None:
    body = (await asked(world)).json()
    await approve_client(world.database, body["client_id"])
    app = App(world.http(), world.issuer, body["client_id"])
    _, tokens = await world.launched(app=app)
    http, url = world.http(), body["registration_client_uri"]
    bearer = {"Authorization": f"Bearer {body['registration_access_token']}"}
    assert (await http.delete(url, headers=bearer)).status_code == 204
    assert (await http.get(url, headers=bearer)).status_code == 401
    assert (await app.refresh(tokens["refresh_token"])).status_code in (400, 401)
    assert (await world.asked(app, world.browser())).status_code == 400
    fhir = world.fhir(tokens["access_token"])
    assert (await fhir.get("/Goal/ada-goal-1")).status_code == 401


async def test_nobody_manages_the_registration_of_others(world: World) -> None:
    first, second = (await asked(world)).json(), (await asked(world)).json()
    http, url = world.http(), first["registration_client_uri"]
    for token in (second["registration_access_token"], "", "wrong"):
        bearer = {"Authorization": f"Bearer {token}"}
        for method in ("GET", "PUT", "DELETE"):
            answer = await http.request(method, url, headers=bearer, json=APP)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert (await http.get(url)).status_code == 401
    unknown = f"{world.issuer}/auth/register/%00"
    assert (await http.get(unknown, headers={"Authorization": "Bearer x"})).status_code == 401


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["/callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example/#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://app.example/callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example/ x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://app.example"}, "invalid_client_metadata"),
        ({"client_name": None}, "invalid_client_metadata"),
        ({"client_name": 7}, "invalid_client_metadata"),
        ({"client_name": "a\0b"}, "invalid_client_metadata"),
        ({"scope": "patient/*.rs made-up"}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"jwks": {"keys": [{"kid": "\0"}]}}, "invalid_client_metadata"),
        ({"jwks": "x"}, "invalid_client_metadata"),
        ({"contacts": ["\ud800"]}, "invalid_client_metadata"),
    ],
)
async def test_what_could_not_work_is_refused(
    world: World, changed: dict[str, Any], error: str
) -> None:
    response = await asked(world, **changed)
    assert (response.status_code, response.json()["error"]) == (400, error)


async def test_a_client_with_keys_registers_them(world: World) -> None:
    jwks = {"keys": [jose.public(jose.generate("ES384"))]}
    method = "private_key_jwt"
    body = (await asked(world, token_endpoint_auth_method=method, jwks=jwks)).json()
    made = await approve_client(world.database, body["client_id"])
    assert [key["kid"] for key in made.keys] == [jwks["keys"][0]["kid"]]


async def test_one_address_cannot_fill_the_list(world: World) -> None:
    statuses = [(await asked(world)).status_code for _ in range(throttle.REGISTRATIONS + 1)]
    assert statuses == [201] * throttle.REGISTRATIONS + [429]


@pytest.mark.parametrize("uri", ["https://[x", "https://app.example:port/"])
async def test_an_address_that_is_none_is_refused(world: World, uri: str) -> None:
    response = await asked(world, redirect_uris=[uri])
    assert (response.status_code, response.json()["error"]) == (400, "invalid_redirect_uri")
    keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": uri}
    response = await asked(world, **keys)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_client_metadata")
