"""Breaking the glass: who may, what it opens, what it leaves behind. 42 CFR 2.51"""

import logging

import httpx
import pytest
from prometheus_client import REGISTRY

from tests.build import HL7, care_team, concept, consent, goal, organization, patient, reference
from tests.http.conftest import COUNTY, Service, found, load, refused
from tests.http.emergency import CLINIC, WHY, alerts, clinician, record
from tests.http.trail import events

__all__ = ["clinician", "record"]


@pytest.mark.parametrize("hidden", ["sensitive", "program", "restricted"])
@pytest.mark.parametrize("purpose", ["BTG", "ETREAT"])
async def test_the_team_sees_in_an_emergency_what_it_does_not_see_otherwise(
    clinician: httpx.AsyncClient, hidden: str, purpose: str
) -> None:
    refused(await clinician.get(f"/Goal/{hidden}"), 404, "not-found")
    headers = WHY | {"X-Purpose-Of-Use": purpose}
    assert (await clinician.get(f"/Goal/{hidden}", headers=headers)).status_code == 200
    refused(await clinician.get(f"/Goal/{hidden}"), 404, "not-found")


async def test_psychotherapy_notes_stay_closed(clinician: httpx.AsyncClient) -> None:
    """45 CFR 164.508(a)(2) knows no emergency."""
    refused(await clinician.get("/Goal/notes", headers=WHY), 404, "not-found")
    response = await clinician.get("/Goal?patient=ada&_sort=_id", headers=WHY)
    assert found(response) == [
        f"Goal/{id_}" for id_ in ("plain", "program", "restricted", "sensitive")
    ]


async def test_who_is_not_in_the_team_sees_nothing(
    service: Service, record: httpx.AsyncClient
) -> None:
    await load(record, organization("elsewhere"))
    other = await service.as_("clinician", "Organization/elsewhere")
    refused(await other.get("/Goal/plain", headers=WHY), 404, "not-found")
    assert await alerts(record) == []


async def test_a_consent_for_emergencies_lets_a_stranger_in(
    service: Service, record: httpx.AsyncClient
) -> None:
    paper = consent("Organization/none") | {"policyRule": concept(f"{HL7}/v3-ActCode", "EMRGONLY")}
    del paper["provision"]
    await load(record, organization("elsewhere"), paper)
    other = await service.as_("ehr-system", "Organization/elsewhere")
    refused(await other.get("/Goal/plain"), 404, "not-found")
    assert (await other.get("/Goal/plain", headers=WHY)).status_code == 200
    [event] = await events(record, subtype="110127")
    assert "Consent/ada-consent" in str(event["entity"])


