"""Pushed authorization requests: said by the app itself, used once, by its browser alone."""

import asyncio
import secrets

import pytest

from app.auth import jose
from tests.auth.assertions import ASSERTION_TYPE, assertion
from tests.smart.browser import FORM, App, Browser, Page, returned
from tests.smart.conftest import SCOPE, World

MANY = 32


async def pushed(app: App, scope: str = SCOPE, **changed: str | None) -> str:
    answer = await app.post("par", **app.request(scope, **changed))
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert 5 < body["expires_in"] < 600
    uri: str = body["request_uri"]
    return uri


async def code(app: App, browser: Browser, uri: str, **more: str) -> str:
    asked = {"client_id": app.client_id, "request_uri": uri} | more
    page = Page((await browser.get(f"{app.issuer}/auth/authorize", **asked)).text)
    said = returned(await browser.send(page.form("/approve"), decision="allow"))
    assert said["state"] == app.state
    return said["code"]


@pytest.mark.parametrize("method", ["none", "client_secret_basic"])
async def test_an_app_pushes_its_request_and_gets_its_code(world: World, method: str) -> None:
    app = await world.app(method)
    uri = await pushed(app)
    redeemed = await app.redeem(await code(app, await world.signed_in("ada"), uri))
    assert redeemed.status_code == 200
    assert redeemed.json()["patient"] == "ada"


@pytest.mark.parametrize("audience", ["/auth/token", "/auth/par", ""])
async def test_an_assertion_may_name_each_of_our_names(world: World, audience: str) -> None:
    key = jose.generate("ES384")
    app = await world.app("private_key_jwt", jwks={"keys": [jose.public(key)]})
    signed = assertion(app.client_id, key, aud=f"{world.issuer}{audience}")
    proof = {"client_assertion": signed, "client_assertion_type": ASSERTION_TYPE}
    answer = await app.post("par", **app.request(SCOPE), **proof)
    assert answer.status_code == 201
    kept = str(await world.database.fetch("SELECT * FROM authorization_request"))
    assert signed not in kept


async def test_of_many_who_use_a_request_uri_at_once_one_is_asked(world: World) -> None:
    app = await world.app()
    asked = {"client_id": app.client_id, "request_uri": await pushed(app)}
    url = f"{world.issuer}/auth/authorize"
    answers = await asyncio.gather(*(world.http().get(url, params=asked) for _ in range(MANY)))
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * (MANY - 1)
    assert not any("location" in a.headers for a in answers if a.status_code == 400)


async def test_what_is_said_beside_a_request_uri_does_not_count(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("ada")
    uri = await pushed(app, "launch/patient patient/Goal.rs")
    more = {"scope": "patient/*.cruds", "redirect_uri": "https://evil.example", "state": "other"}
    body = (await app.redeem(await code(app, browser, uri, **more))).json()
    assert body["scope"] == "launch/patient patient/Goal.rs"


async def test_a_request_uri_is_of_one_app_and_ends_soon(world: World) -> None:
    app, other, browser = await world.app(), await world.app(), world.browser()
    uri = await pushed(app)
    url = f"{world.issuer}/auth/authorize"
    for client_id in (other.client_id, "\0", ""):
        answer = await browser.get(url, client_id=client_id, request_uri=uri)
        assert answer.status_code == 400
    await world.database.execute("UPDATE authorization_request SET expires = now()")
    answer = await browser.get(url, client_id=app.client_id, request_uri=uri)
    assert (answer.status_code, answer.headers.get("location")) == (400, None)


async def test_a_request_uri_opens_no_page_of_a_decision(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("ada")
    handle = (await pushed(app)).rpartition(":")[2]
    answer = await browser.get(f"{world.issuer}/auth/approve", request=handle)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"redirect_uri": "https://evil.example/callback"}, 400, "invalid_request"),
        ({"code_challenge": None}, 400, "invalid_request"),
        ({"code_challenge_method": "plain"}, 400, "invalid_request"),
        ({"aud": "https://evil.example/fhir"}, 400, "invalid_request"),
        ({"scope": "system/*.rs"}, 400, "invalid_scope"),
        ({"response_type": "token"}, 400, "unsupported_response_type"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, 400, "invalid_request"),
        ({"request": "eyJ"}, 400, "request_not_supported"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
    ],
)
async def test_what_could_not_be_asked_cannot_be_pushed(
    world: World, changed: dict[str, str | None], status: int, error: str
) -> None:
    app = await world.app()
    before = await world.database.fetchval("SELECT count(*) FROM authorization_request")
    answer = await app.post("par", **app.request(**({"scope": SCOPE} | changed)))
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    after = await world.database.fetchval("SELECT count(*) FROM authorization_request")
    assert before == after


async def test_an_app_with_a_secret_has_to_show_it(world: World) -> None:
    app = await world.app("client_secret_basic")
    for auth in (None, (app.client_id, secrets.token_urlsafe())):
        answer = await world.http().post(
            f"{world.issuer}/auth/par", data=app.request(SCOPE), headers=FORM, auth=auth
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_an_app_that_has_to_push_its_requests_cannot_do_otherwise(world: World) -> None:
    app = await world.app(require_pushed_authorization_requests=True)
    browser = await world.signed_in("ada")
    assert returned(await world.asked(app, browser))["error"] == "invalid_request"
    assert await code(app, browser, await pushed(app))


async def test_discovery_says_where_to_push(world: World) -> None:
    url = f"{world.issuer}/.well-known/oauth-authorization-server"
    said = (await world.http().get(url)).json()
    assert said["pushed_authorization_request_endpoint"] == f"{world.issuer}/auth/par"
    assert said["require_pushed_authorization_requests"] is False
