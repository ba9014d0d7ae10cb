"""The web view as people meet it: by HTTP, in the pages and forms they see."""

import re
from typing import Any

import httpx
import pytest

from app.auth.pages import LANGUAGES
from app.auth.web_client import CLIENT_ID, SCOPE
from app.fhir.label import NOTICE
from app.isp.codes import ISP
from app.routers.web.screen import HERE, words
from tests.build import concept, goal, reference
from tests.http.conftest import Json, load
from tests.smart.browser import FORM, Page
from tests.smart.conftest import World
from tests.web.conftest import GOAL, PLAN, Reader, reader

HOLES = re.compile(r"\{(\w+)\}")


async def stored(world: World, path: str) -> Json:
    operator = await world.service.as_("operator")
    response = await operator.get(path)
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


async def provenances(world: World) -> list[Json]:
    found = await stored(world, "/Provenance?target=CarePlan/ada-plan&_count=100")
    return [entry["resource"] for entry in found.get("entry", ())]


def text(response: httpx.Response) -> str:
    return " ".join(Page(response.text).text)


def told(response: httpx.Response, status: int, key: str) -> None:
    assert response.status_code == status, response.text
    assert words("en")(key) in text(response)


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


async def test_progress_is_recorded(world: World) -> None:
    ada = await reader(world)
    form = await ada.form(GOAL, "/progress")
    response = await ada.send(form, status="improving", measure="1,5", note="Two <b>walks</b>.")
    told(response, 200, "web.done.progress")
    found = await stored(world, "/Goal/ada-goal-1")
    assert found["achievementStatus"]["coding"][0]["code"] == "improving"
    assert found["note"][-1]["text"] == "Two <b>walks</b>."
    assert found["note"][-1]["authorReference"] == {"reference": "Patient/ada"}
    seen = await stored(world, f"/{found['outcomeReference'][-1]['reference']}")
    assert seen["valueQuantity"] == {"value": 1.5, "unit": "walk"}
    assert "Two &lt;b&gt;walks" in response.text


@pytest.mark.parametrize("given", ["0", "-2", "3"])
async def test_a_whole_number_is_a_measurement_too(world: World, given: str) -> None:
    ada = await reader(world)
    form = await ada.form(GOAL, "/progress")
    told(await ada.send(form, status="no-change", measure=given), 200, "web.done.progress")
    found = await stored(world, "/Goal/ada-goal-1")
    seen = await stored(world, f"/{found['outcomeReference'][-1]['reference']}")
    assert seen["valueQuantity"] == {"value": int(given), "unit": "walk"}


async def test_of_several_targets_one_is_chosen(world: World) -> None:
    operator = await world.service.as_("operator")
    targets = [
        {"measure": {"text": text}, "detailQuantity": {"value": 3, "unit": "times"}}
        for text in ("Walks", "Visits")
    ]
    await load(operator, goal("ada-goal-1", target=targets))
    ada = await reader(world)
    page = await ada.see(GOAL)
    assert 'height="680"' in page.text
    form = await ada.form(GOAL, "/progress")
    given = {"status": "improving", "measure": "2", "of": "Visits"}
    told(await ada.send(form, **given), 200, "web.done.progress")
    found = (await stored(world, "/Observation?focus=Goal/ada-goal-1"))["entry"]
    assert {"text": "Visits"} in [one["resource"].get("code") for one in found]


async def test_two_people_never_overwrite_each_other(world: World) -> None:
    ada, grace = await reader(world), await reader(world, "grace")
    mine, theirs = await ada.form(GOAL, "/progress"), await grace.form(GOAL, "/progress")
    await ada.send(mine, status="improving", note="Mine came first.")
    before = await stored(world, "/Goal/ada-goal-1")
    response = await grace.send(theirs, status="worsening", note="Mine came second.")
    told(response, 412, "web.error.changed")
    assert "Mine came second." in text(response)
    assert await stored(world, "/Goal/ada-goal-1") == before


@pytest.mark.parametrize(
    "wrong", [{"csrf": "x"}, {"csrf": None}, {"version": None}, {"status": "x"}, {"measure": "a"}]
)
async def test_a_wrong_form_changes_nothing(world: World, wrong: dict[str, Any]) -> None:
    ada = await reader(world)
    form = await ada.form(GOAL, "/progress")
    before = await stored(world, "/Goal/ada-goal-1")
    response = await ada.send(form, **{"status": "improving", "note": "Kept?", **wrong})
    assert response.status_code in (400, 403, 412)
    assert await stored(world, "/Goal/ada-goal-1") == before


