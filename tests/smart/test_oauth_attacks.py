"""The attacks of RFC 9700 that no other test tries: each gets the attacker nothing."""

import base64
import json
from urllib.parse import urlsplit

import httpx
import pytest

from app.auth import jose
from app.auth.clients import Registration, create_client
from tests.smart.browser import FORM, App, Page
from tests.smart.conftest import PASSWORD, SCOPE, World
from tests.smart.dpop import signed

GOAL = "/Goal/ada-goal-1"


async def test_no_redirect_lets_a_browser_send_a_form_again(world: World) -> None:
    """4.12: 303, whatever the step."""
    app, browser = await world.app(), world.browser()
    seen: list[int] = []

    async def note(response: httpx.Response) -> None:
        if response.is_redirect:
            seen.append(response.status_code)

    browser.http.event_hooks["response"].append(note)
    page = Page((await world.asked(app, browser)).text)
    answer = await browser.send(page.form("/login"), username="ada", password=PASSWORD)
    await browser.send(Page(answer.text).form("/approve"), decision="allow")
    await world.asked(app, browser, "nothing known")
    assert len(seen) >= 5
    assert set(seen) == {303}


async def test_no_page_leads_or_reaches_elsewhere(world: World) -> None:
    """4.2.4: no third party's resource, no link to other sites, no Referer for them."""
    app, browser = await world.app(), world.browser()
    login = await world.asked(app, browser)
    await world.signed_in("ada", browser)
    approve = await world.asked(app, browser)
    apps = await browser.get(f"{world.issuer}/auth/apps")
    error = await world.asked(app, browser, SCOPE, redirect_uri="https://evil.example")
    for answer in (login, approve, apps, error):
        assert answer.headers["referrer-policy"] == "same-origin"
        urls = [
            given[name]
            for _, given in Page(answer.text).tags
            for name in ("href", "src", "action")
            if name in given
        ]
        assert urls
        assert {urlsplit(url).netloc for url in urls} <= {"", urlsplit(world.issuer).netloc}


async def test_a_token_in_the_url_or_the_form_opens_nothing(world: World) -> None:
    """4.3.2: it would stay in histories and logs."""
    _, body = await world.launched()
    token = body["access_token"]
    url = f"{world.issuer}/fhir{GOAL}"
    assert (await world.http().get(url, params={"access_token": token})).status_code == 401
    search = f"{world.issuer}/fhir/Goal/_search"
    sent = await world.http().post(search, data={"access_token": token}, headers=FORM)
    assert sent.status_code == 401


async def test_no_app_acts_as_a_person_whose_subject_it_took_for_its_id(world: World) -> None:
    """4.15: `sub` of such a token is the person's, and it opens what the client may see."""
    sql = "SELECT subject FROM account WHERE username = 'ada'"
    subject = await world.database.fetchval(sql)
    made, secret = await create_client(
        world.database,
        Registration(
            "Impostor",
            "system/*.rs user/*.rs",
            "partner-system",
            "client_secret_basic",
            client_id=subject,
        ),
    )
    app = App(world.http(), world.issuer, made.id, "", secret)
    refused = await app.token({"grant_type": "client_credentials", "scope": "user/*.rs"})
    assert refused.json()["error"] == "invalid_scope"
    granted = await app.token({"grant_type": "client_credentials", "scope": "system/*.rs"})
    client = world.fhir(granted.json()["access_token"])
    assert (await client.get(GOAL)).status_code in (403, 404)
    assert (await client.get("/Patient/ada")).status_code in (403, 404)


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"kid": "http://169.254.169.254/latest"},
        {"kid": ""},
        {"kid": "\x00"},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": "own"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"crit": ["exp"]},
        {"b64": False},
        {"typ": "JWT"},
        {"zip": "DEF"},
    ],
    ids=str,
)
async def test_a_header_that_lures_elsewhere_makes_no_token(
    world: World, header: dict[str, object]
) -> None:
    """RFC 8725: nothing in a header chooses what it is verified with."""
    _, body = await world.launched()
    head, payload, signature = body["access_token"].split(".")
    said = json.loads(base64.urlsafe_b64decode(head + "=="))
    forger = jose.generate()
    if header.get("jwk") == "own":
        header = {"jwk": jose.public(forger)}
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = signed(claims, forger, said | header)
    encoded = forged.partition(".")[0]
    for token in (forged, f"{encoded}.{payload}.{signature}", f"{encoded}.{payload}."):
        assert (await world.fhir(token).get(GOAL)).status_code == 401


async def test_a_victims_code_is_worth_nothing_in_another_session_of_its_app(world: World) -> None:
    """4.5: the attacker's session of the same app has another verifier, and the code is lost."""
    app = await world.app()
    victims = await world.code(app, await world.signed_in("ada"))
    attacker = App(app.http, app.issuer, app.client_id, app.redirect_uri)
    assert (await attacker.redeem(victims)).json()["error"] == "invalid_grant"
    assert (await app.redeem(victims)).json()["error"] == "invalid_grant"


async def test_every_answer_says_whose_it_is(world: World) -> None:
    """4.4: RFC 9207's iss, in success and in failure, as discovery promises."""
    app, browser = await world.app(), await world.signed_in("ada")
    assert await world.code(app, browser)
    answer = await world.asked(app, browser, "nothing known")
    assert f"iss={world.issuer}".replace(":", "%3A").replace("/", "%2F") in answer.headers[
        "location"
    ].replace("%253A", "%3A")
    url = f"{world.issuer}/.well-known/oauth-authorization-server"
    said = (await world.http().get(url)).json()
    assert said["authorization_response_iss_parameter_supported"] is True
    assert said["issuer"] == world.issuer
