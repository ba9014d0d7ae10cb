"""https://hl7.org/fhir/R4/resource-operation-validate.html"""

from typing import Any

import httpx

from tests.build import care_plan, concept, goal
from tests.http.conftest import Json, Service, create, load, refused, serving

ISP = "https://isp-fhir.example"
PLAN = f"{ISP}/StructureDefinition/isp-care-plan"
LOCAL = "https://county.example/StructureDefinition/walking-goal"


def profile(url: str = LOCAL, type_: str = "Goal", *elements: Json, **more: Any) -> Json:
    """A profile of a client."""
    core = f"http://hl7.org/fhir/StructureDefinition/{type_}"
    made = {
        "resourceType": "StructureDefinition",
        "id": url.rpartition("/")[2],
        "url": url,
        "name": "Local",
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": type_,
        "baseDefinition": core,
        "derivation": "constraint",
        "differential": {"element": [{"id": type_, "path": type_}, *elements]},
    }
    return made | more


def element(path: str, **said: Any) -> Json:
    return {"id": path, "path": path, **said}


WALKING = profile(
    LOCAL,
    "Goal",
    element("Goal.priority", min=1),
    element(
        "Goal.category",
        binding={"strength": "required", "valueSet": "https://county.example/ValueSet/domains"},
    ),
)
DOMAINS = {
    "resourceType": "ValueSet",
    "id": "domains",
    "url": "https://county.example/ValueSet/domains",
    "status": "active",
    "compose": {
        "include": [{"system": "https://county.example/domain", "concept": [{"code": "a"}]}]
    },
}


def said(response: httpx.Response, severity: str = "error") -> list[str]:
    assert response.status_code == 200, response.text
    found = response.json()["issue"]
    return [one["diagnostics"] for one in found if one["severity"] == severity]


async def test_a_plan_is_judged_by_the_profile_that_is_asked_for(county: httpx.AsyncClient) -> None:
    plan = care_plan(id_="x")
    response = await county.post("/CarePlan/$validate", params={"profile": PLAN}, json=plan)
    assert any(one.startswith("author must be there at least 1 time") for one in said(response))
    assert any(one.startswith("category:isp must") for one in said(response))
    kind = concept(f"{ISP}/CodeSystem/isp", "individualized-service-plan")
    whole = care_plan(id_="x", author={"display": "Eve"}, careTeam=[{"display": "Us"}])
    whole["category"].append(kind)
    parts = [{"name": "resource", "resource": whole}, {"name": "profile", "valueUri": PLAN}]
    sent = {"resourceType": "Parameters", "parameter": parts}
    answer = await county.post("/CarePlan/$validate", json=sent)
    assert said(answer) == said(answer, "warning") == []
    [told] = said(answer, "information")
    assert "Must be supported" in told


async def test_a_stored_profile_with_its_value_set_is_followed_by_everybody(
    operator: httpx.AsyncClient, county: httpx.AsyncClient
) -> None:
    await load(operator, WALKING, DOMAINS)
    wish = goal(id_="g", category=[concept("https://county.example/domain", "b")])
    wish["meta"] = {"profile": [LOCAL]}
    found = said(await county.post("/Goal/$validate", json=wish))
    assert len(found) == 2
    assert found[0].startswith("priority must be there")
    assert found[1].startswith("Must have a code of https://county.example/ValueSet/domains")
    wish |= {"priority": {"text": "high"}}
    wish["category"] = [concept("https://county.example/domain", "a")]
    assert said(await county.post("/Goal/$validate", json=wish)) == []


async def test_an_unknown_profile_is_told_and_judges_nothing(county: httpx.AsyncClient) -> None:
    sent = goal(id_="g") | {"meta": {"profile": ["https://nowhere.example/p"]}}
    response = await county.post("/Goal/$validate", json=sent)
    assert said(response) == []
    assert "is not held here" in said(response, "warning")[0]


async def test_a_profile_of_another_type_does_not_fit(county: httpx.AsyncClient) -> None:
    response = await county.post("/Goal/$validate", params={"profile": PLAN}, json=goal(id_="g"))
    assert said(response) == [f"The profile {PLAN} is for a CarePlan, not for a Goal."]


async def test_a_stored_resource_is_judged_where_it_is(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str
) -> None:
    url = "/CarePlan/ada-plan/$validate"
    assert said(await county.get(url)) == []
    assert any("author" in one for one in said(await county.get(url, params={"profile": PLAN})))
    refused(await stranger.get(url), 404, "not-found")
    refused(await county.get(url, params={"mode": "guess"}), 400, "value")
    refused(await county.get(url, params={"colour": "red"}), 400, "not-supported")


async def test_an_update_must_carry_its_id(county: httpx.AsyncClient, ada: str) -> None:
    other = care_plan(id_="other")
    response = await county.post("/CarePlan/ada-plan/$validate?mode=update", json=other)
    assert said(response) == ["Must be the id of the URL: ada-plan."]


async def test_whether_something_can_be_deleted_takes_the_right_to(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    url = "/CarePlan/ada-plan/$validate?mode=delete"
    assert said(await county.get(url), "information") == ["It can be deleted."]
    reader = await service.as_("provider-organization", "Organization/county", "system/*.rs")
    refused(await reader.get(url), 403, "forbidden")


async def test_an_extension_stands_where_it_belongs(county: httpx.AsyncClient) -> None:
    baseline = {
        "url": f"{ISP}/StructureDefinition/goal-baseline",
        "extension": [{"url": "value", "valueQuantity": {"value": 1}}],
    }
    assert (
        said(await county.post("/Goal/$validate", json=goal(id_="g", extension=[baseline]))) == []
    )
    plan = care_plan(id_="p", extension=[baseline])
    [found] = said(await county.post("/CarePlan/$validate", json=plan))
    assert found.endswith("goal-baseline belongs on Goal.")
    empty = {**baseline, "extension": [{"url": "colour", "valueString": "red"}]}
    found_ = said(await county.post("/Goal/$validate", json=goal(id_="g", extension=[empty])))
    assert any("extension:value must be there" in one for one in found_)
    assert any("Must be one of the slices value, date, observation" in one for one in found_)


async def test_a_strict_server_refuses_what_breaks_the_profile_it_claims(
    dsn: str, service: Service
) -> None:
    async with serving(dsn, profiles="strict", references="lenient") as strict:
        operator = await strict.as_("operator")
        await load(operator, WALKING, DOMAINS)
        sent = goal(id_="g") | {"meta": {"profile": [LOCAL]}}
        response = await operator.post("/Goal", json=sent)
        assert response.status_code == 422
        [issue] = response.json()["issue"]
        assert issue["expression"] == ["Goal.priority"]
        await create(operator, sent | {"priority": {"text": "high"}})


async def test_a_server_that_warns_tells_who_wants_an_outcome(
    operator: httpx.AsyncClient, lenient: Service
) -> None:
    client = await lenient.as_("operator")
    await load(client, WALKING, DOMAINS)
    sent = goal(id_="g") | {"meta": {"profile": [LOCAL]}}
    wanted = {"Prefer": "return=OperationOutcome"}
    response = await client.post("/Goal", json=sent, headers=wanted)
    assert response.status_code == 201
    warned = [one for one in response.json()["issue"] if one["severity"] == "warning"]
    assert warned[0]["diagnostics"].startswith("priority must be there")