@pytest.mark.parametrize("action", ["/progress", "/answer", "/review", "/signature"])
async def test_what_no_record_can_hold_is_refused(world: World, action: str) -> None:
    ada = await reader(world)
    form = await ada.form(GOAL if action in ("/progress", "/answer") else PLAN, action)
    before = await world.database.fetchval("SELECT count(*) FROM resource_version")
    bad = {"note": "a\0b", "reason": "a\0b", "status": "improving"}
    response = await ada.send(form, **bad, answer="agree", decision="refuse")
    told(response, 400, "web.error.refused-input")
    assert await world.database.fetchval("SELECT count(*) FROM resource_version") == before


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


async def test_a_proposed_goal_is_accepted_or_declined(world: World) -> None:
    operator = await world.service.as_("operator")
    for said, becomes in (("agree", "accepted"), ("disagree", "rejected")):
        await load(operator, goal("ada-wish", lifecycleStatus="proposed"))
        ada = await reader(world)
        form = await ada.form(f"{PLAN}/goals/ada-wish", "/answer")
        response = await ada.send(form, answer=said, reason="My own reason.")
        told(response, 200, f"web.done.{said}")
        found = await stored(world, "/Goal/ada-wish")
        assert (found["lifecycleStatus"], found["statusReason"]) == (becomes, "My own reason.")
        [given] = found["extension"]
        assert given["extension"] == [
            {"url": "individual", "valueReference": {"reference": "Patient/ada"}},
            {"url": "status", "valueCode": said},
        ]


async def test_a_new_answer_takes_the_place_of_the_old_one(world: World) -> None:
    ada = await reader(world)
    for said in ("agree", "disagree", "agree"):
        path = f"{PLAN}/goals/ada-goal-2"
        assert (await ada.send(await ada.form(path, "/answer"), answer=said)).status_code == 200
        found = await stored(world, "/Goal/ada-goal-2")
        [given] = found["extension"]
        assert given["extension"][1] == {"url": "status", "valueCode": said}
        assert found["lifecycleStatus"] == "active"


async def test_a_guardian_answers_in_their_own_name(world: World) -> None:
    ines = await reader(world, "ines")
    assert (await ines.send(await ines.form(GOAL, "/answer"), answer="agree")).status_code == 200
    found = await stored(world, "/Goal/ada-goal-1")
    said = [one["extension"][0]["valueReference"] for one in found["extension"]]
    assert {"reference": "RelatedPerson/ines"} in said


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


async def test_nobody_answers_in_the_persons_place(world: World) -> None:
    grace, ada = await reader(world, "grace"), await reader(world)
    page = await grace.see(GOAL)
    assert words("en")("web.answer") not in text(page)
    form = await ada.form(GOAL, "/answer")
    csrf = Page(page.text).form("/progress").values["csrf"]
    told(await grace.send(form, csrf=csrf, answer="agree"), 403, "web.error.forbidden")


async def test_a_review_is_asked_for_and_stands_in_the_worklist(world: World) -> None:
    ada, grace = await reader(world), await reader(world, "grace")
    form = await ada.form(PLAN, "/review")
    told(await ada.send(form, reason="I moved house."), 200, "web.done.review")
    assert "I moved house." in text(await grace.see("/reviews"))
    found = await ada.see("/reviews", by="2020-01-01")
    told(found, 200, "web.reviews.none")
    told(await ada.see("/reviews", by="soon"), 400, "web.error.refused-input")


async def test_a_plan_is_signed_or_refused(world: World) -> None:
    ada = await reader(world)
    form = await ada.form(PLAN, "/signature")
    page = await ada.send(form, decision="sign")
    told(page, 200, "web.done.signed")
    assert "Test Ada" in text(page)
    assert "and nothing of it has changed since." in text(page)
    assert words("en")("web.sign.submit") not in text(page)
    form = await ada.form(PLAN, "/signature")
    reason = "The goals are not mine."
    told(await ada.send(form, decision="refuse", reason=reason), 200, "web.done.refused")
    found = await provenances(world)
    signed = [one for one in found if "signature" in one]
    assert [one["signature"][0]["who"] for one in signed] == [{"reference": "Patient/ada"}]
    assert [one["reason"][0]["text"] for one in found if "reason" in one] == [reason]
    assert reason in text(await ada.see(PLAN))
    operator = await world.service.as_("operator")
    await load(operator, goal("ada-goal-2", description={"text": "Something else entirely."}))
    assert words("en")("web.sign.submit") in text(await ada.see(PLAN))


