"""Refresh tokens: each works once, a second use ends the family; what ends with the session."""

import asyncio
from collections import Counter

import pytest

from tests.smart.browser import App, Page
from tests.smart.conftest import World, opens

MANY = 32


async def test_a_refresh_token_gives_new_tokens_for_the_same(world: World) -> None:
    app, first = await world.launched()
    response = await app.refresh(first["refresh_token"])
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    body = response.json()
    assert {"access_token", "token_type", "expires_in", "scope"} <= body.keys()
    assert (body["scope"], body["patient"]) == (first["scope"], "ada")
    assert body["refresh_token"] != first["refresh_token"]
    assert await opens(world, body["access_token"])


async def test_an_app_without_a_secret_need_not_say_who_it_is(world: World) -> None:
    app, first = await world.launched()
    response = await app.refresh(first["refresh_token"], client_id=None)
    assert response.status_code == 200


async def test_an_app_with_a_secret_has_to_show_it(world: World) -> None:
    app = await world.app("client_secret_basic")
    app, first = await world.launched(app=app)
    app.secret = None
    for client_id in (None, app.client_id):
        refused = await app.refresh(first["refresh_token"], client_id=client_id)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


async def test_a_second_use_ends_the_family(world: World) -> None:
    app, first = await world.launched()
    second = (await app.refresh(first["refresh_token"])).json()
    assert (await app.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await app.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"
    assert not await opens(world, first["access_token"])
    assert not await opens(world, second["access_token"])


async def test_of_many_who_refresh_at_once_one_gets_tokens(world: World) -> None:
    app, first = await world.launched()
    answers = await asyncio.gather(*(app.refresh(first["refresh_token"]) for _ in range(MANY)))
    told = Counter(answer.status_code for answer in answers)
    assert told == {200: 1, 400: MANY - 1}


async def test_another_app_cannot_use_a_refresh_token(world: World) -> None:
    app, first = await world.launched()
    other = await world.app()
    assert (await other.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await app.refresh(first["refresh_token"])).status_code == 200


async def test_fewer_scopes_may_be_asked_and_no_more(world: World) -> None:
    app, first = await world.launched(scope="launch/patient offline_access patient/Goal.rs")
    more = await app.refresh(first["refresh_token"], scope="patient/Goal.cruds")
    assert more.json()["error"] == "invalid_scope"
    less = await app.refresh(first["refresh_token"], scope="patient/Goal.r")
    assert less.json()["scope"] == "patient/Goal.r"
    again = await app.refresh(less.json()["refresh_token"])
    assert again.json()["scope"] == first["scope"]


async def sign_out(world: World, app: App, scope: str) -> tuple[dict[str, str], int]:
    """Launch, sign out in the same browser; the tokens, and what a refresh is answered."""
    browser = await world.signed_in("ada")
    body = (await app.redeem(await world.code(app, browser, scope))).json()
    page = Page((await browser.get(f"{world.issuer}/auth/apps")).text)
    assert "You are signed out" in (await browser.send(page.form("/logout"))).text
    return body, (await app.refresh(body["refresh_token"])).status_code


async def test_offline_access_outlives_signing_out_and_online_access_does_not(
    world: World,
) -> None:
    app = await world.app()
    body, status = await sign_out(world, app, "launch/patient offline_access patient/*.rs")
    assert status == 200
    assert await opens(world, body["access_token"])
    body, status = await sign_out(world, app, "launch/patient online_access patient/*.rs")
    assert status == 400
    assert not await opens(world, body["access_token"])


async def test_online_access_ends_when_the_session_runs_out(world: World) -> None:
    app, first = await world.launched(scope="launch/patient online_access patient/*.rs")
    await world.database.execute("UPDATE sign_in_session SET expires = now()")
    assert (await app.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_refresh_token_lasts_three_months_from_its_last_use(world: World) -> None:
    app, first = await world.launched()
    row = await world.database.fetchrow(
        "SELECT min(expires - now()) > interval '91 days' AS lasts FROM refresh_token"
        " WHERE used IS NULL AND approval = (SELECT id FROM approval WHERE client_id = $1)",
        app.client_id,
    )
    assert row is not None
    assert row["lasts"]
    await world.database.execute("UPDATE refresh_token SET expires = now() WHERE used IS NULL")
    assert (await app.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
async def test_an_app_gives_its_tokens_back(world: World, kind: str) -> None:
    app, first = await world.launched()
    assert (await app.post("revoke", token=first[kind])).status_code == 200
    assert not await opens(world, first["access_token"])
    if kind == "refresh_token":
        assert (await app.refresh(first["refresh_token"])).status_code == 400


async def test_no_app_gives_back_what_is_not_its_own(world: World) -> None:
    _, first = await world.launched()
    other = await world.app()
    refused = await other.post("revoke", token=first["refresh_token"])
    assert refused.json()["error"] == "unauthorized_client"
    assert await opens(world, first["access_token"])


async def test_introspection_tells_the_context_and_who(world: World) -> None:
    app = await world.app("client_secret_basic")
    app, body = await world.launched(app=app)
    for kind in ("access_token", "refresh_token"):
        said = (await app.post("introspect", token=body[kind])).json()
        assert said["active"] is True
        assert (said["client_id"], said["scope"]) == (app.client_id, body["scope"])
        assert (said["patient"], said["iss"]) == ("ada", world.issuer)
        assert said["fhirUser"] == f"{world.issuer}/fhir/Patient/ada"
        assert "ada" not in said["sub"]
    await app.refresh(body["refresh_token"])
    await app.refresh(body["refresh_token"])
    for kind in ("access_token", "refresh_token"):
        assert (await app.post("introspect", token=body[kind])).json() == {"active": False}


async def test_what_an_operator_takes_away_from_an_app_is_gone_at_the_next_refresh(
    world: World,
) -> None:
    app, first = await world.launched(scope="launch/patient offline_access patient/*.rs")
    await world.database.execute(
        "UPDATE client SET scope = 'launch/patient offline_access patient/Goal.rs' WHERE id = $1",
        app.client_id,
    )
    body = (await app.refresh(first["refresh_token"])).json()
    assert body["scope"] == "launch/patient offline_access"
