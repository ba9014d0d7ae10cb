"""Goal/$isp-progress as its callers meet it."""

import asyncio
from typing import Any

import httpx
import pytest

from app.storage.database import Database
from tests.build import goal
from tests.http.conftest import COUNTY, Service, change, refused

Json = dict[str, Any]
PATH = "/Goal/ada-goal-1/$isp-progress"
ROWS = "SELECT count(*) FROM resource_version"


def parameters(status: str = "improving", **given: Any) -> Json:
    """`given`: name=(element, value)."""
    parts: list[Json] = [{"name": "achievementStatus", "valueCode": status}]
    parts += [{"name": name, element: value} for name, (element, value) in given.items()]
    return {"resourceType": "Parameters", "parameter": parts}


WALKS = parameters(
    measure=("valueInteger", 2),
    effective=("valueDateTime", "2026-02-01"),
    note=("valueString", "Two walks."),
)


def written(response: httpx.Response) -> list[Json]:
    assert response.status_code == 200, response.text
    return [entry["resource"] for entry in response.json()["entry"]]


async def test_a_measure_and_a_word_are_written_at_once(
    county: httpx.AsyncClient, ada: str
) -> None:
    response = await county.post(PATH, json=WALKS, headers={"If-Match": 'W/"1"'})
    aim, seen = written(response)
    assert response.headers["etag"] == 'W/"2"'
    assert aim["achievementStatus"]["coding"][0]["code"] == "improving"
    assert aim["statusDate"] == "2026-02-01"
    assert aim["outcomeReference"] == [{"reference": f"Observation/{seen['id']}"}]
    [note] = aim["note"]
    assert (note["text"], note["authorReference"]) == ("Two walks.", {"reference": COUNTY})
    assert seen["code"] == aim["target"][0]["measure"]
    assert seen["valueQuantity"] == {"value": 2, "unit": "walk"}
    assert seen["effectiveDateTime"] == "2026-02-01"
    assert seen["focus"] == [{"reference": "Goal/ada-goal-1"}]
    assert seen["performer"] == [{"reference": COUNTY}]


async def test_what_was_written_is_there_for_any_client(
    county: httpx.AsyncClient, ada: str
) -> None:
    aim, seen = written(await county.post(PATH, json=WALKS))
    assert (await county.get("/Goal/ada-goal-1")).json() == aim
    assert (await county.get(f"/Observation/{seen['id']}")).json() == seen
    found = await county.get("/Observation?subject=Patient/ada&focus=Goal/ada-goal-1")
    assert [entry["resource"] for entry in found.json()["entry"]] == [seen]


async def test_a_word_alone_needs_no_observation(county: httpx.AsyncClient, ada: str) -> None:
    [aim] = written(
        await county.post(PATH, json=parameters("no-change", note=("valueString", "A cold.")))
    )
    assert "outcomeReference" not in aim
    assert aim["note"][0]["text"] == "A cold."


async def test_a_number_handed_in_late_leaves_the_later_day(
    county: httpx.AsyncClient, ada: str
) -> None:
    written(await county.post(PATH, json=WALKS))
    late = parameters(measure=("valueInteger", 1), effective=("valueDateTime", "2025-12"))
    aim, _ = written(await county.post(PATH, json=late))
    assert aim["statusDate"] == "2026-02-01"
    assert len(aim["outcomeReference"]) == 2


async def test_nobody_is_overwritten_when_two_tell_at_once(
    county: httpx.AsyncClient, ada: str
) -> None:
    bodies = [parameters(note=("valueString", str(number))) for number in range(4)]
    for response in await asyncio.gather(*(county.post(PATH, json=one) for one in bodies)):
        written(response)
    aim = (await county.get("/Goal/ada-goal-1")).json()
    assert sorted(note["text"] for note in aim["note"]) == ["0", "1", "2", "3"]


