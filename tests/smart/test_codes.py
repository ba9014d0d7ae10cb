"""Authorization codes: once, soon, for the app that asked, with the verifier it kept."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.smart.browser import App
from tests.smart.conftest import World, opens

MANY = 32


async def issued(world: World, method: str = "none", **changed: str) -> tuple[App, str]:
    app = await world.app(method)
    return app, await world.code(app, await world.signed_in("ada"), **changed)


async def test_of_many_who_redeem_a_code_at_once_one_gets_a_token(world: World) -> None:
    app, code = await issued(world)
    answers = await asyncio.gather(*(app.redeem(code) for _ in range(MANY)))
    told = Counter((a.status_code, a.json().get("error")) for a in answers)
    assert told == {(200, None): 1, (400, "invalid_grant"): MANY - 1}
    [body] = [answer.json() for answer in answers if answer.status_code == 200]
    assert not await opens(world, body["access_token"])
    refused = await app.refresh(body["refresh_token"])
    assert refused.json()["error"] == "invalid_grant"


async def test_a_replayed_code_ends_what_it_had_opened(world: World) -> None:
    app, code = await issued(world)
    body = (await app.redeem(code)).json()
    assert await opens(world, body["access_token"])
    assert (await app.redeem(code)).json()["error"] == "invalid_grant"
    assert not await opens(world, body["access_token"])
    assert (await app.refresh(body["refresh_token"])).status_code == 400


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://app.example/other"}, "invalid_grant"),
        ({"redirect_uri": "https://app.example/callback/"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
    ],
)
async def test_a_code_opens_nothing_without_all_that_belongs_to_it(
    world: World, changed: dict[str, Any], error: str
) -> None:
    app, code = await issued(world)
    refused = await app.redeem(**({"code": code} | changed))
    assert (refused.status_code, refused.json()["error"]) == (400, error)
    assert refused.headers["cache-control"] == "no-store"


async def test_a_wrong_verifier_costs_the_code(world: World) -> None:
    app, code = await issued(world)
    assert (await app.redeem(code, code_verifier="x" * 43)).status_code == 400
    assert (await app.redeem(code)).json()["error"] == "invalid_grant"


async def test_another_app_cannot_use_a_code(world: World) -> None:
    """Code injection, also by an app with the same redirect URI and the right verifier."""
    app, code = await issued(world)
    other = await world.app()
    other.verifier = app.verifier
    assert (await other.redeem(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_an_app_with_a_secret_has_to_show_it(world: World, method: str) -> None:
    app, code = await issued(world, method)
    app.secret = None
    refused = await app.redeem(code)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    app.secret = "wrong"
    assert (await app.redeem(code)).status_code in (400, 401)


async def test_a_code_expires_within_a_minute(world: World) -> None:
    app, code = await issued(world)
    await world.database.execute(
        "UPDATE authorization_code SET created = now() - interval '61 s' WHERE used IS NULL"
    )
    assert (await app.redeem(code)).json()["error"] == "invalid_grant"


async def test_the_database_keeps_no_code_and_no_token(world: World) -> None:
    app, code = await issued(world)
    body = (await app.redeem(code)).json()
    for table in ("authorization_code", "refresh_token", "approval", "authorization_request"):
        rows = str(await world.database.fetch(f"SELECT * FROM {table}"))
        assert code not in rows
        assert body["refresh_token"] not in rows
        assert body["access_token"] not in rows


async def test_a_code_of_somebody_whose_account_is_gone_opens_nothing(world: World) -> None:
    app, code = await issued(world)
    await world.database.execute("UPDATE account SET username = 'away' WHERE username = 'ada'")
    try:
        assert (await app.redeem(code)).json()["error"] == "invalid_grant"
    finally:
        await world.database.execute("UPDATE account SET username = 'ada' WHERE username = 'away'")
