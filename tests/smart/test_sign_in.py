"""Signing in: who, how often, for how long, and what becomes of the session."""

import re
import time
from dataclasses import replace

from app.auth import throttle
from app.auth.accounts import create_account
from app.auth.approvals import end_with_account
from app.auth.passwords import hash_password
from tests.smart.browser import FORM, Page, returned
from tests.smart.conftest import PASSWORD, World, login_form


async def test_a_session_cannot_be_planted(world: World) -> None:
    """Session fixation: what the browser held before signing in is no session afterwards."""
    browser = world.browser()
    planted = "x" * 43
    browser.http.cookies.set("isp-session", planted, domain="127.0.0.1")
    page = await login_form(world, browser)
    await browser.send(page.form("/login"), username="ada", password=PASSWORD)
    values = {cookie.value for cookie in browser.http.cookies.jar}
    assert values != {planted}
    thief = world.browser()
    thief.http.cookies.set("isp-session", planted, domain="127.0.0.1")
    assert (await thief.get(f"{world.issuer}/auth/apps")).url.path == "/auth/login"


async def test_signing_in_again_ends_the_session_before(world: World) -> None:
    browser = await world.signed_in("ada")
    before = browser.http.cookies["isp-session"]
    page = await login_form(world, browser)
    await browser.send(page.form("/login"), username="ines", password=PASSWORD)
    thief = world.browser()
    thief.http.cookies.set("isp-session", before, domain="127.0.0.1")
    assert (await thief.get(f"{world.issuer}/auth/apps")).url.path == "/auth/login"


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    answer = await world.http().get(f"{world.issuer}/auth/login")
    [cookie] = answer.headers.get_list("set-cookie")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))


async def test_signing_in_leads_only_to_our_own_pages(world: World) -> None:
    for target in ("https://evil.example", "//evil.example", "x&redirect_uri=y", "../fhir"):
        browser = world.browser()
        form = (await login_form(world, browser)).form("/login")
        data = form.values | {"username": "ada", "password": PASSWORD, "request": target}
        headers = FORM | {"Origin": world.issuer}
        answer = await browser.http.post(form.action, data=data, headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"{world.issuer}/auth/apps",
        )


async def test_unknown_users_and_wrong_passwords_are_told_alike(world: World) -> None:
    answers = []
    for username in ("ada", "nobody", "a b", "x" * 200):
        browser = world.browser()
        form = (await login_form(world, browser)).form("/login")
        answers.append(await browser.send(form, username=username, password="wrong password"))
    assert {answer.status_code for answer in answers} == {403}
    texts = {re.sub(r'value="[^"]*"', "", answer.text) for answer in answers}
    assert len(texts) == 1


async def test_an_unknown_user_takes_as_long_as_a_known_one(world: World) -> None:
    async def seconds(username: str) -> float:
        times = []
        for _ in range(5):
            browser = world.browser()
            form = (await login_form(world, browser)).form("/login")
            began = time.perf_counter()
            await browser.send(form, username=username, password="wrong password")
            times.append(time.perf_counter() - began)
        return min(times)

    await throttle.succeeded(world.database, "gus", None)
    known, unknown = await seconds("gus"), await seconds("nobody at all".replace(" ", "-"))
    assert 1 / 3 < known / unknown < 3


async def test_guessing_is_stopped_for_all_workers_and_across_restarts(world: World) -> None:
    await world.database.execute("DELETE FROM sign_in_throttle")
    statuses = []
    for _ in range(throttle.PER_ACCOUNT + 1):
        browser = world.browser()
        form = (await login_form(world, browser)).form("/login")
        answer = await browser.send(form, username="grace", password="wrong password")
        statuses.append(answer.status_code)
    assert statuses == [403] * throttle.PER_ACCOUNT + [429]
    assert answer.headers["retry-after"] == "900"
    browser = world.browser()
    form = (await login_form(world, browser)).form("/login")
    assert (await browser.send(form, username="grace", password=PASSWORD)).status_code == 429
    assert (await browser.send(form, username="ines", password=PASSWORD)).status_code == 200
    await world.database.execute("UPDATE sign_in_throttle SET expires = now() - interval '1 s'")
    browser = world.browser()
    form = (await login_form(world, browser)).form("/login")
    assert (await browser.send(form, username="grace", password=PASSWORD)).status_code == 200


async def test_addresses_are_counted_by_network(world: World) -> None:
    await world.database.execute("DELETE FROM sign_in_throttle")
    for number in range(throttle.PER_ADDRESS):
        assert await throttle.may_try(world.database, f"user-{number}", f"2001:db8::{number:x}")
    assert not await throttle.may_try(world.database, "user", "2001:db8::ffff")
    assert await throttle.may_try(world.database, "user", "2001:db8:0:1::1")
    await world.database.execute("DELETE FROM sign_in_throttle")


async def test_names_and_passwords_are_in_no_url_and_no_audit_event(world: World) -> None:
    browser = world.browser()
    form = (await login_form(world, browser)).form("/login")
    for password in ("a wrong secret", PASSWORD):
        await browser.send(form, username="ada", password=password)
    rows = str(await world.database.fetch("SELECT body FROM audit_event"))
    assert "a wrong secret" not in rows
    assert PASSWORD not in rows
    hash_ = await hash_password("x")
    assert hash_.partition(",p=")[0] not in rows


async def test_somebody_else_may_sign_in_instead(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("grace")
    page = Page((await world.asked(app, browser, "openid user/Goal.rs")).text)
    login = Page((await browser.send(page.form("/logout"))).text)
    answer = await browser.send(login.form("/login"), username="ada", password=PASSWORD)
    page = Page(answer.text)
    assert "You are signed in as ada." in page.text
    assert returned(await browser.send(page.form("/approve"), decision="allow"))["code"]


async def test_another_who_signed_in_meanwhile_decides_for_themselves(world: World) -> None:
    """What grace chose is not what gus may open."""
    app, browser = await world.app(), await world.signed_in("grace")
    page = Page((await world.asked(app, browser)).text)
    page = Page((await browser.send(page.form("/patient"), patient="bea")).text)
    await world.signed_in("gus", browser)
    form = page.form("/approve")
    form.values["csrf"] = (await login_form(world, browser)).form("/login").values["csrf"]
    answer = await browser.send(form, decision="allow")
    assert "location" not in answer.headers
    assert "There is nobody whose records you may open with this app." in answer.text


async def test_with_an_account_end_its_sessions_and_what_it_approved(world: World) -> None:
    await create_account(world.database, "lea", PASSWORD, "Patient/ada", "individual")
    app, body = await world.launched("lea")
    browser = await world.signed_in("lea")
    # By the owner of the tables, as `isp user remove` does it: the server may not.
    owner = replace(world.service.app.state.authority, database=world.database)
    await end_with_account(owner, "lea", is_removed=True)
    assert (await browser.get(f"{world.issuer}/auth/apps")).url.path == "/auth/login"
    assert (await world.fhir(body["access_token"]).get("/Goal/ada-goal-1")).status_code == 401
    assert (await app.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
