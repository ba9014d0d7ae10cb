"""What a plan in force must have, whoever writes: plain PUT, POST and transactions."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.build import care_plan, care_team, goal, reference, transaction
from tests.http.conftest import Service, change, load
from tests.http.plan_life import active, draft, move, ready, review, sign

Json = dict[str, Any]
__all__ = ["active", "ready"]


def rules(response: httpx.Response) -> list[str]:
    """The rules that a refusal names."""
    assert response.status_code == 422, response.text
    issues = response.json()["issue"]
    assert {one["code"] for one in issues} == {"business-rule"}
    said = (one["diagnostics"].removeprefix("A plan in force depends on this. ") for one in issues)
    return [one.partition(":")[0] for one in said]


async def put(client: httpx.AsyncClient, resource: Json, **elements: Any) -> httpx.Response:
    made = {k: v for k, v in (resource | elements).items() if v != []}
    return await client.put(f"/{made['resourceType']}/{made['id']}", json=made)


async def current(client: httpx.AsyncClient, name: str = "CarePlan/ada-plan") -> Json:
    found: Json = (await client.get(f"/{name}")).json()
    return found


async def test_a_plain_update_puts_a_plan_into_force_that_lacks_nothing(
    county: httpx.AsyncClient, ready: str
) -> None:
    assert (await put(county, await current(county), status="active")).status_code == 200


async def test_a_plain_update_does_not_pass_the_gates(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, {k: v for k, v in draft().items() if k != "careTeam"})
    for client in (county, operator):
        made = await current(county)
        assert rules(await put(client, made, status="active")) == ["C30", "C24", "C53"]
        response = await client.post("", json=transaction(made | {"status": "active"}))
        assert rules(response) == ["C30", "C24", "C53"]
        place = "Bundle.entry[0].resource.careTeam"
        assert place in [one["expression"][0] for one in response.json()["issue"]]
    assert (await current(county))["status"] == "draft"


async def test_a_plan_is_not_created_in_force_either(county: httpx.AsyncClient, ada: str) -> None:
    response = await county.post("/CarePlan", json=draft(status="active"))
    assert rules(response) == ["C30", "C53"]


async def test_a_plan_that_arrives_whole_is_in_force_at_once(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    signed: Json = {"resourceType": "Provenance", "id": "ada-signed"}
    signed |= {
        "target": [reference("CarePlan/ada-2/_history/1")],
        "recorded": "2026-01-01T09:00:00Z",
    }
    signed |= {"agent": [{"who": reference("Patient/ada")}]}
    signed["signature"] = [
        {
            "type": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7"}],
            "when": "2026-01-01T09:00:00Z",
            "who": reference("Patient/ada"),
        }
    ]
    await load(operator, draft("ada-2", status="active"), review("ada-2"), signed)
    assert (await current(county, "CarePlan/ada-2"))["status"] == "active"


async def test_other_care_plans_are_not_held_to_it(county: httpx.AsyncClient, ada: str) -> None:
    await change(county, care_plan(status="draft"))
    await change(county, care_plan(status="active"))


@pytest.mark.parametrize("status", ["completed", "on-hold", "unknown", "entered-in-error"])
async def test_a_draft_goes_nowhere_but_into_force(
    county: httpx.AsyncClient, ready: str, status: str
) -> None:
    assert "Status" in rules(await put(county, await current(county), status=status))


async def test_a_revoked_plan_stays_revoked(county: httpx.AsyncClient, active: str) -> None:
    assert (await move(county, "revoke")).status_code == 200
    for status in ("draft", "active", "on-hold", "completed"):
        assert "Status" in rules(await put(county, await current(county), status=status))


async def test_only_a_supervisor_calls_a_plan_an_error(
    service: Service, county: httpx.AsyncClient, active: str
) -> None:
    wrong = {"status": "entered-in-error"}
    assert rules(await put(county, await current(county), **wrong)) == ["Status"]
    supervisor = await service.as_("supervisor", "Organization/county")
    assert (await put(supervisor, await current(county), **wrong)).status_code == 200


async def test_a_plan_in_force_stays_a_plan_in_force(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, active: str
) -> None:
    was = await current(county)
    assert rules(await put(county, was, category=care_plan()["category"])) == ["Category"]
    assert rules(await county.delete("/CarePlan/ada-plan")) == ["Deletion"]
    assert rules(await put(county, was, period={"start": was["period"]["start"]})) == ["C54"]
    assert rules(await put(county, was, careTeam=[])) == ["C24"]
    await load(operator, {"resourceType": "Patient", "id": "eve", "active": True})
    moved = await put(operator, was, subject=reference("Patient/eve"))
    assert "Subject" in rules(moved)


async def test_what_a_plan_in_force_depends_on_is_not_taken_away(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, active: str
) -> None:
    assert rules(await put(county, care_team(id_="ada-team", status="inactive"))) == ["C24"]
    assert rules(await put(county, review("ada-plan"), status="cancelled")) == ["C53"]
    assert rules(await put(county, review("ada-plan"), status="completed")) == ["C53"]
    assert rules(await county.delete("/Task/ada-plan-review")) == ["C53"]
    assert rules(await county.delete("/Goal/ada-goal-1")) == ["C03"]
    found = (await county.get("/Provenance?target=CarePlan/ada-plan")).json()["entry"]
    [signed] = [one["resource"] for one in found if "signature" in one["resource"]]
    assert rules(await operator.delete(f"/Provenance/{signed['id']}")) == ["C30"]
    assert (await put(county, care_team("Organization/county", id_="ada-team"))).status_code == 200
    assert (await put(county, review("ada-plan"), status="accepted")).status_code == 200
    await load(operator, {"resourceType": "Patient", "id": "eve", "active": True})
    assert rules(await put(operator, goal(), subject=reference("Patient/eve"))) == ["C03"]
    assert rules(await put(operator, care_team(id_="ada-team", patient="Patient/eve"))) == ["C24"]


async def test_the_next_review_is_scheduled_with_the_one_that_was_held(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, active: str
) -> None:
    held = review("ada-plan") | {"status": "completed"}
    following = review("ada-plan", 150) | {"id": "ada-plan-review-2"}
    await load(operator, held, following)


async def test_a_goal_may_change_and_the_change_shows(
    county: httpx.AsyncClient, active: str
) -> None:
    assert (await put(county, goal(description={"text": "Something else."}))).status_code == 200
    assert (await put(county, await current(county), title="Another")).status_code == 200
    assert '"C50"' in (await county.get("/CarePlan/ada-plan/$isp-validate")).text
    assert (await put(county, await current(county), status="on-hold")).status_code == 200
    assert rules(await put(county, await current(county), status="active")) == ["C50"]


async def test_a_plan_ends_with_its_goals(county: httpx.AsyncClient, active: str) -> None:
    assert rules(await put(county, await current(county), status="completed")) == ["Ended"]
    for number in (1, 2):
        ended = goal(f"ada-goal-{number}", lifecycleStatus="completed")
        assert (await put(county, ended)).status_code == 200
    assert (await put(county, await current(county), status="completed")).status_code == 200


async def test_a_plan_does_not_follow_itself(county: httpx.AsyncClient, active: str) -> None:
    own = [reference("CarePlan/ada-plan")]
    assert rules(await put(county, await current(county), replaces=own)) == ["Chain"]


async def test_plain_updates_at_once_put_one_plan_into_force(
    service: Service, county: httpx.AsyncClient, operator: httpx.AsyncClient, ready: str
) -> None:
    names = ["ada-plan", *(f"ada-{number}" for number in range(4))]
    for name in names[1:]:
        await load(operator, draft(name), review(name))
        await sign(service, name)
    plans = [await current(county, f"CarePlan/{name}") for name in names]
    answers = await asyncio.gather(*(put(county, one, status="active") for one in plans))
    assert sorted(one.status_code for one in answers) == [200, 422, 422, 422, 422]
    assert {rule for one in answers if one.status_code == 422 for rule in rules(one)} == {
        "One plan"
    }


async def test_two_who_take_away_one_of_two_reviews_leave_one(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, active: str
) -> None:
    other = review("ada-plan") | {"id": "ada-other-review"}
    await load(operator, other)
    both = await asyncio.gather(
        *(put(county, one, status="cancelled") for one in (other, review("ada-plan")))
    )
    assert sorted(one.status_code for one in both) == [200, 422]


async def test_plans_of_different_programmes_live_side_by_side(
    service: Service, county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    for name in ("one", "two"):
        episode: Json = {"resourceType": "EpisodeOfCare", "id": name, "status": "active"}
        episode |= {"patient": reference("Patient/ada")}
        rests = [reference(f"EpisodeOfCare/{name}")]
        await load(operator, episode, draft(name, supportingInfo=rests), review(name))
        await sign(service, name)
        assert (await move(county, "activate", name)).status_code == 200
    two = await current(county, "CarePlan/two")
    assert rules(await put(county, two, supportingInfo=[])) == ["One plan"]
