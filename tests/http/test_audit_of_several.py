"""Who finds an AuditEvent of a request that was about several people."""

from base64 import b64decode

import httpx
import pytest

from tests.build import goal, patient
from tests.http.conftest import COUNTY, Service, load
from tests.http.trail import Trail, trail

__all__ = ["trail"]


async def test_a_search_leaves_an_event_for_every_patient_it_found(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, trail: Trail
) -> None:
    await load(operator, patient("ben", COUNTY))
    before = len(await trail.new())
    await county.get("/Patient?_sort=_id")
    about = [
        [entity["what"]["reference"] for entity in event["entity"] if entity["type"]["code"] == "1"]
        for event in (await trail.new())[before:]
    ]
    assert sorted(about) == [[], ["Patient/ada"], ["Patient/ben"]]


@pytest.mark.parametrize("has_ben_a_goal", [True, False])
@pytest.mark.parametrize(
    "asked", ["patient=ada,ben", "patient:Patient=ada,ben", "patient:Patient=ben,ada"]
)
async def test_nobody_learns_from_the_trail_about_whom_else_was_asked(
    service: Service, county: httpx.AsyncClient, ada: str, has_ben_a_goal: bool, asked: str
) -> None:
    operator = await service.as_()
    goals = [goal("ben-goal", "Patient/ben")] if has_ben_a_goal else []
    await load(operator, patient("ben", COUNTY), *goals)
    response = await county.get(f"/Goal?{asked}", headers={"X-Request-Id": "about-two"})
    assert response.status_code == 200
    person = await service.as_(
        "individual", None, "patient/*.rs", patient="ada", fhir_user="Patient/ada"
    )
    by_request = {"entity:identifier": "about-two"}
    for reader, is_told in ((person, False), (operator, True)):
        found = await reader.get("/AuditEvent", params=by_request)
        queries = [
            b64decode(entity["query"]).decode()
            for entry in found.json().get("entry", [])
            for entity in entry["resource"]["entity"]
            if "query" in entity
        ]
        assert (f"Goal?{asked}" in queries) is is_told
        assert is_told or "ben" not in found.text


async def test_who_may_read_and_not_search_names_whom_they_see(
    service: Service, trail: Trail
) -> None:
    """What is answered about nobody names somebody all the same."""
    reader = await service.as_("provider-organization", COUNTY, "system/*.r")
    asked = {"url": "http://hl7.org/fhir/goal-status", "code": "by Patient/ada"}
    response = await reader.get("/CodeSystem/$validate-code", params=asked)
    assert response.status_code == 200, response.text
    assert await trail.kinds() == [("operation", "0", "")]
    [event] = await trail.new()
    assert "'Patient/ada'" in str(event["entity"])


async def test_a_person_reads_what_was_asked_about_them_alone(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    status = "patient=ada&lifecycle-status=active,completed"
    for asked in ("patient=ada", "patient=ada&_summary=count", "patient=ada&_count=0", status):
        assert (await county.get(f"/Goal?{asked}")).status_code == 200
    assert (await county.get("/CarePlan/$isp-metrics?patient=ada")).status_code == 200
    person = await service.as_(
        "individual", None, "patient/*.rs", patient="ada", fhir_user="Patient/ada"
    )
    told = [
        b64decode(entity["query"]).decode()
        for entry in (await person.get("/AuditEvent?_count=99")).json()["entry"]
        for entity in entry["resource"]["entity"]
        if "query" in entity
    ]
    assert {
        "Goal?patient=ada",
        "Goal?patient=ada&_summary=count",
        "Goal?patient=ada&_count=0",
        f"Goal?{status}",
        "CarePlan?patient=ada",
    }.issubset(told)
