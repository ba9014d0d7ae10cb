"""What an app may ask, and how it is told otherwise: by a redirect only to its own address."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.smart.browser import FORM, Page, returned
from tests.smart.conftest import SCOPE, World


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": None},
        {"client_id": "nobody"},
        {"client_id": "\0"},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "https://app.example/callback/../evil"},
        {"redirect_uri": "https://app.example/callback?more=1"},
        {"redirect_uri": "https://app.example/callback/"},
        {"redirect_uri": "https://app.example/Callback"},
        {"redirect_uri": "https://app.example:443/callback"},
        {"redirect_uri": "https://app.example@evil.example/callback"},
        {"redirect_uri": "https://app.example/callback#x"},
        {"redirect_uri": "http://app.example/callback"},
        {"redirect_uri": "//app.example/callback"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "https://app.example/callback\r\nLocation: https://evil.example"},
    ],
)
async def test_an_error_is_shown_until_the_address_is_known_to_be_the_apps(
    world: World, changed: dict[str, str | None]
) -> None:
    app = await world.app()
    for browser in (world.browser(), await world.signed_in("ada")):
        answer = await world.asked(app, browser, SCOPE, **changed)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "evil" not in answer.text
        assert "This does not work" in Page(answer.text).text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"state": "\0"}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://evil.example/fhir"}, "invalid_request"),
        ({"resource": "https://evil.example/fhir"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "x"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "nothing known"}, "invalid_scope"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": "patient/Observation.rs?code:in=x"}, "invalid_scope"),
        ({"scope": "patient/Observation.rs?nonsense=x"}, "invalid_scope"),
        ({"scope": "launch patient/*.rs"}, "invalid_request"),
        ({"launch": "unknown"}, "invalid_request"),
        ({"launch": "unknown", "scope": "launch patient/*.rs"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"nonce": "x" * 3000}, "invalid_request"),
    ],
)
async def test_afterwards_the_app_is_told(
    world: World, changed: dict[str, str | None], error: str
) -> None:
    app = await world.app()
    answer = await world.asked(app, world.browser(), **({"scope": SCOPE} | changed))
    said = returned(answer)
    assert answer.headers["location"].startswith("https://app.example/callback?")
    assert (said["error"], said["iss"]) == (error, world.issuer)
    assert "code" not in said
    assert said.get("state") == changed.get("state", app.state)


async def test_an_app_gets_nothing_beyond_its_registration(world: World) -> None:
    app = await world.app(scope="launch/patient patient/Goal.rs")
    for scope in ("patient/Goal.cruds", "patient/*.rs", "offline_access patient/Goal.rs"):
        said = returned(await world.asked(app, world.browser(), scope))
        assert said["error"] == "invalid_scope"


async def test_what_is_unknown_is_not_granted(world: World) -> None:
    _, body = await world.launched(scope="patient/Goal.rs patient/Goal.sr made-up __introspection")
    assert body["scope"] == "patient/Goal.rs"


async def test_a_parameter_comes_once(world: World) -> None:
    app = await world.app()
    query = "&".join(f"{name}={value}" for name, value in app.request("openid").items())
    for twice in ("client_id=other", "redirect_uri=https://evil.example", "state=2"):
        answer = await world.browser().get(f"{world.issuer}/auth/authorize?{query}&{twice}")
        assert answer.status_code == 400
        assert "location" not in answer.headers


async def test_resource_is_a_synonym_of_aud(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("ada")
    base = f"{world.issuer}/fhir"
    assert await world.code(app, browser, SCOPE, aud=None, resource=base)
    assert await world.code(app, browser, SCOPE, aud=f"{base}/")


async def test_only_the_port_of_a_loopback_address_may_vary(world: World) -> None:
    app = await world.app(redirect_uris=("http://127.0.0.1/callback",))
    browser = await world.signed_in("ada")
    app.redirect_uri = "http://127.0.0.1:49152/callback"
    code = await world.code(app, browser)
    assert (await app.redeem(code)).status_code == 200
    for other in ("http://127.0.0.1:1/other", "http://localhost:1/callback", "http://127.0.0.1:x/"):
        app.redirect_uri = other
        assert (await world.asked(app, browser)).status_code == 400


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:1/callback#x",
        "http://127.0.0.1:1/callback#",
        "http://127.0.0.1:1/call\nback",
        "http://127.0.0.1:1/callback\r\n",
        "http://127.0.0.1:1/call\tback",
        " http://127.0.0.1:1/callback",
    ],
)
async def test_an_address_that_only_reads_like_a_loopback_address_is_none(
    world: World, uri: str
) -> None:
    app = await world.app(redirect_uris=("http://127.0.0.1/callback",))
    answer = await world.asked(app, world.browser(), SCOPE, redirect_uri=uri, prompt="none")
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_what_the_redirect_uri_asks_for_stays(world: World) -> None:
    app = await world.app(redirect_uris=("https://app.example/callback?tenant=7",))
    page = Page((await world.asked(app, await world.signed_in("ada"))).text)
    browser = await world.signed_in("ada")
    page = Page((await world.asked(app, browser)).text)
    answer = await browser.send(page.form("/approve"), decision="allow")
    query = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert query["tenant"] == "7"
    assert {"code", "state", "iss"} <= query.keys()


@pytest.mark.parametrize("body", [b"\xff=1", b"client_id=%ff", b"a&" * 600])
async def test_a_form_that_cannot_be_read_is_told(world: World, body: bytes) -> None:
    http = world.http()
    answer = await http.post(f"{world.issuer}/auth/authorize", content=body, headers=FORM)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_request_has_to_be_decided_in_time(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("ada")
    page = Page((await world.asked(app, browser)).text)
    await world.database.execute("UPDATE authorization_request SET expires = now()")
    answer = await browser.send(page.form("/approve"), decision="allow")
    assert answer.status_code == 400
    assert "location" not in answer.headers
