"""Ada's record, who may not see all of it, and who finds what they attempted."""

import httpx
import pytest

from tests.build import ACT, SUD, care_team, consent, goal, organization, patient, reference
from tests.http.conftest import COUNTY, PARTNER, Json, Service, load

CLINIC = "Organization/clinic"
NOTES = {"security": [{"system": ACT, "code": "PSYTHPN"}]}
WHY = {"X-Purpose-Of-Use": "BTG", "X-Emergency-Reason": "Found unconscious at home"}
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
async def record(operator: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada's record is kept by the county; the partner is in her team, the clinic is not."""
    await load(
        operator,
        organization("county"),
        organization("clinic"),
        organization("partner"),
        patient("ada", COUNTY),
        care_team(PARTNER),
        goal("plain"),
        goal("sensitive", **SUD),
        goal("notes", meta=NOTES),
    )
    return operator


@pytest.fixture
async def clinic(service: Service, record: httpx.AsyncClient) -> httpx.AsyncClient:
    return await service.as_("ehr-system", CLINIC)


@pytest.fixture
async def ada(service: Service, record: httpx.AsyncClient) -> httpx.AsyncClient:
    """The person, with an app of hers."""
    return await service.as_(
        "individual", None, "patient/*.rs", patient="ada", fhir_user="Patient/ada"
    )


@pytest.fixture
async def officer(service: Service, record: httpx.AsyncClient) -> httpx.AsyncClient:
    """Looks after compliance where the record is kept."""
    return await service.as_("privacy-officer", COUNTY)


async def attempts(reader: httpx.AsyncClient, request: str) -> list[Json]:
    asked = {"entity:identifier": request, "outcome": "4"}
    response = await reader.get("/AuditEvent", params=asked)
    assert response.status_code == 200, response.text
    return [entry["resource"] for entry in response.json().get("entry", [])]


def whom(event: Json) -> list[str]:
    return [each["what"]["reference"] for each in event["entity"] if each["type"]["code"] == "1"]


def sent(*parts: object) -> Json:
    return {"resourceType": "Parameters", "parameter": [*parts]}


def denial(actor: str, id_: str) -> Json:
    made: Json = consent(actor, "deny")["provision"]
    return made | {"data": [{"meaning": "instance", "reference": reference(f"Goal/{id_}")}]}
