"""CarePlan/$isp-validate as its callers meet it."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.fhir.validation.structure import validate
from app.isp import definitions
from app.isp.operations.validate import OPERATION
from tests.build import organization, reference
from tests.http.conftest import COUNTY, Service, load, refused
from tests.http.reading import service, store
from tests.worlds.poor import zed
from tests.worlds.residential_dd import rosa
from tests.worlds.whole import whole

__all__ = ["service"]


Json = dict[str, Any]
DAY = "date=2026-01-05"


@pytest.fixture
async def operator(service: Service) -> httpx.AsyncClient:
    client = await service.as_("operator")
    await load(client, organization("county"))
    return client


def bundle(resources: list[Json]) -> Json:
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def read(response: httpx.Response) -> tuple[set[str], Json]:
    """The checks that found something, and the other parameters."""
    assert response.status_code == 200, response.text
    answer = response.json()
    assert validate(answer, "Parameters") == []
    outcome, *rest = answer["parameter"]
    codes = {one["details"]["coding"][0]["code"] for one in outcome["resource"]["issue"][:-1]}
    named = {one["name"]: one for one in rest if one["name"] != "score"}
    named["score"] = {
        p["part"][0]["valueCode"]: p["part"][1]["valueInteger"] for p in rest if "part" in p
    }
    return codes, named


async def test_a_whole_plan_lacks_nothing_once_stored(
    service: Service, operator: httpx.AsyncClient
) -> None:
    await store(service, whole())
    codes, rest = read(await operator.get(f"/CarePlan/ada/$isp-validate?rules=hcbs&{DAY}"))
    assert codes == set()
    assert rest["ready-to-sign"]["valueBoolean"] is True
    assert set(rest["score"].values()) == {100}
    assert rest["rules"]["valueCode"] == "hcbs"
    assert rest["date"]["valueDate"] == "2026-01-05"


async def test_a_finding_says_where_what_and_why(
    service: Service, operator: httpx.AsyncClient
) -> None:
    world = whole()
    world["Goal/job"]["target"][0].pop("dueDate")
    await store(service, world)
    response = await operator.get(f"/CarePlan/ada/$isp-validate?{DAY}")
    issues = response.json()["parameter"][0]["resource"]["issue"]
    [found] = [one for one in issues if "C12" in json.dumps(one)]
    assert found["severity"] == "error"
    assert found["expression"] == ["Goal.where(id = 'job').target[0].due"]
    assert found["diagnostics"].startswith("Goal/job: Make the goal measurable")
    assert found["details"]["text"].startswith("R24")
    assert issues[-1]["severity"] == "information"
    assert "what you may see" in issues[-1]["diagnostics"]


async def test_an_edit_after_signing_shows(service: Service, operator: httpx.AsyncClient) -> None:
    world = whole()
    await store(service, world)
    plan = (await operator.get("/CarePlan/ada")).json()
    await operator.put("/CarePlan/ada", json=plan | {"title": "Another title"})
    codes, _ = read(await operator.get(f"/CarePlan/ada/$isp-validate?{DAY}"))
    assert codes == {"C04", "C50"}


async def test_a_draft_is_judged_as_if_it_were_stored(
    service: Service, operator: httpx.AsyncClient
) -> None:
    await store(service, rosa())
    stored, there = read(await operator.get(f"/CarePlan/rosa/$isp-validate?rules=ny&{DAY}"))
    drafted, here = read(
        await operator.post(f"/CarePlan/$isp-validate?rules=ny&{DAY}", json=bundle(rosa().all()))
    )
    assert drafted == stored == {"C60"}
    assert here == there


async def test_parameters_may_come_in_the_body(
    service: Service, operator: httpx.AsyncClient
) -> None:
    parameters = [
        {"name": "rules", "valueCode": "therapy,part2"},
        {"name": "date", "valueDate": "2026-01-05"},
        {"name": "plan", "resource": bundle(zed().all())},
    ]
    body = {"resourceType": "Parameters", "parameter": parameters}
    codes, rest = read(await operator.post("/CarePlan/$isp-validate", json=body))
    assert codes >= {"C01", "C12"}
    assert rest["rules"]["valueCode"] == "therapy,part2"
    assert rest["ready-to-sign"]["valueBoolean"] is False


async def test_entries_may_refer_to_each_other_by_urn(
    service: Service, operator: httpx.AsyncClient
) -> None:
    plan, goal = (
        "urn:uuid:11111111-1111-4111-8111-111111111111",
        "urn:uuid:22222222-2222-4222-8222-222222222222",
    )
    [made] = [one for one in zed().all() if one["resourceType"] == "CarePlan"]
    made = {k: v for k, v in made.items() if k not in ("id", "meta")} | {"goal": [reference(goal)]}
    aim = {k: v for k, v in zed()["Goal/comply"].items() if k != "id"}
    entries = [{"fullUrl": plan, "resource": made}, {"fullUrl": goal, "resource": aim}]
    sent = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    response = await operator.post(f"/CarePlan/$isp-validate?{DAY}", json=sent)
    read(response)
    assert "Goal.where(id = '22222222-2222-4222-8222-222222222222')" in response.text


async def test_the_renewal_is_judged_and_not_the_plan_it_replaces(
    service: Service,
    operator: httpx.AsyncClient,
) -> None:
    world = whole()
    resources = world.all()
    [old] = [one for one in resources if one["id"] == "ada" and one["resourceType"] == "CarePlan"]
    new = {**old, "id": "ada-2", "title": None, "replaces": [reference("CarePlan/ada")]}
    new = {key: value for key, value in new.items() if value is not None}
    response = await operator.post(f"/CarePlan/$isp-validate?{DAY}", json=bundle([*resources, new]))
    read(response)
    assert "CarePlan.where(id = 'ada-2').title" in response.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("rules=atlantis", "there are no rules atlantis"),
        ("date=yesterday", "write a day"),
        ("rule=core", "no parameter rule"),
    ],
)
async def test_wrong_parameters_are_named(
    service: Service, operator: httpx.AsyncClient, query: str, said: str
) -> None:
    await store(service, whole())
    code = "not-supported" if query.startswith("rule=") else "value"
    response = await operator.get(f"/CarePlan/ada/$isp-validate?{query}")
    assert said in refused(response, 400, code)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 400),
        ({"resourceType": "CarePlan", "status": "draft"}, 400),
        ({"resourceType": "Bundle", "type": "collection", "entry": "none"}, 400),
        ({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": 3}]}, 400),
        ({"resourceType": "Parameters", "parameter": "x"}, 400),
        ({"resourceType": "Bundle", "type": "collection"}, 422),
        (bundle([{"resourceType": "CarePlan", "status": "draft"}]), 422),
        (bundle([{"resourceType": "CarePlan", "period": {"start": "soon"}}]), 422),
        (bundle([*whole().all(), *rosa().all()]), 422),
    ],
)
async def test_what_is_no_plan_is_refused(
    service: Service, operator: httpx.AsyncClient, body: Json | None, status: int
) -> None:
    response = await operator.post("/CarePlan/$isp-validate", json=body)
    assert response.status_code == status, response.text
    assert response.json()["issue"][0]["diagnostics"]


async def test_a_plan_that_is_not_there_or_was_deleted(
    service: Service, operator: httpx.AsyncClient
) -> None:
    refused(await operator.get("/CarePlan/nobodys/$isp-validate"), 404, "not-found")
    await store(service, zed())
    assert (await operator.delete("/CarePlan/zed")).status_code == 204
    refused(await operator.get("/CarePlan/zed/$isp-validate"), 410, "deleted")


async def test_a_stranger_cannot_tell_the_plan_from_none(
    service: Service, operator: httpx.AsyncClient
) -> None:
    await store(service, whole())
    stranger = await service.as_("provider-organization", "Organization/elsewhere")
    there = await stranger.get("/CarePlan/ada/$isp-validate")
    nowhere = await stranger.get("/CarePlan/eve/$isp-validate")
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace("ada", "eve") == nowhere.text


async def test_the_plan_is_judged_by_what_the_caller_may_see(
    service: Service, operator: httpx.AsyncClient
) -> None:
    """Without a scope for risks, nothing of a risk is said; with it, what it lacks."""
    world = whole()
    world["RiskAssessment/risk-lost"].pop("mitigation")
    await store(service, world)
    for scope, told in (("system/*.rs", True), ("system/CarePlan.rs system/Goal.rs", False)):
        client = await service.as_("provider-organization", COUNTY, scope)
        response = await client.get(f"/CarePlan/ada/$isp-validate?{DAY}")
        codes, _ = read(response)
        assert ("C42" in codes) is told
        assert ("risk-lost" in response.text) is told


async def test_it_takes_a_scope_to_ask(service: Service, operator: httpx.AsyncClient) -> None:
    client = await service.as_("provider-organization", COUNTY, "system/Goal.rs")
    refused(await client.get("/CarePlan/ada/$isp-validate"), 403, "forbidden")


async def test_the_trail_says_who_judged_whose_plan(
    service: Service, operator: httpx.AsyncClient
) -> None:
    await store(service, whole())
    await operator.get(f"/CarePlan/ada/$isp-validate?{DAY}")
    trail = await operator.get("/AuditEvent?patient=Patient/ada&_sort=-date&_count=1")
    [event] = [entry["resource"] for entry in trail.json()["entry"]]
    assert event["subtype"][0]["code"] == "operation"
    assert "CarePlan/ada" in json.dumps(event["entity"])


def test_the_definition_says_what_the_operation_does() -> None:
    folder = Path(definitions.__path__[0])
    found = json.loads((folder / "OperationDefinition-CarePlan-isp-validate.json").read_text())
    assert validate(found, "OperationDefinition") == []
    assert found["url"] == OPERATION.definition
    assert found["code"] == OPERATION.name
    levels = {level for level in ("system", "type", "instance") if found[level]}
    assert levels == OPERATION.levels
    assert set(found["resource"]) == OPERATION.types
    inputs = {one["name"] for one in found["parameter"] if one["use"] == "in"}
    assert inputs == {"rules", "date", "plan"}


async def test_the_capability_statement_lists_it(service: Service) -> None:
    said = (await service.client().get("/metadata")).json()
    [plan] = [one for one in said["rest"][0]["resource"] if one["type"] == "CarePlan"]
    assert {"name": "isp-validate", "definition": OPERATION.definition} in plan["operation"]
