"""A plan on its way: drafted, signed, in force; and how the operations on it answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.isp.codes import ISP, PLAN
from tests.build import care_plan, concept, practitioner, reference
from tests.http.conftest import COUNTY, Service, load

Json = dict[str, Any]
EMPTY: Json = {"resourceType": "Parameters"}
WHY: Json = EMPTY | {"parameter": [{"name": "reason", "valueString": "Ada is away."}]}
ROWS = "SELECT count(*) FROM resource_version"


def day(ahead: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=ahead)).isoformat()


def draft(id_: str = "ada-plan", **elements: Any) -> Json:
    frame = {
        "status": "draft",
        "period": {"start": day(-9), "end": day(300)},
        "careTeam": [reference("CareTeam/ada-team")],
        "category": [*care_plan()["category"], concept(ISP, PLAN)],
    }
    return care_plan("Goal/ada-goal-1", "Goal/ada-goal-2", id_=id_, **(frame | elements))


def review(plan: str, ahead: int = 90) -> Json:
    task: Json = {"resourceType": "Task", "id": f"{plan}-review", "status": "requested"}
    task |= {"intent": "plan", "code": concept(ISP, "plan-review")}
    task |= {"for": reference("Patient/ada"), "focus": reference(f"CarePlan/{plan}")}
    return task | {"restriction": {"period": {"end": day(ahead)}}}


async def sign(service: Service, plan: str = "ada-plan") -> None:
    client = await service.as_(
        "individual", None, "patient/*.cruds", fhir_user="Patient/ada", patient="ada"
    )
    response = await client.post(f"/CarePlan/{plan}/$isp-sign", json=EMPTY)
    assert response.status_code == 201, response.text


async def move(
    client: httpx.AsyncClient, name: str, plan: str = "ada-plan", body: Json = WHY
) -> httpx.Response:
    """With the current version in If-Match."""
    seen = (await client.get(f"/CarePlan/{plan}")).headers.get("etag", 'W/"1"')
    url = f"/CarePlan/{plan}/$isp-{name}"
    return await client.post(url, json=body, headers={"If-Match": seen})


@pytest.fixture
async def ready(
    service: Service, operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> str:
    """A draft that lacks nothing to become active."""
    await load(operator, draft(), review("ada-plan"))
    await sign(service)
    return "ada-plan"


def parameters(**given: Json) -> Json:
    return EMPTY | {"parameter": [{"name": name} | value for name, value in given.items()]}


def by_type(response: httpx.Response, status: int = 200) -> dict[str, list[Json]]:
    """What an operation wrote."""
    assert response.status_code == status, response.text
    found: dict[str, list[Json]] = {}
    for entry in response.json()["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def rules(response: httpx.Response) -> list[str]:
    assert response.status_code == 422, response.text
    return [one["diagnostics"].partition(":")[0] for one in response.json()["issue"]]


@pytest.fixture
async def worker(service: Service, operator: httpx.AsyncClient, ada: str) -> httpx.AsyncClient:
    """A key worker of the county."""
    await load(operator, practitioner("grace"))
    who = {"fhir_user": "Practitioner/grace"}
    return await service.as_("key-worker", COUNTY, "system/*.cruds", **who)


@pytest.fixture
async def active(county: httpx.AsyncClient, ready: str) -> str:
    assert (await move(county, "activate")).status_code == 200
    return ready


UCUM = "http://unitsofmeasure.org"
TEMPLATE: Json = {
    "resourceType": "PlanDefinition",
    "id": "start",
    "url": "https://isp-fhir.example/PlanDefinition/start",
    "status": "active",
    "title": "First plan",
    "goal": [
        {
            "id": "out",
            "description": {"text": "I am out with people every week."},
            "addresses": [{"text": "Few people to be with during the week"}],
            "target": [
                {
                    "measure": {"text": "Times out in a week"},
                    "detailQuantity": {"value": 2, "unit": "times"},
                    "due": {"value": 6, "unit": "months", "system": UCUM, "code": "mo"},
                }
            ],
        }
    ],
    "action": [
        {
            "title": "Peer support",
            "goalId": ["out"],
            "timingTiming": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}},
        },
        {"title": "Walk", "goalId": ["out"], "participant": [{"type": "patient"}]},
    ],
}
ANSWERS: Json = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "subject": reference("Patient/ada"),
    "source": reference("Patient/ada"),
    "authored": "2026-01-05",
    "item": [
        {"linkId": "need", "answer": [{"valueString": "Wants to cook"}]},
        {
            "linkId": "social",
            "item": [{"linkId": "social.strength", "answer": [{"valueString": "Sings"}]}],
        },
        {"linkId": "preference.1", "answer": [{"valueString": "Mornings"}]},
        {"linkId": "goal", "answer": [{"valueString": "I cook for my sister."}]},
    ],
}
