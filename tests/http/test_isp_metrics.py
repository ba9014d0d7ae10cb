"""CarePlan/$isp-metrics as its callers meet it, and the gauges beside it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.isp.definitions import definitions
from app.isp.metrics import MEASURE, Span, figures, report
from tests.build import concept, condition, goal, reference
from tests.http.conftest import Service, change, create, load, refused

Json = dict[str, Any]
METRICS = "/CarePlan/$isp-metrics"
TODAY = datetime.now(UTC).date()


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


def review(due: str, done: str | None) -> Json:
    made: Json = {"resourceType": "Task", "status": "completed" if done else "requested"}
    made |= {"intent": "plan", "for": reference("Patient/ada")}
    made |= {"code": concept("https://isp-fhir.example/CodeSystem/isp", "plan-review")}
    made["restriction"] = {"period": {"end": due}}
    return made | ({"executionPeriod": {"end": done}} if done else {})


def counted(response: httpx.Response) -> dict[str, tuple[Any, ...]]:
    """By figure its counts and its score."""
    assert response.status_code == 200, response.text
    body = response.json()
    get_fhir_model_class("MeasureReport").model_validate(body)
    return {
        one["code"]["coding"][0]["code"]: (
            *(each["count"] for each in one["population"]),
            one.get("measureScore", {}).get("value"),
        )
        for one in body["group"]
    }


async def test_the_figures_of_a_plan_are_counted(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    empty = counted(await county.get(METRICS))
    assert empty["reviews-on-time"] == (0, 0, None)
    assert empty["goals-measurable"] == (2, 2, 100.0)
    assert empty["plans-signed"] == (0, 1, 0.0)
    assert empty["days-to-service"] == (0, None)
    for one in (
        review(ago(10), ago(12)),
        review(ago(20), ago(5)),
        review(ago(30), None),
        review(ago(-30), None),
        review(ago(900), None),
    ):
        await create(county, one)
    person = await service.as_(
        "individual", None, "patient/*.cruds", fhir_user="Patient/ada", patient="ada"
    )
    signs = {"resourceType": "Parameters"}
    assert (await person.post("/CarePlan/ada-plan/$isp-sign", json=signs)).status_code == 201
    achieved = concept("http://terminology.hl7.org/CodeSystem/goal-achievement", "achieved")
    over = {"lifecycleStatus": "completed", "statusDate": ago(3), "achievementStatus": achieved}
    await change(county, goal("ada-goal-2"), **over)
    vague = goal(target=[{"measure": {"text": "How it feels"}, "detailString": "better"}])
    await create(county, vague)
    health = "http://hl7.org/fhir/us/core/CodeSystem/condition-category"
    kinds = [concept(health, "health-concern")]
    await change(county, condition(), category=kinds, recordedDate=ago(40))
    for start in (ago(12), ago(30)):
        await create(county, request(start))
    assert counted(await county.get(METRICS)) == {
        "reviews-on-time": (1, 3, 33.3),
        "goals-measurable": (1, 2, 50.0),
        "plans-signed": (1, 1, 100.0),
        "goals-achieved": (1, 1, 100.0),
        "days-to-service": (1, 10.0),
    }
    alone = await county.get(f"{METRICS}?patient=Patient/ada&periodStart={ago(11)}")
    assert counted(alone)["reviews-on-time"] == (1, 1, 100.0)
    assert counted(alone)["plans-signed"] == (1, 1, 100.0)
    assert "ada" not in alone.text


def request(start: str) -> Json:
    made: Json = {"resourceType": "ServiceRequest", "status": "active", "intent": "plan"}
    made |= {"subject": reference("Patient/ada"), "occurrencePeriod": {"start": start}}
    return made | {"reasonReference": [reference("Condition/ada-need")]}


async def test_what_the_caller_may_not_see_does_not_count(
    stranger: httpx.AsyncClient, ada: str
) -> None:
    found = counted(await stranger.get(METRICS))
    assert {row[-1] for row in found.values()} == {None}


@pytest.mark.parametrize(
    "query", ["periodStart=soon", "periodStart=2026-02-01&periodEnd=2026-01-01", "since=2026"]
)
async def test_wrong_parameters_are_refused(
    county: httpx.AsyncClient, ada: str, query: str
) -> None:
    code = "not-supported" if "since" in query else "value"
    refused(await county.get(f"{METRICS}?{query}"), 400, code)


async def test_it_takes_the_scopes_of_what_is_counted(service: Service, ada: str) -> None:
    client = await service.as_("provider-organization", "Organization/county", "system/CarePlan.s")
    refused(await client.get(METRICS), 403, "forbidden")


async def test_the_gauges_count_and_name_nobody(
    service: Service, operator: httpx.AsyncClient, ada: str
) -> None:
    root = str(service.settings.base_url).removesuffix("/fhir")
    text = (await operator.get(f"{root}/metrics")).text
    assert 'isp_plans{status="active"} 1.0' in text
    assert "isp_plans_signed 0.0" in text
    assert "isp_goals 2.0" in text
    assert "isp_goals_dated 2.0" in text
    assert "ada-" not in text
    assert "/ada" not in text
    await load(operator, goal("third"))
    again = (await operator.get(f"{root}/metrics")).text
    assert "isp_goals 2.0" in again, "counted anew although the figures are fresh"


def test_the_measure_that_a_report_names_has_its_figures() -> None:
    today = Span(TODAY, TODAY, TODAY)
    made, measure = report(figures({}, today), today, ago(0)), definitions()[MEASURE]
    assert made["measure"] == measure["url"]
    told = [(one["code"], [p["code"] for p in one["population"]]) for one in made["group"]]
    said = [(one["code"], [p["code"] for p in one["population"]]) for one in measure["group"]]
    assert told[:-1] == said[:-1]
    assert told[-1] == (said[-1][0], said[-1][1][:1])
