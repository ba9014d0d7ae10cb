"""Every call leaves an AuditEvent that those who may can search. https://profiles.ihe.net/ITI/BALP/"""

import httpx

from app.fhir.validation.structure import validate
from tests.build import patient, reference
from tests.http.conftest import COUNTY, Json, load, refused
from tests.http.trail import events


def subtypes(found: list[Json]) -> list[str]:
    return [event["subtype"][0]["code"] for event in found]


async def test_each_interaction_is_found_by_the_request_it_came_with(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    goal = (await county.get("/Goal/ada-goal-1")).json()
    calls: dict[str, tuple[str, str, Json | None]] = {
        "read": ("GET", "/Goal/ada-goal-1", None),
        "vread": ("GET", "/Goal/ada-goal-1/_history/1", None),
        "history-instance": ("GET", "/Goal/ada-goal-1/_history", None),
        "search-type": ("GET", f"/Goal?patient={ada}", None),
        "update": ("PUT", "/Goal/ada-goal-1", goal | {"note": [{"text": "new"}]}),
        "delete": ("DELETE", "/Goal/ada-goal-1", None),
    }
    for interaction, (method, url, body) in calls.items():
        headers = {"X-Request-Id": f"this-{interaction}"}
        response = await county.request(method, url, json=body, headers=headers)
        assert response.status_code in (200, 204), response.text
        [event] = await events(operator, **{"entity:identifier": f"this-{interaction}"})
        assert subtypes([event]) == [interaction]
        assert event["outcome"] == "0"
        assert validate(event, "AuditEvent") == []
        about = [e["what"]["reference"] for e in event["entity"] if e["type"]["code"] == "1"]
        assert about == ["Patient/ada"]


async def test_what_happened_to_a_patient_is_found_by_patient_entity_and_agent(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    await county.get("/CarePlan/ada-plan")
    for asked in (
        {"patient": "Patient/ada", "action": "R"},
        {"entity": "CarePlan/ada-plan", "subtype": "read"},
        {"agent": "Organization/county", "entity": "CarePlan/ada-plan"},
    ):
        assert subtypes(await events(operator, **asked)) == ["read"], asked
    assert await events(operator, patient="Patient/ben") == []


async def test_a_refusal_is_recorded_although_nothing_was_written(
    stranger: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    refused(await stranger.get("/CarePlan/ada-plan"), 404, "not-found")
    [event] = await events(operator, entity="CarePlan/ada-plan", outcome="4")
    assert event["outcomeDesc"] == "404 not-found"
    assert "profile" not in event["meta"]


async def test_nobody_changes_the_audit_trail(operator: httpx.AsyncClient, ada: str) -> None:
    event = (await events(operator, _count=1))[0]
    url = f"/AuditEvent/{event['id']}"
    assert (await operator.put(url, json=event | {"outcome": "8"})).is_client_error
    assert (await operator.post("/AuditEvent", json=event)).is_client_error
    await operator.delete(url)
    assert (await operator.get(url)).json() == event


async def test_an_event_is_not_for_those_it_is_about_or_by(
    county: httpx.AsyncClient, ada: str
) -> None:
    response = await county.get("/AuditEvent", params={"patient": ada})
    assert response.status_code == 403 or "entry" not in response.json()


async def test_a_plan_that_shows_another_person_is_in_that_persons_trail(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    """An appointment that two people share leaves with the plan of one."""
    both = [{"actor": reference(f"Patient/{who}"), "status": "accepted"} for who in ("ada", "ben")]
    meeting: Json = {"resourceType": "Appointment", "id": "m", "status": "booked"}
    times = {"start": "2026-05-01T10:00:00Z", "end": "2026-05-01T11:00:00Z"}
    await load(operator, patient("ben", COUNTY), meeting | times | {"participant": both})
    for name in ("$isp-bundle", "$document"):
        headers = {"X-Request-Id": f"this-{name[1:]}"}
        response = await county.get(f"/CarePlan/ada-plan/{name}", headers=headers)
        assert response.status_code == 200, response.text
        told = await events(operator, **{"entity:identifier": f"this-{name[1:]}"})
        for who in ("ada", "ben"):
            assert f"'Patient/{who}'" in str(told)
