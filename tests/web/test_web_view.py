"""The web view as people meet it: by HTTP, in the pages and forms they see."""

import re

import pytest

from app.auth.pages import LANGUAGES
from app.auth.web_client import CLIENT_ID, SCOPE
from app.fhir.label import NOTICE
from app.routers.web.screen import HERE, words
from tests.build import goal
from tests.http.conftest import load
from tests.smart.browser import FORM, Page
from tests.smart.conftest import World
from tests.web.conftest import GOAL, PLAN, Reader, reader
from tests.web.seen import stored, text, told

HOLES = re.compile(r"\{(\w+)\}")


async def test_who_is_not_signed_in_is_asked_to(world: World) -> None:
    browser = world.browser()
    response = await browser.get(f"{world.issuer}/app{PLAN}")
    assert Page(response.text).form("/login")
    assert "My plan" not in response.text


@pytest.mark.parametrize(
    ("path", "lands"), [(GOAL, GOAL), ("/reviews", "/reviews"), ("/plans/a%20b", "")]
)
async def test_who_signs_in_lands_where_they_wanted(world: World, path: str, lands: str) -> None:
    browser = await world.signed_in("ada")
    page = Page((await browser.get(f"{world.issuer}/app{path}")).text)
    response = await browser.send(page.form("/approve"), decision="allow")
    assert (response.status_code, response.url.path) == (200, f"/app{lands}")


async def test_the_page_of_a_goal_says_whose_it_is(world: World) -> None:
    grace = await reader(world, "grace")
    assert "Test Bea" in text(await grace.see("/plans/bea-plan/goals/bea-goal-1"))


async def test_a_person_sees_their_own_plan_alone(world: World) -> None:
    ada = await reader(world)
    listed = await ada.see()
    assert f'href="{ada.root}{PLAN}"' in listed.text
    assert "bea-" not in listed.text.lower()
    assert "Test Bea" not in text(listed)
    assert "I walk to the library every week." in text(await ada.see(PLAN))


async def test_a_key_worker_sees_the_plans_of_their_clients(world: World) -> None:
    grace = await reader(world, "grace")
    listed = text(await grace.see())
    assert "Test Ada" in listed
    assert "Test Bea" in listed


@pytest.mark.parametrize(
    "path", ["", "/document", "/document.pdf", "/crisis-card", "/goals/bea-goal-1"]
)
async def test_what_is_somebody_elses_is_as_if_it_were_not_there(world: World, path: str) -> None:
    ada = await reader(world)
    theirs = await ada.see(f"/plans/bea-plan{path}")
    nothing = await ada.see(f"/plans/nothing{path.replace('bea', 'no')}")
    told(theirs, 404, "web.error.not-found")
    assert theirs.text == nothing.text
    assert "bea-" not in theirs.text.lower()  # a csrf token, in hex, may have "bea"


@pytest.mark.parametrize(
    "path", ["/plans/%00", "/plans/%0d%0aX", "/plans/a%20b", "/plans/" + "a" * 65]
)
async def test_a_path_that_names_nothing_is_a_plain_page(world: World, path: str) -> None:
    told(await (await reader(world)).see(path), 404, "web.error.not-found")


async def test_the_plan_can_be_read_printed_and_its_chart_seen(world: World) -> None:
    ada = await reader(world)
    for path, kind in (
        (f"{PLAN}/document", "text/html"),
        (f"{PLAN}/document.pdf", "application/pdf"),
        (f"{PLAN}/crisis-card", "text/html"),
        (f"{GOAL}/chart.svg", "image/svg+xml"),
        (f"{GOAL}/numbers", "text/html"),
    ):
        response = await ada.see(path)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(kind)
        assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("query", ["?page=x", "?page=%00", "/reviews?by=%00", "?done=%00"])
async def test_a_query_that_means_nothing_breaks_nothing(world: World, query: str) -> None:
    ada = await reader(world)
    assert (await ada.see(query)).status_code in (200, 400)


ACTIONS = (f"{PLAN}/review", f"{PLAN}/signature", f"{GOAL}/progress", f"{GOAL}/answer")


@pytest.mark.parametrize("path", ACTIONS)
async def test_a_form_of_another_site_changes_nothing(world: World, path: str) -> None:
    ada = await reader(world)
    csrf = (await ada.form(PLAN, "/review")).values["csrf"]
    before = await world.database.fetchval("SELECT count(*) FROM resource_version")
    given = {"reason": "x", "decision": "sign", "read": "yes", "answer": "agree"}
    for data, origin in ((given, world.issuer), (given | {"csrf": csrf}, "https://evil.example")):
        response = await ada.browser.http.post(
            f"{ada.root}{path}", data=data, headers=FORM | {"Origin": origin}
        )
        told(response, 403, "error.form")
    assert await world.database.fetchval("SELECT count(*) FROM resource_version") == before


@pytest.mark.parametrize("path", ACTIONS)
async def test_who_was_signed_out_is_told_that_nothing_was_saved(world: World, path: str) -> None:
    response = await world.http().post(f"{world.issuer}/app{path}", data={"a": "b"}, headers=FORM)
    told(response, 403, "web.error.signed-out")


async def test_other_origins_may_not_read_a_page(world: World) -> None:
    ada = await reader(world, Origin="https://app.example")
    for path in ("", PLAN, f"{GOAL}/chart.svg", "/nothing"):
        assert "access-control-allow-origin" not in (await ada.see(path)).headers


