"""CarePlan/$isp-bundle and $isp-diff as their callers meet them."""

import json
from typing import Any

import httpx
import pytest

from app.fhir.validation.structure import validate
from tests.build import care_plan, consent, goal, organization, practitioner, reference
from tests.build import practitioner_role as role
from tests.http.conftest import COUNTY, PARTNER, Service, change, create, load, refused

Json = dict[str, Any]
BUNDLE, DIFF = "/CarePlan/ada-plan/$isp-bundle", "/CarePlan/ada-plan/$isp-diff"


def held(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    body = response.json()
    assert validate(body, "Bundle") == []
    return [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in body["entry"]]


async def test_the_plan_comes_first_and_then_what_belongs_to_it(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    """The role that a service names leads to the practitioner and organization behind it."""
    service: Json = {"resourceType": "ServiceRequest", "id": "job", "status": "active"}
    service |= {"intent": "plan", "subject": reference("Patient/ada")}
    service |= {"basedOn": [reference("CarePlan/ada-plan")]}
    service |= {"performer": [reference("PractitionerRole/tom")]}
    elsewhere = care_plan(id_="other", status="completed")
    await load(
        operator,
        organization("nursery"),
        practitioner("tom"),
        role("tom", "Practitioner/tom", "Organization/nursery"),
        service,
        elsewhere,
    )
    names = held(await county.get(BUNDLE))
    assert names[0] == "CarePlan/ada-plan"
    wanted = {"Goal/ada-goal-1", "Goal/ada-goal-2", "CareTeam/ada-team", "Patient/ada"}
    wanted |= {"Condition/ada-need", "ServiceRequest/job", "PractitionerRole/tom"}
    assert wanted | {"Practitioner/tom", "Organization/nursery", COUNTY} == set(names[1:])


async def test_the_guide_has_another_name_for_it(county: httpx.AsyncClient, ada: str) -> None:
    other = await county.get("/CarePlan/ada-plan/$all-eltss-careplan")
    assert other.content == (await county.get(BUNDLE)).content


async def test_each_resource_is_as_a_read_gives_it(county: httpx.AsyncClient, ada: str) -> None:
    response = await county.get(BUNDLE)
    for name in held(response):
        assert (await county.get(f"/{name}")).content in response.content


async def test_what_is_not_visible_is_not_in_it(
    service: Service, operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    permits = consent(PARTNER)
    permits["provision"] |= {"class": [{"code": "CarePlan"}]}
    permits["provision"]["class"][0]["system"] = "http://hl7.org/fhir/resource-types"
    await load(operator, permits)
    assert held(await partner.get(BUNDLE)) == ["CarePlan/ada-plan"]


async def test_a_scope_for_plans_alone_shows_the_plan_alone(service: Service, ada: str) -> None:
    client = await service.as_("provider-organization", COUNTY, "system/CarePlan.rs")
    assert held(await client.get(BUNDLE)) == ["CarePlan/ada-plan"]


@pytest.mark.parametrize("name", ["$isp-bundle", "$isp-diff", "$document", "$crisis-card"])
async def test_what_is_not_there_is_told_as_a_read_tells_it(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str, name: str
) -> None:
    refused(await county.get(f"/CarePlan/nobodys/{name}"), 404, "not-found")
    refused(await stranger.get(f"/CarePlan/ada-plan/{name}"), 404, "not-found")
    refused(await county.get(f"/CarePlan/ada-plan/{name}?depth=2"), 400, "not-supported")
    assert (await county.delete("/CarePlan/ada-plan")).status_code == 204
    refused(await county.get(f"/CarePlan/ada-plan/{name}"), 410, "deleted")


def changes(response: httpx.Response) -> dict[str, Json]:
    """By resource and element what was told of a change."""
    assert response.status_code == 200, response.text
    body = response.json()
    assert validate(body, "Parameters") == []
    found = [one["part"] for one in body["parameter"] if one["name"] == "change"]
    rows = [{p["name"]: p[next(k for k in p if k != "name")] for p in parts} for parts in found]
    return {f"{r['resource']['reference']} {r.get('element', r['kind'])}": r for r in rows}


async def test_changes_are_told_in_plain_words(county: httpx.AsyncClient, ada: str) -> None:
    """A goal has versions of its own: what happened to it since the plan was written is told."""
    one = goal(id_="ada-goal-1")
    one["target"][0]["dueDate"] = "2026-06-01"
    await change(county, one, lifecycleStatus="on-hold")
    new = await create(county, goal(description={"text": "I sing."}))
    plan = (await county.get("/CarePlan/ada-plan")).json()
    goals = [*plan["goal"], reference(f"Goal/{new['id']}")]
    await change(county, plan, goal=goals, title="My new plan")
    told = changes(await county.get(DIFF))
    assert told["CarePlan/ada-plan CarePlan.title"]["before"] == "My plan"
    assert told["CarePlan/ada-plan CarePlan.title"]["after"] == "My new plan"
    assert "I sing" in told["CarePlan/ada-plan CarePlan.goal"]["text"]
    assert told[f"Goal/{new['id']} added"]["text"] == "The goal “I sing” is new."
    status = told["Goal/ada-goal-1 Goal.lifecycleStatus"]
    assert (status["before"], status["after"]) == ("under way", "on hold")
    assert "June 1, 2026" in told["Goal/ada-goal-1 Goal.target"]["text"]
    spanish = changes(await county.get(f"{DIFF}?language=es"))
    assert "antes My plan" in spanish["CarePlan/ada-plan CarePlan.title"]["text"]


async def test_between_two_versions_is_told_what_happened_between_them(
    county: httpx.AsyncClient, ada: str
) -> None:
    plan = (await county.get("/CarePlan/ada-plan")).json()
    await change(county, plan, title="Second")
    await change(county, goal(), startDate="2025-10-01")
    await change(county, plan, title="Third")
    assert set(changes(await county.get(f"{DIFF}?from=1&to=2"))) == {
        "CarePlan/ada-plan CarePlan.title"
    }
    assert set(changes(await county.get(f"{DIFF}?from=2&to=3"))) == {
        "CarePlan/ada-plan CarePlan.title",
        "Goal/ada-goal-1 Goal.startDate",
    }
    unchanged = await county.get(f"{DIFF}?from=3")
    assert changes(unchanged) == {}
    assert "Nothing was changed" in unchanged.text


async def test_a_version_that_is_not_there_and_words_we_do_not_have(
    county: httpx.AsyncClient, ada: str
) -> None:
    refused(await county.get(f"{DIFF}?from=9"), 404, "not-found")
    refused(await county.get(f"{DIFF}?from=one"), 404, "not-found")
    assert "en, es" in refused(await county.get(f"{DIFF}?language=tlh"), 400, "value")


async def test_of_a_hidden_goal_no_change_is_told(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    await change(county, goal(), lifecycleStatus="cancelled")
    client = await service.as_("provider-organization", COUNTY, "system/CarePlan.rs")
    response = await client.get(DIFF)
    assert changes(response) == {}
    assert "ada-goal" not in json.dumps(response.json())