async def test_of_two_who_saw_the_same_version_one_succeeds(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    before = await database.fetchval(ROWS)
    have = {"If-Match": 'W/"1"'}
    both = await asyncio.gather(*(county.post(PATH, json=WALKS, headers=have) for _ in "12"))
    assert sorted(response.status_code for response in both) == [200, 412]
    assert await database.fetchval(ROWS) == before + 2


@pytest.mark.parametrize("status", ["proposed", "on-hold", "completed", "cancelled"])
async def test_a_goal_that_is_not_active_makes_no_progress(
    county: httpx.AsyncClient, ada: str, status: str
) -> None:
    await change(county, goal("ada-goal-1", lifecycleStatus=status))
    refused(await county.post(PATH, json=WALKS), 422, "business-rule", "Goal.lifecycleStatus")


async def test_the_unit_is_that_of_a_target(county: httpx.AsyncClient, ada: str) -> None:
    body = parameters(measure=("valueQuantity", {"value": 3, "unit": "km"}))
    refused(await county.post(PATH, json=body), 422, "business-rule", "Goal.target.detail")
    two = [
        {"measure": {"text": text}, "detailQuantity": {"value": 1, "unit": unit}}
        for text, unit in (("Walks", "walk"), ("Distance", "km"))
    ]
    await change(county, goal("ada-goal-1", target=two))
    _, seen = written(await county.post(PATH, json=body))
    assert seen["code"] == {"text": "Distance"}
    refused(await county.post(PATH, json=WALKS), 422, "business-rule", "Goal.target")


async def test_a_goal_without_a_measure_says_so(county: httpx.AsyncClient, ada: str) -> None:
    made = goal("ada-goal-1")
    del made["target"]
    await change(county, made)
    said = refused(await county.post(PATH, json=WALKS), 422, "business-rule", "Goal.target")
    assert "C12" in said


async def test_the_day_is_not_ahead(county: httpx.AsyncClient, ada: str) -> None:
    body = parameters(effective=("valueDateTime", "2999-01-01"))
    refused(await county.post(PATH, json=body), 422, "business-rule", "Goal.statusDate")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"resourceType": "Parameters"}, "required"),
        (parameters("splendid"), "code-invalid"),
        (parameters(measure=("valueString", "two")), "value"),
        (parameters(mood=("valueString", "good")), "not-supported"),
        (parameters(achievementStatus=("valueCode", "improving")), "structure"),
        (parameters(note=("valueString", "  ")), "required"),
        (goal(), "structure"),
        (None, "invalid"),
    ],
)
async def test_what_cannot_be_understood_is_refused(
    county: httpx.AsyncClient, ada: str, body: Json | None, code: str
) -> None:
    response = await county.post(PATH, json=body) if body else await county.get(PATH)
    assert response.status_code == 400, response.text
    assert response.json()["issue"][0]["code"] == code


async def test_a_stranger_cannot_tell_the_goal_from_none(
    stranger: httpx.AsyncClient, ada: str
) -> None:
    there = await stranger.post(PATH, json=WALKS)
    nowhere = await stranger.post(PATH.replace("goal-1", "goal-9"), json=WALKS)
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace("goal-1", "goal-9") == nowhere.text


@pytest.mark.parametrize("scope", ["system/Goal.rs", "system/Goal.ru"])
async def test_it_takes_the_scopes_of_what_is_written(
    service: Service, ada: str, scope: str, database: Database
) -> None:
    before = await database.fetchval(ROWS)
    client = await service.as_("provider-organization", COUNTY, scope)
    refused(await client.post(PATH, json=WALKS), 403, "forbidden")
    assert await database.fetchval(ROWS) == before


async def test_nothing_is_sent_back_to_whom_prefers_nothing(
    county: httpx.AsyncClient, ada: str
) -> None:
    response = await county.post(PATH, json=WALKS, headers={"Prefer": "return=minimal"})
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["etag"] == 'W/"2"'


TWO: Json = {
    "target": [
        {"measure": {"text": "Walks"}, "detailQuantity": {"value": 2, "unit": "times"}},
        {"measure": {"text": "Visits"}, "detailQuantity": {"value": 3, "unit": "times"}},
    ]
}


async def test_of_several_targets_the_one_that_is_named_is_measured(
    county: httpx.AsyncClient, ada: str
) -> None:
    await change(county, goal("ada-goal-1"), **TWO)
    url = "/Goal/ada-goal-1/$isp-progress"
    told = {"achievementStatus": ("valueCode", "improving"), "measure": ("valueInteger", 1)}

    def given(**more: tuple[str, Any]) -> Json:
        parts = [{"name": name, kind: value} for name, (kind, value) in (told | more).items()]
        return {"resourceType": "Parameters", "parameter": parts}

    refused(await county.post(url, json=given()), 422, "business-rule", "Goal.target")
    wrong = await county.post(url, json=given(of=("valueString", "Calls")))
    refused(wrong, 422, "business-rule", "Goal.target")
    response = await county.post(url, json=given(of=("valueString", "Visits")))
    assert response.status_code == 200, response.text
    [seen] = [e["resource"] for e in response.json()["entry"] if "code" in e["resource"]]
    assert (seen["code"], seen["valueQuantity"]["unit"]) == ({"text": "Visits"}, "times")
    chart = (await county.get("/Goal/ada-goal-1/$progress-chart")).json()["parameter"]
    [other] = [one["part"] for one in chart if one["name"] == "series"]
    points = [one for one in other if one["name"] == "point"]
    assert [p["valueDecimal"] for p in points[0]["part"] if p["name"] == "value"] == [1]
    assert not [one for one in chart if one["name"] == "point"]
    page = (await county.get("/Goal/ada-goal-1/$progress-chart?_format=html")).text
    assert ["<h2>Walks</h2>" in page, "<h2>Visits</h2>" in page] == [True, True]