async def test_an_older_registration_is_brought_up_to_date(world: World) -> None:
    await world.database.execute(
        "UPDATE client SET scope = 'user/*.cruds', redirect_uris = $2 WHERE id = $1",
        CLIENT_ID,
        ["https://elsewhere.example/return"],
    )
    ada = await reader(world)
    assert (await ada.see(PLAN)).status_code == 200
    row = await world.database.fetchrow(
        "SELECT scope, redirect_uris FROM client WHERE id = $1", CLIENT_ID
    )
    assert (row["scope"], row["redirect_uris"]) == (SCOPE, [f"{world.issuer}/app/return"])


async def test_what_tells_of_a_program_bears_the_notice(world: World) -> None:
    ada = await reader(world)
    assert NOTICE not in text(await ada.see(PLAN)) + text(await ada.see(GOAL))
    seal = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "42CFRPart2"}
    operator = await world.service.as_("operator")
    await load(operator, goal("ada-goal-1", meta={"security": [seal]}))
    assert NOTICE in text(await ada.see(PLAN))
    assert NOTICE in text(await ada.see(GOAL))


async def test_what_was_not_allowed_is_not_done(world: World) -> None:
    browser = await world.signed_in("ada")
    ada = Reader(browser, f"{world.issuer}/app")
    asked = Page((await ada.see()).text).form("/approve")
    kept = {n: v for n, v in asked.values.items() if not v.startswith("user/Task")}
    asked.values = kept
    await browser.send(asked, decision="allow")
    form = await ada.form(PLAN, "/review")
    told(await ada.send(form, reason="Please."), 403, "web.error.forbidden")


async def test_a_refusal_of_the_person_shows_nothing(world: World) -> None:
    browser = await world.signed_in("ada")
    asked = Page((await browser.get(f"{world.issuer}/app")).text).form("/approve")
    told(await browser.send(asked, decision="deny"), 403, "web.error.refused")


async def test_a_code_that_this_browser_did_not_ask_for_signs_nobody_in(world: World) -> None:
    ada = await reader(world)
    for given in ({}, {"code": "x", "state": "y", "iss": world.issuer}):
        told(await ada.see("/return", **given), 403, "web.error.sign-in")


async def test_signing_out_ends_what_the_web_view_was_given(world: World) -> None:
    ada = await reader(world)
    token = ada.browser.http.cookies["isp-app"]
    response = await ada.see()
    await ada.send(Page(response.text).form("/logout"))
    assert (await world.fhir(token).get("/CarePlan/ada-plan")).status_code == 401
    assert Page((await ada.see()).text).form("/login")


async def test_a_token_counts_only_for_who_is_signed_in(world: World) -> None:
    ada, grace = await reader(world), await world.signed_in("grace")
    grace.http.cookies.set("isp-app", ada.browser.http.cookies["isp-app"], domain="127.0.0.1")
    response = await grace.get(f"{world.issuer}/app{PLAN}")
    assert Page(response.text).form("/approve")
    assert "My plan" not in response.text


async def test_what_is_shown_is_in_the_audit_trail(world: World) -> None:
    ada = await reader(world)
    response = await ada.see(PLAN)
    found = await stored(world, "/AuditEvent?_sort=-date&_count=20&entity=Patient/ada")
    ids = response.headers["x-request-id"]
    assert any(ids in str(entry["resource"]) for entry in found["entry"])
    assert any(CLIENT_ID in str(entry["resource"]) for entry in found["entry"])


async def test_the_pages_speak_spanish(world: World) -> None:
    ada = await reader(world, **{"Accept-Language": "es-MX"})
    page = await ada.see(GOAL)
    assert Page(page.text).tags[0][1] == {"lang": "es"} or 'lang="es"' in page.text
    assert words("es")("web.progress") in text(page)


async def test_every_page_is_safe_and_can_be_used_without_seeing_it(world: World) -> None:
    ada = await reader(world)
    for path in ("", PLAN, GOAL, "/reviews", "/plans/nothing"):
        answer = await ada.see(path)
        policy, page = answer.headers["content-security-policy"], Page(answer.text)
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        tags = [tag for tag, _ in page.tags]
        assert (tags.count("h1"), tags.count("main"), tags.count("title")) == (1, 1, 1)
        labelled = {given["for"] for tag, given in page.tags if tag == "label"}
        fields = [g for tag, g in page.tags if tag in ("input", "textarea", "select")]
        assert {g["id"] for g in fields if g.get("type") != "hidden"} <= labelled
        ids = [given["id"] for _, given in page.tags if "id" in given]
        assert len(ids) == len(set(ids))
        assert all("alt" in given for tag, given in page.tags if tag == "img")
        forms = [form for form in page.forms if not form.action.endswith("/reviews")]
        assert all(form.values.get("csrf") for form in forms)


def test_every_language_says_the_same_and_nothing_that_nobody_says() -> None:
    own = {
        language: {k: v for k, v in words(language).messages.items() if k.startswith("web.")}
        for language in LANGUAGES
    }
    assert own["es"].keys() == own["en"].keys()
    for key, said in own["en"].items():
        assert set(HOLES.findall(said)) == set(HOLES.findall(own["es"][key])), key
    files = [*HERE.glob("*.py"), *HERE.glob("templates/*.html")]
    source = "\n".join(one.read_text("utf-8") for one in files)
    done = set(re.findall(r'"(\w+)"', source))
    assert {
        key
        for key in own["en"]
        if f'"{key}"' not in source and key.removeprefix("web.done.") not in done
    } == set()