async def test_what_a_person_denies_everyone_stays_denied(
    clinician: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    await load(record, consent(CLINIC, "deny"))
    refused(await clinician.get("/Goal/plain", headers=WHY), 404, "not-found")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"X-Purpose-Of-Use": "BTG"}, 400, "required"),
        ({"X-Purpose-Of-Use": "ETREAT"}, 400, "required"),
        (WHY | {"X-Emergency-Reason": "   help   "}, 400, "required"),
        (WHY | {"X-Emergency-Reason": "x" * 501}, 400, "too-long"),
        ({"X-Emergency-Reason": "Found unconscious"}, 400, "invalid"),
        ({"X-Purpose-Of-Use": "CURIOSITY"}, 400, "value"),
        ({"X-Purpose-Of-Use": "HMARKT"}, 403, "forbidden"),
        ({"X-Purpose-Of-Use": "PurposeOfUse"}, 403, "forbidden"),
    ],
)
async def test_what_is_not_said_well_is_refused_and_recorded(
    clinician: httpx.AsyncClient,
    record: httpx.AsyncClient,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    refused(await clinician.get("/Goal/plain", headers=headers), status, code)
    assert await alerts(record) == []
    [event] = await events(record, outcome="4")
    assert "Practitioner/grace" in str(event["agent"])


@pytest.mark.parametrize("role", ["key-worker", "payer", "privacy-officer", "operator", "family"])
async def test_other_roles_do_not_break_the_glass(
    service: Service, record: httpx.AsyncClient, role: str
) -> None:
    client = await service.as_(role, CLINIC)
    refused(await client.get("/Goal/plain", headers=WHY), 403, "forbidden")


async def test_a_token_made_for_emergencies_needs_a_reason_too(
    service: Service, record: httpx.AsyncClient
) -> None:
    ward = await service.as_("ehr-system", CLINIC, purpose="ETREAT")
    refused(await ward.get("/Goal/sensitive"), 400, "required")
    reason = {"X-Emergency-Reason": WHY["X-Emergency-Reason"]}
    assert (await ward.get("/Goal/sensitive", headers=reason)).status_code == 200
    assert len(await alerts(record)) == 1


async def test_a_narrower_purpose_may_be_named(
    clinician: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    response = await clinician.get("/Goal/plain", headers={"X-Purpose-Of-Use": "COC"})
    assert response.status_code == 200
    [event] = await events(record, entity="Goal/plain", subtype="read")
    assert "COC" in str(event["agent"])
    assert await alerts(record) == []


async def test_it_leaves_who_why_and_what_for_the_privacy_officer(
    service: Service,
    clinician: httpx.AsyncClient,
    record: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("isp_emergency_accesses_total", {"role": "clinician"}) or 0

    before = counted()
    with caplog.at_level(logging.WARNING):
        headers = WHY | {"X-Request-Id": "night-1"}
        assert (await clinician.get("/Goal/program", headers=headers)).status_code == 200
    assert counted() == before + 1
    assert "night-1" in caplog.text
    assert "ada" not in caplog.text
    assert "unconscious" not in caplog.text
    officer = await service.as_("privacy-officer", COUNTY)
    [task] = await alerts(officer)
    assert (task["status"], task["priority"]) == ("requested", "urgent")
    assert task["for"] == reference("Patient/ada")
    assert task["requester"] == reference("Practitioner/grace")
    assert task["owner"] == reference(COUNTY)
    assert task["reasonCode"]["text"] == WHY["X-Emergency-Reason"]
    reading, override = sorted(
        (
            event
            for event in await events(
                officer, patient="Patient/ada", **{"entity:identifier": "night-1"}
            )
            if event["subtype"][0]["code"] in ("read", "110127")
        ),
        key=lambda event: str(event["type"]["code"] != "rest"),
    )
    for event in (reading, override):
        assert event["outcomeDesc"] == f"200 {WHY['X-Emergency-Reason']}"
        assert "BTG" in str(event["agent"])
        assert CLINIC in str(event["agent"])
    assert override["type"]["code"] == "110113"


async def test_the_person_sees_it(
    service: Service, clinician: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    await clinician.get("/Goal/program", headers=WHY)
    ada = await service.as_(
        "individual", None, "patient/*.rs", patient="ada", fhir_user="Patient/ada"
    )
    assert len(await alerts(ada)) == 1
    assert len(await events(ada, subtype="110127")) == 1


async def test_one_emergency_is_told_once_and_another_again(
    clinician: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    for id_ in ("program", "plain", "sensitive"):
        assert (await clinician.get(f"/Goal/{id_}", headers=WHY)).status_code == 200
    assert len(await alerts(record)) <= 2  # the hour may have turned
    before = len(await alerts(record))
    await clinician.get("/Goal/plain", headers=WHY | {"X-Emergency-Reason": "Another seizure"})
    assert len(await alerts(record)) == before + 1
    assert len(await events(record, entity="Goal/sensitive", subtype="read")) == 1


async def test_in_an_emergency_nothing_is_written(
    clinician: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    said = refused(await clinician.post("/Goal", json=goal(), headers=WHY), 403, "forbidden")
    assert said == "In an emergency records are read, and not written."
    refused(await clinician.put("/Goal/plain", json=goal("plain"), headers=WHY), 403, "forbidden")
    refused(await clinician.delete("/Goal/plain", headers=WHY), 403, "forbidden")
    reading = {
        "resourceType": "Bundle",
        "entry": [{"request": {"method": "GET", "url": "Goal/plain"}}],
    }
    response = await clinician.post("", json=reading | {"type": "transaction"}, headers=WHY)
    assert response.status_code == 400
    response = await clinician.post("", json=reading | {"type": "batch"}, headers=WHY)
    assert response.json()["entry"][0]["response"]["status"] == "200 OK"
    assert len(await alerts(record)) == 1


async def test_one_record_is_opened_at_a_time(
    clinician: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    await load(
        record,
        patient("ben", COUNTY),
        care_team(CLINIC, id_="ben-team", patient="Patient/ben"),
        goal("ben-goal", "Patient/ben"),
    )
    refused(await clinician.get("/Goal", headers=WHY), 403, "forbidden")
    assert await alerts(record) == []
    assert (await clinician.get("/Goal?patient=ben", headers=WHY)).status_code == 200
    assert len(await alerts(record)) == 1


@pytest.mark.parametrize(
    "asked",
    [
        "/Goal?_summary=count",
        "/Goal?_count=0",
        "/Goal?_total=accurate&_count=1",
        "/Goal?patient=ada&_summary=count",
        "/Goal?lifecycle-status=rejected",
        "/Goal?patient=nobody",
        "/Goal/_history?_count=0",
        "/Goal/_history?_summary=count",
        "/Goal/plain/_history?_summary=count",
        "/CarePlan/$isp-metrics",
        "/CarePlan/$due-reviews",
        "/Organization?_has:Patient:organization:_id=ada",
    ],
)
async def test_what_names_no_patient_is_not_answered_in_an_emergency(
    clinician: httpx.AsyncClient, record: httpx.AsyncClient, asked: str
) -> None:
    said = refused(await clinician.get(asked, headers=WHY), 403, "forbidden")
    assert "name the patient" in said
    assert await alerts(record) == []


@pytest.mark.parametrize(
    "asked",
    [
        "/Goal?patient=ada&lifecycle-status=rejected",
        "/AllergyIntolerance?patient=Patient/ada",
        "/Patient/ada/AllergyIntolerance",
        "/CarePlan/$isp-metrics?patient=ada",
    ],
)
async def test_an_answer_that_there_is_nothing_is_told_on_too(
    clinician: httpx.AsyncClient, record: httpx.AsyncClient, asked: str
) -> None:
    assert (await clinician.get(asked, headers=WHY)).status_code == 200
    [task] = await alerts(record)
    assert task["for"] == reference("Patient/ada")
    assert len(await events(record, subtype="110127", patient="Patient/ada")) == 1


@pytest.mark.parametrize("asked", ["/metadata", "/Organization", "/ValueSet?_summary=count"])
async def test_what_is_about_nobody_stays_open_in_an_emergency(
    clinician: httpx.AsyncClient, record: httpx.AsyncClient, asked: str
) -> None:
    assert (await clinician.get(asked, headers=WHY)).status_code == 200
    assert await alerts(record) == []
