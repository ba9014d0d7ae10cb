"""A record that an emergency opens, who opens it, and what that leaves behind."""

import httpx
import pytest

from tests.build import HL7, care_team, goal, organization, patient
from tests.http.conftest import COUNTY, Json, Service, load

WHY = {"X-Purpose-Of-Use": "BTG", "X-Emergency-Reason": "Found unconscious, overdose suspected"}
CLINIC = "Organization/clinic"


def label(code: str, system: str = "v3-ActCode") -> Json:
    return {"security": [{"system": f"{HL7}/{system}", "code": code}]}


SUD = label("42CFRPart2")["security"] + label("ETH")["security"]


@pytest.fixture
async def record(operator: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada's record is kept by the county; the clinic is in her team."""
    await load(
        operator,
        organization("county"),
        organization("clinic"),
        patient("ada", COUNTY),
        care_team(CLINIC),
        goal("plain"),
        goal("sensitive", meta=label("PSY")),
        goal("program", meta={"security": SUD}),
        goal("notes", meta=label("PSYTHPN")),
        goal("restricted", meta=label("R", "v3-Confidentiality")),
    )
    return operator


@pytest.fixture
async def clinician(service: Service, record: httpx.AsyncClient) -> httpx.AsyncClient:
    """Grace of the clinic."""
    return await service.as_(
        "clinician", CLINIC, "user/*.cruds", user="grace", fhir_user="Practitioner/grace"
    )


async def alerts(operator: httpx.AsyncClient) -> list[Json]:
    response = await operator.get("/Task", params={"code": f"{HL7}/v3-ActReason|BTG"})
    return [entry["resource"] for entry in response.json().get("entry", [])]
