"""CarePlan/$isp-create: a draft is made of template and assessment."""

import httpx
import pytest

from app.storage.database import Database
from tests.build import reference
from tests.http.conftest import create, load, refused
from tests.http.plan_life import ANSWERS, ROWS, TEMPLATE, Json, by_type, parameters, worker

__all__ = ["worker"]


async def made(client: httpx.AsyncClient, **given: Json) -> httpx.Response:
    who = {"subject": {"valueReference": reference("Patient/ada")}}
    return await client.post("/CarePlan/$isp-create", json=parameters(**(who | given)))


async def test_a_draft_is_made_of_template_and_assessment(
    operator: httpx.AsyncClient, worker: httpx.AsyncClient
) -> None:
    await load(operator, TEMPLATE)
    form = (await create(worker, ANSWERS))["id"]
    response = await made(
        worker,
        assessment={"valueReference": reference(f"QuestionnaireResponse/{form}")},
        template={"valueCanonical": TEMPLATE["url"]},
        start={"valueDate": "2027-01-01"},
    )
    found = by_type(response, 201)
    [plan], [team] = found["CarePlan"], found["CareTeam"]
    assert (plan["status"], plan["title"]) == ("draft", "First plan")
    assert plan["period"] == {"start": "2027-01-01", "end": "2027-12-31"}
    assert plan["author"] == reference("Practitioner/grace")
    assert plan["careTeam"] == [reference(f"CareTeam/{team['id']}")]
    assert {one["code"]["text"] for one in found["Condition"]} == {"Wants to cook"}
    assert {one["valueString"] for one in found["Observation"]} == {"Sings", "Mornings"}
    out, cook = found["Goal"]
    assert out["target"][0]["dueDate"] == "2027-07-01"
    assert cook["expressedBy"] == reference("Patient/ada")
    [service] = found["ServiceRequest"]
    assert service["extension"][0]["valueReference"] == reference(f"Goal/{out['id']}")
    steps = {one["code"].get("text"): one for one in found["Task"]}
    assert steps["Walk"]["owner"] == reference("Patient/ada")
    due = {one["restriction"]["period"]["end"] for one in found["Task"][1:]}
    assert due == {"2027-07-01", "2027-12-31"}
    stored = await worker.get(f"/CarePlan/{plan['id']}")
    assert stored.json() == plan
    assert '"C01"' not in (await worker.get(f"/CarePlan/{plan['id']}/$isp-validate")).text


async def test_a_draft_needs_no_template(worker: httpx.AsyncClient) -> None:
    team = {"valueReference": reference("CareTeam/ada-team")}
    found = by_type(await made(worker, team=team, title={"valueString": "Ada's plan"}), 201)
    assert set(found) == {"CarePlan", "Task", "Provenance"}
    assert found["CarePlan"][0]["careTeam"] == [reference("CareTeam/ada-team")]


@pytest.mark.parametrize("part", ["subject", "assessment", "template", "team"])
async def test_what_is_not_known_makes_no_draft(
    worker: httpx.AsyncClient, database: Database, part: str
) -> None:
    types = {"subject": "Patient", "assessment": "QuestionnaireResponse", "team": "CareTeam"}
    before = await database.fetchval(ROWS)
    target = reference(f"{types.get(part, 'PlanDefinition')}/nobodys")
    response = await made(worker, **{part: {"valueReference": target}})
    refused(response, 422, "not-found", f"Parameters.parameter.where(name = '{part}')")
    assert await database.fetchval(ROWS) == before
