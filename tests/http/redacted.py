"""A plan that points to what its partner may not know, and the look of it when it leaves."""

import httpx
import pytest

from tests.build import HL7, SUD, condition, goal, plan, reference
from tests.http.conftest import COUNTY, PARTNER, Json, load

REDACTED = {"system": f"{HL7}/v3-ObservationValue", "code": "REDACTED"}
SUBSETTED = REDACTED | {"code": "SUBSETTED"}
WALKS = {"coding": [{"system": "http://snomed.info/sct", "code": "walking"}]}
QUITS = {"coding": [{"system": "http://snomed.info/sct", "code": "quitting"}]}
RULE = "business-rule"


@pytest.fixture
async def eyes(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    """The county sees all of Ada's plan; the partner, in her team, not what is about drugs."""
    *ada, mine = plan(PARTNER, organization=COUNTY)
    hidden = {"reference": "Goal/sober", "display": "Sober", "identifier": {"value": "g-7"}}
    mine["goal"].append(hidden)
    mine["addresses"].append(reference("Condition/drugs"))
    mine["text"] = {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">To be sober</div>',
    }
    mine["activity"] = [activity(WALKS, "Goal/ada-goal-1"), activity(QUITS, "Goal/sober")]
    await load(operator, *ada, condition("drugs", **SUD), goal("sober", **SUD), mine)
    return county, partner


def activity(code: Json, serves: str) -> Json:
    return {"detail": {"status": "in-progress", "code": code, "goal": [reference(serves)]}}


def check_redacted(resource: Json) -> None:
    assert "sober" not in str(resource).lower()
    assert "drugs" not in str(resource)
    assert [each["reference"] for each in resource["goal"]] == [
        "Goal/ada-goal-1",
        "Goal/ada-goal-2",
    ]
    assert [each["detail"]["code"] for each in resource["activity"]] == [WALKS]
    assert REDACTED in resource["meta"]["security"]
    assert SUBSETTED in resource["meta"]["tag"]


async def plans(client: httpx.AsyncClient, url: str) -> list[Json]:
    response = await client.get(url)
    assert response.status_code == 200, response.text
    body = response.json()
    if body["resourceType"] == "CarePlan":
        return [body]
    resources = [entry["resource"] for entry in body["entry"]]
    return [each for each in resources if each["resourceType"] == "CarePlan"]
