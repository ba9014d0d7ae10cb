"""A Task to sign that is rejected counts as a refusal: so whose it is rejects it."""

import httpx
import pytest

from app.isp.codes import ISP
from tests.build import concept, reference
from tests.http.conftest import COUNTY, Json, Service, change, load, refused
from tests.http.plan_life import draft, move, review
from tests.http.test_signer import ADA, CLERK, GRACE, grace, people

__all__ = ["grace", "people"]


def ask(owner: str, **elements: object) -> Json:
    """A Task that asks for a signature, to be created."""
    task: Json = {"resourceType": "Task", "status": "requested", "intent": "order"}
    task |= {"code": concept(ISP, "sign-plan"), "focus": reference("CarePlan/ada-plan")}
    return task | {"for": reference(ADA), "owner": reference(owner)} | elements


NO = {"status": "rejected", "statusReason": {"text": "She does not want to."}}


@pytest.mark.parametrize("owner", [ADA, "Practitioner/hopper", "PractitionerRole/other"])
async def test_nobody_refuses_for_somebody_else(grace: httpx.AsyncClient, owner: str) -> None:
    answer = await grace.post("/Task", json=ask(owner, **NO))
    refused(answer, 422, "business-rule", "Task.owner")
    asked = (await grace.post("/Task", json=ask(owner))).json()
    url = f"/Task/{asked['id']}"
    refused(await grace.put(url, json=asked | NO), 422, "business-rule", "Task.owner")
    patch = [{"op": "replace", "path": "/status", "value": "rejected"}]
    kind = {"Content-Type": "application/json-patch+json"}
    answer = await grace.patch(url, json=patch, headers=kind)
    refused(answer, 422, "business-rule", "Task.owner")
    assert (await change(grace, asked, status="cancelled"))["status"] == "cancelled"


async def test_no_plan_begins_by_a_refusal_that_was_made_up(
    operator: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    await load(operator, draft(), review("ada-plan"))
    await grace.post("/Task", json=ask("RelatedPerson/gus", **NO))
    assert (await move(grace, "activate")).status_code == 422


@pytest.mark.parametrize("owner", [GRACE, CLERK, COUNTY])
async def test_people_refuse_for_themselves_and_whom_they_act_for(
    grace: httpx.AsyncClient, owner: str
) -> None:
    asked = (await grace.post("/Task", json=ask(owner))).json()
    rejected = await change(grace, asked, **NO)
    noted = await change(grace, rejected, note=[{"text": "By telephone."}])
    refused(
        await grace.put(f"/Task/{noted['id']}", json=noted | {"owner": reference(ADA)}),
        422,
        "business-rule",
        "Task.owner",
    )


async def test_a_refusal_of_somebody_else_stays_what_it_is(
    operator: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    await load(operator, ask(ADA, id="no", **NO))
    stored = (await grace.get("/Task/no")).json()
    assert (await grace.put("/Task/no", json=stored | {"priority": "urgent"})).status_code == 200
    other = stored | {"focus": reference("CarePlan/ada-plan/_history/1")}
    refused(await grace.put("/Task/no", json=other), 422, "business-rule", "Task.owner")
    again = stored | {"status": "requested"}
    refused(await grace.put("/Task/no", json=again), 422, "business-rule", "Task")
    refused(await grace.delete("/Task/no"), 422, "business-rule", "Task")


async def test_other_tasks_are_rejected_by_whoever_may_change_them(
    service: Service, grace: httpx.AsyncClient
) -> None:
    other = ask(ADA, code=concept(ISP, "visit"))
    assert (await grace.post("/Task", json=other | NO)).status_code == 201
