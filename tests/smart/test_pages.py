"""The pages against forged forms, framing, planted sessions, guessing, and for everybody to use."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.auth import pages, throttle
from app.auth.accounts import create_account
from app.auth.approvals import end_with_account
from app.auth.passwords import hash_password
from app.fhir.registry import STORED
from app.routers.evenly import Evenly
from app.routers.pages import pages_router
from app.storage.database import Database
from tests.smart.browser import FORM, Browser, Page, returned
from tests.smart.conftest import PASSWORD, SCOPE, World

MESSAGES = Path(pages.HERE) / "messages"
HOLES = re.compile(r"\{(\w+)\}")


async def login_form(world: World, browser: Browser) -> Page:
    return Page((await browser.get(f"{world.issuer}/auth/login")).text)


async def every_page(world: World) -> list[httpx.Response]:
    """One of each page, as people see them."""
    app = await world.app()
    several, own = await world.signed_in("grace"), await world.signed_in("ada")
    found = [
        await world.asked(app, world.browser()),
        await world.asked(app, several),
        await world.asked(app, own),
    ]
    await world.launched()
    found.append(await own.get(f"{world.issuer}/auth/apps"))
    found.append(await own.send(Page(found[-1].text).form("/logout")))
    found.append(await world.browser().get(f"{world.issuer}/auth/authorize"))
    return found


async def test_no_page_can_be_framed_scripted_or_kept(world: World) -> None:
    for answer in await every_page(world):
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        assert " on" not in re.sub(r">[^<]*<", "><", answer.text)


async def test_every_page_can_be_used_without_seeing_it(world: World) -> None:
    for answer in await every_page(world):
        page = Page(answer.text)
        tags = [tag for tag, _ in page.tags]
        assert dict(page.tags)["html"]["lang"] in pages.LANGUAGES
        assert (tags.count("h1"), tags.count("main"), tags.count("title")) == (1, 1, 1)
        assert ("a", {"class": "skip", "href": "#content"}) in page.tags
        labelled = {given["for"] for tag, given in page.tags if tag == "label"}
        fields = [given for tag, given in page.tags if tag == "input"]
        visible = {given["id"] for given in fields if given["type"] != "hidden"}
        assert visible <= labelled
        ids = [given["id"] for _, given in page.tags if "id" in given]
        assert len(ids) == len(set(ids))


async def test_other_origins_may_not_read_a_page_but_may_ask_for_tokens(world: World) -> None:
    http, origin = world.http(), {"Origin": "https://app.example"}
    preflight = origin | {"Access-Control-Request-Method": "POST"}
    for name in ("authorize", "login", "approve", "apps"):
        answer = await http.options(f"{world.issuer}/auth/{name}", headers=preflight)
        assert "access-control-allow-origin" not in answer.headers
    for name in ("token", "revoke"):
        answer = await http.options(f"{world.issuer}/auth/{name}", headers=preflight)
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_what_an_app_calls_itself_is_text(world: World) -> None:
    app = await world.app(name='<img src=x onerror="alert(1)">{{7*7}}')
    answer = await world.asked(app, await world.signed_in("ada"))
    assert "<img" not in answer.text
    assert "&lt;img" in answer.text
    assert "{{7*7}}" in answer.text


@pytest.mark.parametrize("path", ["/login", "/approve", "/logout", "/apps", "/patient"])
@pytest.mark.parametrize("way", ["no token", "wrong token", "another's token", "origin"])
async def test_a_form_that_no_page_of_ours_sent_does_nothing(
    world: World, path: str, way: str
) -> None:
    browser, other = await world.signed_in("ada"), world.browser()
    app = await world.app()
    form = Page((await world.asked(app, browser)).text).form("/approve")
    form.action = f"{world.issuer}/auth{path}"
    origin = "https://evil.example" if way == "origin" else world.issuer
    if way == "no token":
        del form.values["csrf"]
    elif way == "wrong token":
        form.values["csrf"] = "0" * 64
    elif way == "another's token":
        form.values["csrf"] = (await login_form(world, other)).form("/login").values["csrf"]
    data = form.values | {"decision": "allow", "username": "ada", "password": PASSWORD}
    answer = await browser.http.post(form.action, data=data, headers=FORM | {"Origin": origin})
    assert answer.status_code == 403
    assert "location" not in answer.headers
    assert (await browser.get(f"{world.issuer}/auth/apps")).url.path == "/auth/apps"


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


async def test_a_person_disconnects_an_app(world: World) -> None:
    app, body = await world.launched("ines")
    browser = await world.signed_in("ines")
    page = Page((await browser.get(f"{world.issuer}/auth/apps")).text)
    assert "Walk Along" in page.text
    assert any(text.startswith("Last used on") for text in " ".join(page.text).split(". "))
    form = page.form("/apps")
    answer = await browser.send(form, approval=form.choices["approval"][0])
    assert "The app was disconnected." in answer.text
    assert (await world.fhir(body["access_token"]).get("/Goal/ada-goal-1")).status_code == 401
    assert (await app.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"


async def test_nobody_disconnects_the_apps_of_others(world: World) -> None:
    _, body = await world.launched("ines")
    row = await world.database.fetchval("SELECT id FROM approval ORDER BY created DESC LIMIT 1")
    browser = await world.signed_in("grace")
    form = Page((await browser.get(f"{world.issuer}/auth/apps")).text).form("/logout")
    form.action = f"{world.issuer}/auth/apps"
    for approval in (row, "unknown", "\0"):
        assert (await browser.send(form, approval=approval)).status_code == 404
    assert (await world.fhir(body["access_token"]).get("/Goal/ada-goal-1")).status_code == 200


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


def test_the_catalogues_say_the_same_things() -> None:
    catalogues = {path.stem: json.loads(path.read_text()) for path in MESSAGES.glob("*.json")}
    assert set(catalogues) == set(pages.LANGUAGES)
    english = catalogues["en"]
    for words in catalogues.values():
        assert words.keys() == english.keys()
        for key, sentence in words.items():
            assert sorted(HOLES.findall(sentence)) == sorted(HOLES.findall(english[key])), key


def test_what_is_about_a_person_has_a_word() -> None:
    known = {key.removeprefix("things.") for key in pages.catalogue("en") if "things." in key}
    assert known - {"*", "other"} <= STORED


@pytest.mark.parametrize("scope", [SCOPE])
async def test_no_url_of_a_launch_holds_what_is_secret(world: World, scope: str) -> None:
    app, browser = await world.app(), world.browser()
    seen: list[str] = []
    browser.http.event_hooks["request"].append(_note(seen))
    page = Page((await world.asked(app, browser, scope)).text)
    answer = await browser.send(page.form("/login"), username="ada", password=PASSWORD)
    await browser.send(Page(answer.text).form("/approve"), decision="allow")
    later = " ".join(url for url in seen if "/authorize?" not in url)
    cookie = browser.http.cookies["isp-session"]
    for secret in (PASSWORD, app.state, app.verifier, cookie, "ada"):
        assert secret not in later


def _note(seen: list[str]):  # type: ignore[no-untyped-def]
    async def hook(request: httpx.Request) -> None:
        seen.append(str(request.url))

    return hook


async def test_while_the_database_is_away_a_person_is_asked_to_come_again(
    world: World, tmp_path: Path
) -> None:
    away = await Database.open(f"postgresql:///x?host={tmp_path}")
    state, app = world.service.app.state, FastAPI()
    app.include_router(
        pages_router(replace(state.authority, database=away), state.engine, Evenly(0))
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        for cookies in ({}, {"isp-session": "x" * 43}):
            http.cookies.update(cookies)
            for name in ("login", "approve", "authorize?client_id=a"):
                answer = await http.get(f"{world.issuer}/auth/{name}")
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    await away.close()


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
