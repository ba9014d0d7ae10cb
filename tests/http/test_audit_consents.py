"""What was seen by a Consent names it, as the entity `consent` of BALP 1.1.4 does."""

import httpx
import pytest

from app.fhir.validation.structure import validate
from tests.build import HL7, concept, consent, goal, organization, patient
from tests.http.conftest import COUNTY, Json, Service, load

CLINIC = "Organization/clinic"


@pytest.fixture
async def clinic(service: Service, operator: httpx.AsyncClient) -> httpx.AsyncClient:
    """Is in nobody's team; Ada and Ben of the county each let it in by a Consent."""
    await load(
        operator,
        organization("county"),
        organization("clinic"),
        *(patient(who, COUNTY) for who in ("ada", "ben", "eve")),
        *(consent(CLINIC, id_=f"{who}-yes", patient=f"Patient/{who}") for who in ("ada", "ben")),
        *(goal(f"{who}-goal", f"Patient/{who}") for who in ("ada", "ben", "eve")),
    )
    return await service.as_("ehr-system", CLINIC)


async def told(operator: httpx.AsyncClient, request: str, person: str) -> list[str]:
    """The Consents that the one event of a request about a person names."""
    asked = {"entity:identifier": request, "patient": f"Patient/{person}"}
    response = await operator.get("/AuditEvent", params=asked)
    [event] = [entry["resource"] for entry in response.json().get("entry", [])]
    assert validate(event, "AuditEvent") == []
    kind = {"system": "http://hl7.org/fhir/resource-types", "code": "Consent"}
    return [each["what"]["reference"] for each in event["entity"] if each["type"] == kind]


@pytest.mark.parametrize(
    "url",
    [
        "/Goal/ada-goal",
        "/Goal/ada-goal/_history/1",
        "/Goal/ada-goal/_history",
        "/Goal?patient=ada",
        "/Goal?_count=50&_total=accurate",
        "/Goal/_history",
        "/Patient?_id=ada&_revinclude=Goal:patient",
        "/Patient/ada/Goal",
        "/Patient/ada/$everything",
    ],
)
async def test_what_is_seen_by_a_consent_names_it(
    clinic: httpx.AsyncClient, operator: httpx.AsyncClient, url: str
) -> None:
    response = await clinic.get(url, headers={"X-Request-Id": "seen"})
    assert "ada-goal" in response.text
    assert await told(operator, "seen", "ada") == ["Consent/ada-yes"]


async def test_of_several_people_each_is_told_of_their_own(
    clinic: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    await clinic.get("/Goal", headers={"X-Request-Id": "all"})
    assert await told(operator, "all", "ada") == ["Consent/ada-yes"]
    assert await told(operator, "all", "ben") == ["Consent/ben-yes"]


async def test_the_events_of_a_consent_are_found_by_it(
    clinic: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    await clinic.get("/Goal/ada-goal")
    asked = {"entity": "Consent/ada-yes", "subtype": "read", "agent": CLINIC}
    response = await operator.get("/AuditEvent", params=asked)
    assert len(response.json()["entry"]) == 1


async def test_only_a_consent_that_extends_to_what_was_seen_is_named(
    service: Service, clinic: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    """The county manages the record, and needs none; of its Consents one is about other things."""
    narrow: Json = consent(COUNTY, id_="narrow")
    narrow["provision"]["class"] = [
        {"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}
    ]
    await load(operator, narrow)
    county = await service.as_("provider-organization", COUNTY)
    await county.get("/Goal/ada-goal", headers={"X-Request-Id": "own"})
    assert await told(operator, "own", "ada") == []


async def test_a_consent_for_another_purpose_is_not_named(
    clinic: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    other: Json = consent(CLINIC, id_="ada-research")
    other["provision"]["purpose"] = [{"system": f"{HL7}/v3-ActReason", "code": "HRESCH"}]
    await load(operator, other)
    await clinic.get("/Goal/ada-goal", headers={"X-Request-Id": "care"})
    assert await told(operator, "care", "ada") == ["Consent/ada-yes"]


async def test_what_a_consent_lets_a_rescuer_see_names_it(
    service: Service, clinic: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    paper = consent(CLINIC, id_="eve-rescue", patient="Patient/eve")
    paper["policyRule"] = concept(f"{HL7}/v3-ActCode", "EMRGONLY")
    del paper["provision"]
    await load(operator, paper)
    headers = {"X-Purpose-Of-Use": "BTG", "X-Emergency-Reason": "Found unconscious at home"}
    response = await clinic.get("/Goal/eve-goal", headers=headers | {"X-Request-Id": "night"})
    assert response.status_code == 200
    found = await operator.get("/AuditEvent?entity:identifier=night&subtype=read")
    [event] = [entry["resource"] for entry in found.json()["entry"]]
    assert "Consent/eve-rescue" in str(event["entity"])
