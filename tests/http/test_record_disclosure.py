"""$recordDisclosure: what left in other ways is told to the person."""

import httpx

from tests.build import care_team, consent, reference
from tests.http.conftest import PARTNER, Service, found, load, refused
from tests.http.deciding import parameters, world

__all__ = ["world"]

TOLD = {
    "patient": "Patient/ada",
    "recipient": "The county court",
    "purpose": "HLEGAL",
    "description": "The plan of 2025, by letter.",
    "occurred": "2026-01-02",
}


async def test_a_disclosure_is_recorded_for_the_person_to_see(
    service: Service, operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    await load(operator, consent(PARTNER))
    asked = parameters(**TOLD, consent="Consent/ada-consent")
    response = await county.post("/Consent/$recordDisclosure", json=asked)
    assert response.status_code == 201, response.text
    ada = await service.as_("individual", fhir_user="Patient/ada", user="ada")
    event = (await ada.get(response.headers["location"])).json()
    assert event["agent"][-1]["who"] == {"display": "The county court"}
    assert event["entity"][-1]["description"] == TOLD["description"]
    assert event["entity"][-1]["what"] == reference("Consent/ada-consent")
    assert event["period"] == {"start": "2026-01-02", "end": "2026-01-02"}
    for query in ("patient=Patient/ada&action=R", "entity=Consent/ada-consent&action=R"):
        events = found(await ada.get(f"/AuditEvent?{query}&_sort=-date"))
        assert f"AuditEvent/{event['id']}" in events


async def test_who_was_told_is_named_by_a_reference_as_well(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    asked = TOLD | {"patient": reference("Patient/ada"), "recipient": reference(PARTNER)}
    before = (await operator.get("/AuditEvent?_summary=count")).json()["total"]
    response = await county.post("/Consent/$recordDisclosure", json=parameters(**asked))
    assert response.status_code == 201, response.text
    # What is recorded, and that the operator counted: the call itself is no event beside it.
    assert (await operator.get("/AuditEvent?_summary=count")).json()["total"] == before + 2
    event = (await operator.get(response.headers["location"])).json()
    assert event["agent"][-1]["who"] == reference(PARTNER)


async def test_a_disclosure_is_recorded_by_whoever_keeps_the_record(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    url = "/Consent/$recordDisclosure"
    refused(await partner.post(url, json=parameters(**TOLD)), 404, "not-found")
    await load(operator, care_team(PARTNER, id_="ada-team"))
    refused(await partner.post(url, json=parameters(**TOLD)), 403, "forbidden")
    whom = ({"patient": "Goal/1"}, {"patient": "somebody"})
    for wrong in ({"purpose": "FUN"}, {"occurred": "soon"}, *whom):
        response = await county.post(url, json=parameters(**(TOLD | wrong)))
        assert response.status_code == 400, response.text
    for name in ("patient", "recipient", "purpose", "description"):
        lacking = {key: value for key, value in TOLD.items() if key != name}
        assert (await county.post(url, json=parameters(**lacking))).status_code == 400
