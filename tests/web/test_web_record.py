"""What people write in the web view: progress, answers to goals, requests for a review."""

from typing import Any

import pytest

from app.routers.web.screen import words
from tests.build import goal
from tests.http.conftest import load
from tests.smart.browser import Page
from tests.smart.conftest import World
from tests.web.conftest import GOAL, PLAN, reader
from tests.web.seen import stored, text, told


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
