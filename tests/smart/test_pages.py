"""The pages against forged forms and framing, and for everybody to use."""

import json
import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.auth import pages
from app.fhir.registry import STORED
from app.routers.evenly import Evenly
from app.routers.pages import pages_router
from app.storage.database import Database
from tests.smart.browser import FORM, Page
from tests.smart.conftest import PASSWORD, SCOPE, World, login_form

MESSAGES = Path(pages.HERE) / "messages"
HOLES = re.compile(r"\{(\w+)\}")


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
