"""OpenID Connect: who signed in, told to one app, signed with RS256."""

import time

import pyotp
import pytest

from app.auth import jose, keys, second_factor, totp
from app.auth.sessions import SignIn, begin
from tests.smart.browser import Page, returned
from tests.smart.conftest import PASSWORD, SCOPE, World


async def published(world: World) -> list[jose.Claims]:
    http = world.http()
    provider = (await http.get(f"{world.issuer}/.well-known/openid-configuration")).json()
    found: list[jose.Claims] = (await http.get(provider["jwks_uri"])).json()["keys"]
    return found


async def test_an_id_token_says_who_signed_in(world: World) -> None:
    app, body = await world.launched(nonce="n-0S6_WzA2Mj")
    header = jose.read_header(body["id_token"])
    assert header["alg"] == "RS256"
    claims = jose.verify(body["id_token"], await published(world), ("RS256",))
    assert (claims["iss"], claims["aud"]) == (world.issuer, app.client_id)
    assert claims["nonce"] == "n-0S6_WzA2Mj"
    assert claims["fhirUser"] == f"{world.issuer}/fhir/Patient/ada"
    assert claims["iat"] - 5 <= claims["auth_time"] <= claims["iat"] < claims["exp"]
    assert claims["sub"] not in ("ada", app.client_id)
    assert (claims["amr"], claims["acr"][-1]) == (["pwd"], "1")


async def test_an_id_token_says_how_they_did(world: World) -> None:
    """https://openid.net/specs/openid-connect-core-1_0.html#IDToken: amr, acr"""
    app, browser = await world.app(), world.browser()
    how = SignIn(("pop", "user", "mfa"))
    cookie = await begin(world.database, "ada", how)
    browser.http.cookies.set("isp-session", cookie, domain="127.0.0.1")
    body = (await app.redeem(await world.code(app, browser))).json()
    claims = jose.read_unverified(body["id_token"])
    assert claims["amr"] == ["pop", "user", "mfa"]
    assert claims["acr"] == "http://idmanagement.gov/ns/assurance/aal/2"
    provider = f"{world.issuer}/.well-known/openid-configuration"
    known = (await world.http().get(provider)).json()
    assert claims["acr"] in known["acr_values_supported"]
    assert claims.keys() <= {*known["claims_supported"]}


async def test_an_app_learns_of_a_code_that_followed_the_password(world: World) -> None:
    """From the app to the password, the code, the approval, and back."""
    subject = await world.database.fetchval("SELECT subject FROM account WHERE username = 'gus'")
    secret = totp.new_secret()
    await world.database.execute("INSERT INTO totp VALUES ($1, $2)", subject, secret)
    app, browser = await world.app(), world.browser()
    login = Page((await world.asked(app, browser, "openid user/Goal.rs")).text)
    answer = await browser.send(login.form("/login"), username="gus", password=PASSWORD)
    policy = answer.headers["content-security-policy"]
    assert "form-action 'self' https://app.example" in policy
    code = pyotp.TOTP(secret).now()
    answer = await browser.send(Page(answer.text).form("/second-factor"), code=code)
    said = returned(await browser.send(Page(answer.text).form("/approve"), decision="allow"))
    claims = jose.read_unverified((await app.redeem(said["code"])).json()["id_token"])
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    await second_factor.remove_all(world.database, subject)


async def test_a_person_is_the_same_to_every_app(world: World) -> None:
    first, second = [
        jose.read_unverified((await world.launched("ines"))[1]["id_token"]) for _ in range(2)
    ]
    assert first["sub"] == second["sub"]
    assert first["aud"] != second["aud"]


async def test_without_openid_there_is_no_id_token(world: World) -> None:
    _, body = await world.launched(scope="launch/patient fhirUser patient/*.rs")
    assert "id_token" not in body


async def test_who_somebody_is_stays_unsaid_unless_asked(world: World) -> None:
    _, body = await world.launched(scope="openid launch/patient patient/*.rs")
    claims = jose.read_unverified(body["id_token"])
    assert "fhirUser" not in claims
    assert "nonce" not in claims


async def test_an_id_token_opens_nothing(world: World) -> None:
    _, body = await world.launched()
    assert (await world.fhir(body["id_token"]).get("/Goal/ada-goal-1")).status_code == 401


async def test_keys_rotate_with_overlap(world: World) -> None:
    """A new key is published before it signs, so that no app meets a key it cannot know."""
    authority = world.service.app.state.authority
    _, before = await world.launched()
    await keys.rotate(world.database)
    authority.forget()
    _, soon = await world.launched()
    kids = [key["kid"] for key in await published(world) if key["alg"] == "RS256"]
    assert len(kids) == 2
    assert jose.read_header(soon["id_token"])["kid"] == jose.read_header(before["id_token"])["kid"]
    await world.database.execute(
        "UPDATE signing_key SET created = created - interval '10 min' WHERE alg = 'RS256'"
    )
    authority.forget()
    _, later = await world.launched()
    assert jose.read_header(later["id_token"])["kid"] == kids[0]
    for body in (before, soon, later):
        jose.verify(body["id_token"], await published(world), ("RS256",))
    assert not [m for key in await published(world) for m in key if m in ("d", "p", "q")]


@pytest.mark.parametrize("is_signed_in", [True, False])
async def test_an_app_may_ask_without_showing_a_page(world: World, is_signed_in: bool) -> None:
    app, browser = await world.app(), world.browser()
    if is_signed_in:
        await world.signed_in("ada", browser)
    answer = await world.asked(app, browser, SCOPE, prompt="none")
    error = "consent_required" if is_signed_in else "login_required"
    assert returned(answer)["error"] == error


@pytest.mark.parametrize("wish", [{"prompt": "login"}, {"max_age": "60"}])
async def test_an_app_may_want_a_fresh_sign_in(world: World, wish: dict[str, str]) -> None:
    app, browser = await world.app(), await world.signed_in("ada")
    ago = "UPDATE sign_in_session SET created = now() - interval '2 min'"
    await world.database.execute(ago)
    page = Page((await world.asked(app, browser, SCOPE, **wish)).text)
    assert page.text.count("Sign in") > 0
    answer = await browser.send(page.form("/login"), username="ada", password=PASSWORD)
    said = returned(await browser.send(Page(answer.text).form("/approve"), decision="allow"))
    claims = jose.read_unverified((await app.redeem(said["code"])).json()["id_token"])
    assert time.time() - claims["auth_time"] < 60
