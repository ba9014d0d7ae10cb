"""CarePlan/$isp-request-review and CarePlan/$due-reviews as their callers meet them."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.isp.codes import ISP
from app.isp.operations import due_reviews
from app.storage.database import Database
from tests.build import care_plan, concept, reference
from tests.http.conftest import COUNTY, Service, change, create, found, refused

Json = dict[str, Any]
ASK = "/CarePlan/ada-plan/$isp-request-review"
DUE = "/CarePlan/$due-reviews"
WHY: Json = {
    "resourceType": "Parameters",
    "parameter": [{"name": "reason", "valueString": "I moved."}],
}
ROWS = "SELECT count(*) FROM resource_version"


async def review(client: httpx.AsyncClient, due: str | None, **elements: Any) -> str:
    task: Json = {"resourceType": "Task", "status": "requested", "intent": "plan"}
    task |= {"code": concept(ISP, "plan-review"), "focus": reference("CarePlan/ada-plan")}
    task |= {"for": reference("Patient/ada")}
    if due:
        task["restriction"] = {"period": {"end": due}}
    return f"Task/{(await create(client, task | elements))['id']}"


async def test_a_request_is_an_ordinary_task(county: httpx.AsyncClient, ada: str) -> None:
    response = await county.post(ASK, json=WHY)
    assert response.status_code == 201, response.text
    task = response.json()
    assert (task["status"], task["focus"]) == ("requested", reference("CarePlan/ada-plan"))
    assert task["for"] == reference("Patient/ada")
    assert task["requester"] == reference(COUNTY)
    assert task["reasonCode"]["text"] == "I moved."
    asked = datetime.fromisoformat(task["authoredOn"]).date()
    assert date.fromisoformat(task["restriction"]["period"]["end"]) == asked + timedelta(days=14)
    assert (await county.get(response.headers["location"])).json() == task


async def test_the_person_asks_in_their_own_name(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    scope = "patient/CarePlan.rs patient/Task.crs"
    person = await service.as_("individual", None, scope, fhir_user="Patient/ada", patient="ada")
    response = await person.post(ASK, json=WHY)
    assert response.status_code == 201, response.text
    assert response.json()["requester"] == reference("Patient/ada")
    assert found(await county.get(DUE)) == [f"Task/{response.json()['id']}"]


async def test_the_worklist_of_a_team_and_of_an_organization(
    county: httpx.AsyncClient, ada: str
) -> None:
    due = await review(county, "2026-01-01")
    plan = (await county.get("/CarePlan/ada-plan")).json()
    await change(county, plan, careTeam=[reference("CareTeam/ada-team")])
    assert found(await county.get(f"{DUE}?team=CareTeam/ada-team")) == [due]
    assert found(await county.get(f"{DUE}?team=CareTeam/another")) == []
    assert found(await county.get(f"{DUE}?organization={COUNTY}")) == [due]
    assert found(await county.get(f"{DUE}?organization=Organization/another")) == []


async def test_who_answers_for_the_plan_is_asked(county: httpx.AsyncClient, ada: str) -> None:
    plan = (await county.get("/CarePlan/ada-plan")).json()
    await change(county, plan, author=reference(COUNTY))
    assert (await county.post(ASK, json=WHY)).json()["owner"] == reference(COUNTY)


@pytest.mark.parametrize("status", ["draft", "on-hold", "revoked", "completed", "unknown"])
async def test_a_review_may_be_asked_for_in_any_state(
    county: httpx.AsyncClient, ada: str, status: str
) -> None:
    await change(county, care_plan(status=status))
    assert (await county.post(ASK, json=WHY)).status_code == 201


async def test_there_is_nothing_to_review_in_an_error(county: httpx.AsyncClient, ada: str) -> None:
    await change(county, care_plan(status="entered-in-error"))
    refused(await county.post(ASK, json=WHY), 422, "business-rule", "CarePlan.status")


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"name": "reason", "valueString": "   "}],
        [{"name": "reason", "valueInteger": 3}],
        [{"name": "why", "valueString": "I moved."}],
    ],
)
async def test_a_request_says_why(
    county: httpx.AsyncClient, ada: str, parts: list[Json], database: Database
) -> None:
    before = await database.fetchval(ROWS)
    body = {"resourceType": "Parameters"} | ({"parameter": parts} if parts else {})
    response = await county.post(ASK, json=body)
    assert response.status_code == 400, response.text
    assert await database.fetchval(ROWS) == before


async def test_two_who_ask_at_once_are_both_heard(county: httpx.AsyncClient, ada: str) -> None:
    both = await asyncio.gather(*(county.post(ASK, json=WHY) for _ in "12"))
    assert [response.status_code for response in both] == [201, 201]
    assert len(found(await county.get(DUE))) == 2


async def test_a_stranger_cannot_tell_the_plan_from_none(
    stranger: httpx.AsyncClient, ada: str
) -> None:
    there = await stranger.post(ASK, json=WHY)
    nowhere = await stranger.post(ASK.replace("ada-plan", "eve-plan"), json=WHY)
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace("ada-plan", "eve-plan") == nowhere.text


async def test_it_takes_the_scope_to_make_a_task(service: Service, ada: str) -> None:
    client = await service.as_("provider-organization", COUNTY, "system/CarePlan.rs system/Task.rs")
    refused(await client.post(ASK, json=WHY), 403, "forbidden")


async def test_the_longest_due_comes_first(county: httpx.AsyncClient, ada: str) -> None:
    late = await review(county, "2026-02-01")
    later = await review(county, "2026-03-01")
    latest = await review(county, "2025-12")
    assert found(await county.get(f"{DUE}?by=2026-03-01")) == [latest, late, later]
    assert found(await county.get(f"{DUE}?by=2026-02-28")) == [latest, late]
    first = await county.get(f"{DUE}?by=2026-03-01&_count=1")
    assert (found(first), first.json()["total"]) == ([latest], 3)


async def test_only_open_reviews_with_a_day_are_due(county: httpx.AsyncClient, ada: str) -> None:
    await review(county, None)
    await review(county, "2026-02-01", status="completed")
    await review(county, "2026-02-01", status="cancelled")
    await review(county, "2026-02-01", code=concept(ISP, "inform"))
    renewal = await review(county, "2026-02-01", code=concept(ISP, "plan-renewal"))
    assert found(await county.get(f"{DUE}?by=2026-03-01")) == [renewal]


async def test_what_is_due_today_needs_no_day(county: httpx.AsyncClient, ada: str) -> None:
    today = datetime.now(UTC).date()
    now = await review(county, (today - timedelta(days=1)).isoformat())
    await review(county, (today + timedelta(days=2)).isoformat())
    assert found(await county.get(DUE)) == [now]


async def test_a_worklist_can_be_of_one_owner(county: httpx.AsyncClient, ada: str) -> None:
    own = await review(county, "2026-02-01", owner=reference(COUNTY))
    await review(county, "2026-02-01")
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "owner", "valueString": COUNTY},
            {"name": "by", "valueDate": "2026-02-01"},
            {"name": "_count", "valueInteger": 10},
        ],
    }
    assert found(await county.post(DUE, json=body)) == [own]


async def test_what_a_caller_may_not_see_is_not_in_their_worklist(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str
) -> None:
    await review(county, "2026-02-01")
    response = await stranger.get(f"{DUE}?by=2026-03-01")
    assert (found(response), response.json()["total"]) == ([], 0)


async def test_the_worklist_goes_beyond_one_page_of_a_search(
    county: httpx.AsyncClient, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [await review(county, f"2026-02-0{number}") for number in (3, 1, 2)]
    monkeypatch.setattr(due_reviews, "PAGE", 2)
    assert found(await county.get(f"{DUE}?by=2026-03-01")) == [made[1], made[2], made[0]]
    monkeypatch.setattr(due_reviews, "MOST", 2)
    refused(await county.get(f"{DUE}?by=2026-03-01"), 422, "processing")


@pytest.mark.parametrize(
    "query", ["by=soon", "_count=few", "_count=-1", "_count=٣", "before=2026-01-01"]
)
async def test_wrong_parameters_are_refused(
    county: httpx.AsyncClient, ada: str, query: str
) -> None:
    response = await county.get(f"{DUE}?{query}")
    assert response.status_code == 400, response.text


@pytest.mark.parametrize("scope", ["system/CarePlan.rs", "system/Task.rs"])
async def test_the_worklist_takes_both_scopes(service: Service, ada: str, scope: str) -> None:
    client = await service.as_("provider-organization", COUNTY, scope)
    refused(await client.get(DUE), 403, "forbidden")