async def test_what_tells_of_a_program_bears_the_notice(world: World) -> None:
    ada = await reader(world)
    assert NOTICE not in text(await ada.see(PLAN)) + text(await ada.see(GOAL))
    seal = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "42CFRPart2"}
    operator = await world.service.as_("operator")
    await load(operator, goal("ada-goal-1", meta={"security": [seal]}))
    assert NOTICE in text(await ada.see(PLAN))
    assert NOTICE in text(await ada.see(GOAL))


async def proposed(world: World) -> None:
    """Ada's plan as a draft that is ready, put before her."""
    operator = await world.service.as_("operator")
    ask: Json = {"resourceType": "Task", "id": "ask", "status": "requested", "intent": "order"}
    ask |= {"code": concept(ISP, "sign-plan"), "owner": reference("Patient/ada")}
    ask |= {"for": reference("Patient/ada"), "focus": reference("CarePlan/ada-plan/_history/1")}
    proof: Json = {"resourceType": "Provenance", "id": "put", "recorded": "2026-01-05T09:00:00Z"}
    proof |= {"target": [reference("CarePlan/ada-plan/_history/1")]}
    proof |= {"activity": concept(ISP, "propose"), "agent": [{"who": reference("Patient/ada")}]}
    own = await stored(world, "/CarePlan/ada-plan")
    await load(operator, own | {"status": "draft"}, ask, proof)


async def test_who_is_asked_to_sign_is_told_and_signs(world: World) -> None:
    await proposed(world)
    ada, grace = await reader(world), await reader(world, "grace")
    for page in (await ada.see(), await ada.see(PLAN)):
        told(page, 200, "web.asked")
        told(page, 200, "plan-status.proposed")
    assert words("en")("web.propose") not in text(page)
    assert words("en")("web.asked") not in text(await grace.see(PLAN))
    form = await ada.form(PLAN, "/signature")
    told(await ada.send(form, decision="sign"), 200, "web.done.signed")
    assert (await stored(world, "/Task/ask"))["status"] == "completed"
    assert words("en")("web.asked") not in text(await ada.see())


async def test_a_key_worker_takes_a_plan_back_and_is_told_what_it_lacks(world: World) -> None:
    await proposed(world)
    grace = await reader(world, "grace")
    form = await grace.form(PLAN, "/withdrawal")
    told(await grace.send(form, reason=None), 400, "web.error.refused-input")
    told(await grace.send(form, reason="Not yet."), 200, "web.done.withdrawn")
    assert (await stored(world, "/Task/ask"))["statusReason"]["text"] == "Not yet."
    for page in (await grace.see(), await grace.see(PLAN)):
        assert words("en")("plan-status.proposed") not in text(page)
    response = await grace.send(await grace.form(PLAN, "/proposal"), due="2090-01-01")
    told(response, 422, "web.error.refused-input")
    assert "C17: CarePlan/ada-plan" in text(response)


async def test_a_refusal_without_a_reason_is_no_signature(world: World) -> None:
    ada = await reader(world)
    before = len(await provenances(world))
    form = await ada.form(PLAN, "/signature")
    given: tuple[dict[str, str | None], ...] = (
        {"decision": "refuse"},
        {"decision": "sign", "read": None},
        {},
    )
    for one in given:
        told(await ada.send(form, **one), 400, "web.error.refused-input")
    assert len(await provenances(world)) == before


async def test_what_changed_since_the_page_was_opened_is_not_signed(world: World) -> None:
    operator = await world.service.as_("operator")
    # Whoever signed the plan as it is has no form to sign it.
    await load(operator, goal("ada-goal-2", description={"text": "Something of its own."}))
    ada = await reader(world)
    form, before = await ada.form(PLAN, "/signature"), len(await provenances(world))
    await load(operator, goal("ada-goal-2", description={"text": "Something else again."}))
    told(await ada.send(form, decision="sign"), 412, "web.error.changed")
    assert len(await provenances(world)) == before


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
