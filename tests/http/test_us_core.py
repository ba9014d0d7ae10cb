"""US Core on a server that nothing was loaded into, and with its own package loaded over ours."""

import httpx

from app.fhir import guides
from app.publishing import publish
from tests.fhir.validation.us_core_cases import CASES
from tests.fhir.validation.us_core_resources import CORE, PLAN, changed
from tests.http.conftest import Json, Service, create, found

PROFILES = f"{CORE}/StructureDefinition"
PLAN_PROFILE = f"{PROFILES}/us-core-careplan"


async def judged(client: httpx.AsyncClient, name: str, resource: Json) -> list[Json]:
    """What $validate finds wrong by this profile."""
    type_ = resource["resourceType"]
    asked = {"profile": f"{PROFILES}/{name}"}
    answer = await client.post(f"/{type_}/$validate", params=asked, json=resource)
    assert answer.status_code == 200, answer.text
    issues: list[Json] = answer.json()["issue"]
    return [one for one in issues if one["severity"] != "information"]


async def only(client: httpx.AsyncClient, type_: str, url: str) -> Json:
    """The definition that a search finds at this url."""
    [entry] = (await client.get(f"/{type_}", params={"url": url})).json()["entry"]
    held: Json = entry["resource"]
    return held


async def test_a_fresh_server_judges_by_us_core(operator: httpx.AsyncClient) -> None:
    for name, (resource, wrongs) in CASES.items():
        assert await judged(operator, name, resource) == [], name
        path, value, where = wrongs[0]
        expression = ".".join(filter(None, (resource["resourceType"], where)))
        issues = await judged(operator, name, changed(resource, path, value))
        errors = [one["expression"] for one in issues if one["severity"] == "error"]
        assert [expression] in errors, name


async def test_another_version_is_not_what_was_asked_for(operator: httpx.AsyncClient) -> None:
    goal, _ = CASES["us-core-goal"]
    assert await judged(operator, "us-core-goal|6.1.0", goal) == []
    [issue] = await judged(operator, "us-core-goal|7.0.0", goal)
    assert (issue["severity"], issue["code"]) == ("warning", "not-found")
    assert "6.1.0" in issue["diagnostics"]


async def test_it_is_said_what_a_reference_must_lead_to(operator: httpx.AsyncClient) -> None:
    goal, [(path, value, _)] = CASES["us-core-goal"]
    [issue] = await judged(operator, "us-core-goal", changed(goal, path, value))
    assert issue["diagnostics"].startswith("Must refer to us-core-patient")


async def test_what_is_shipped_is_found_and_named(
    service: Service, stranger: httpx.AsyncClient
) -> None:
    await publish(service.app.state.engine)
    for one in guides.definitions().values():
        held = await only(stranger, one["resourceType"], one["url"])
        assert held["version"] == one["version"]
    said = (await stranger.get("/metadata")).json()["rest"][0]["resource"]
    named = {url for each in said for url in each.get("supportedProfile", ())}
    assert {f"{PROFILES}/{name}" for name in CASES} <= named


async def test_what_is_loaded_of_the_guide_itself_comes_first_and_stays(
    service: Service, operator: httpx.AsyncClient
) -> None:
    engine = service.app.state.engine
    await publish(engine)
    held = await only(operator, "StructureDefinition", PLAN_PROFILE)
    official = held | {"publisher": "HL7", "version": "6.0.0"}
    del official["snapshot"]
    official["differential"] = {
        "element": [
            {"id": "CarePlan", "path": "CarePlan"},
            {"id": "CarePlan.title", "path": "CarePlan.title", "min": 1},
        ]
    }
    put = await operator.put("/StructureDefinition/us-core-careplan", json=official)
    assert put.status_code == 200, put.text
    [error] = await judged(operator, "us-core-careplan", PLAN)
    assert error["expression"] == ["CarePlan.title"]
    assert (await publish(engine)).to_json()["loaded"] == 0
    assert len(await judged(operator, "us-core-careplan", PLAN)) == 1
    await operator.delete("/StructureDefinition/us-core-careplan")
    assert await judged(operator, "us-core-careplan", PLAN) == []
    assert (await publish(engine)).to_json()["loaded"] == 1


async def test_the_value_sets_of_us_core_are_expanded_and_searched_by(
    operator: httpx.AsyncClient,
) -> None:
    races = f"{CORE}/ValueSet/omb-race-category"
    answer = await operator.get("/ValueSet/$expand", params={"url": races})
    assert [one["code"] for one in answer.json()["expansion"]["contains"]][:2] == [
        "1002-5",
        "2028-9",
    ]
    concern, _ = CASES["us-core-condition-problems-health-concerns"]
    mine = await create(operator, concern | {"subject": {"display": "Ada"}})
    asked = {"category:in": f"{CORE}/ValueSet/us-core-problem-or-health-concern"}
    answer = await operator.get("/Condition", params=asked)
    assert f"Condition/{mine['id']}" in found(answer)


async def test_a_client_that_asks_is_told_that_its_plan_is_none_of_us_core(
    operator: httpx.AsyncClient,
) -> None:
    wrong = changed(PLAN, ("category",), [{"text": "Plan"}])
    wrong |= {"meta": {"profile": [PLAN_PROFILE]}, "subject": {"display": "Ada"}}
    answer = await operator.post(
        "/CarePlan", json=wrong, headers={"Prefer": "return=OperationOutcome"}
    )
    assert answer.status_code == 201, answer.text
    said = [one["expression"] for one in answer.json()["issue"] if one["severity"] == "warning"]
    assert ["CarePlan.category"] in said
