"""What was refused is in the trail of whom it was about, and tells nothing to who was refused.

DOMAIN: an attempt on a record is part of who saw what, 45 CFR 164.312(b).
"""

import httpx
import pytest

from tests.build import SUD, consent, goal, patient
from tests.http.attempts import (
    CLINIC,
    MERGE,
    WHY,
    ada,
    attempts,
    clinic,
    denial,
    officer,
    record,
    sent,
    whom,
)
from tests.http.conftest import COUNTY, PARTNER, Json, Service, load

__all__ = ["ada", "clinic", "officer", "record"]

Ask = tuple[str, str, Json | None, dict[str, str]]
ATTEMPTS: dict[str, Ask] = {
    "read": ("GET", "/Goal/plain", None, {}),
    "vread": ("GET", "/Goal/plain/_history/1", None, {}),
    "history": ("GET", "/Goal/plain/_history", None, {}),
    "the person": ("GET", "/Patient/ada", None, {}),
    "an operation": ("GET", "/Patient/ada/$everything", None, {}),
    "an operation about the person": (
        "POST",
        "/CarePlan/$isp-metrics",
        sent({"name": "patient", "valueString": "ada"}),
        {},
    ),
    "an operation that names the person": (
        "POST",
        "/CarePlan/$isp-metrics",
        sent({"name": "unknown", "valueString": "by Patient/ada"}),
        {},
    ),
    "the accounting": ("GET", "/Patient/ada/$disclosures", None, {}),
    "a search": ("GET", "/Goal?patient=ada", None, {}),
    "a search by reference": ("GET", "/Goal?subject=Patient/ada&_summary=count", None, {}),
    "a search by a chain": ("GET", "/Goal?patient._id=ada", None, {}),
    "a compartment": ("GET", "/Patient/ada/Goal", None, {}),
    "a history of all": ("GET", "/Goal/_history?patient=ada", None, {}),
    "an emergency": ("GET", "/Goal/plain", None, WHY),
    "a search in an emergency": ("GET", "/Goal?patient=ada", None, WHY),
    "an emergency without a reason": ("GET", "/Goal?patient=ada", None, dict([*WHY.items()][:1])),
    "an update": ("PUT", "/Goal/plain", goal("plain", description={"text": "x"}), {}),
    "a patch": ("PATCH", "/Goal/plain", {"lifecycleStatus": "completed"}, MERGE),
    "a deletion": ("DELETE", "/Goal/plain", None, {}),
    "a deletion by criteria": ("DELETE", "/Goal?patient=ada&_id=plain", None, {}),
    "a new resource": ("POST", "/Goal", goal("new"), {}),
    "a transaction": (
        "POST",
        "",
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"request": {"method": "GET", "url": "Goal/plain"}}],
        },
        {},
    ),
    "a batch": (
        "POST",
        "",
        {
            "resourceType": "Bundle",
            "type": "batch",
            "entry": [{"request": {"method": "GET", "url": "Goal/plain"}}],
        },
        {},
    ),
}


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_an_attempt_is_found_by_the_person_and_by_who_keeps_the_record(
    clinic: httpx.AsyncClient, ada: httpx.AsyncClient, officer: httpx.AsyncClient, name: str
) -> None:
    method, url, body, headers = ATTEMPTS[name]
    await clinic.request(method, url, json=body, headers=headers | {"X-Request-Id": "try"})
    for reader in (ada, officer):
        found = await attempts(reader, "try")
        assert {tuple(whom(event)) for event in found} == {("Patient/ada",)}
        assert CLINIC in str(found[0]["agent"])
    accounting = await ada.get("/Patient/ada/$disclosures?_count=100")
    assert '"try"' not in accounting.text


async def test_a_scope_that_does_not_reach_is_told_to_the_person(
    service: Service, ada: httpx.AsyncClient
) -> None:
    narrow = await service.as_("ehr-system", CLINIC, "system/Task.rs")
    for name, url in {"read": "/Goal/plain", "search": "/Goal?patient=ada"}.items():
        response = await narrow.get(url, headers={"X-Request-Id": name})
        assert response.status_code == 403
        assert len(await attempts(ada, name)) == 1


async def test_what_the_team_may_not_see_is_told_to_the_person_and_not_to_the_team(
    service: Service, ada: httpx.AsyncClient, officer: httpx.AsyncClient
) -> None:
    partner = await service.as_("partner-system", PARTNER)
    response = await partner.get("/Goal/sensitive", headers={"X-Request-Id": "try"})
    assert response.status_code == 404
    assert len(await attempts(ada, "try")) == 1
    assert len(await attempts(officer, "try")) == 1
    theirs = await service.as_("privacy-officer", PARTNER)
    assert await attempts(theirs, "try") == []


@pytest.mark.parametrize("who", ["officer of the keeper", "officer of the team", "the person"])
async def test_who_is_refused_does_not_find_out_by_the_trail(
    service: Service, record: httpx.AsyncClient, who: str
) -> None:
    await load(record, goal("hidden", **SUD))
    await load(record, consent(COUNTY, "deny", provision=denial(COUNTY, "hidden")))
    client = {
        "officer of the keeper": await service.as_("privacy-officer", COUNTY),
        "officer of the team": await service.as_("privacy-officer", PARTNER),
        "the person": await service.as_(
            "individual",
            None,
            "patient/AuditEvent.rs patient/Goal.rs?lifecycle-status=completed",
            patient="ada",
            fhir_user="Patient/ada",
        ),
    }[who]
    assert (await client.get("/Goal/hidden")).status_code == 404
    every = (await client.get("/AuditEvent?_count=100")).json().get("entry", [])
    assert "4" not in [entry["resource"]["outcome"] for entry in every]
    response = await client.get("/AuditEvent?outcome=4&_summary=count")
    assert response.json()["total"] == 0


async def test_psychotherapy_notes_are_not_told_to_the_person_either(
    clinic: httpx.AsyncClient, ada: httpx.AsyncClient, officer: httpx.AsyncClient
) -> None:
    await clinic.get("/Goal/notes", headers={"X-Request-Id": "try"})
    assert await attempts(ada, "try") == []
    assert await attempts(officer, "try") == []


async def test_an_attempt_on_nothing_is_for_nobody(
    clinic: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    for name, url in {"read": "/Goal/none", "search": "/Goal?patient=none"}.items():
        await clinic.get(url, headers={"X-Request-Id": name})
    [event] = await attempts(record, "read")
    assert whom(event) == []
    assert await attempts(record, "search") == []


async def test_an_attempt_on_who_is_gone_is_for_nobody(
    clinic: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    await load(record, patient("eve", COUNTY))
    assert (await record.delete("/Patient/eve")).status_code == 204
    await clinic.get("/Goal?patient=eve", headers={"X-Request-Id": "search"})
    assert await attempts(record, "search") == []
    await clinic.post("/Goal", json=goal("new", "Patient/eve"), headers={"X-Request-Id": "new"})
    [event] = await attempts(record, "new")
    assert whom(event) == []


async def test_the_officer_of_a_member_sees_what_the_member_did_and_nothing_else(
    service: Service, record: httpx.AsyncClient
) -> None:
    partner = await service.as_("partner-system", PARTNER)
    await partner.get("/Goal/plain")
    await record.get("/Goal/sensitive")
    theirs = await service.as_("privacy-officer", PARTNER)
    response = await theirs.get("/AuditEvent?patient=Patient/ada&subtype=read&_total=accurate")
    assert response.json()["total"] == 1, response.text
    [entry] = response.json()["entry"]
    assert "Goal/plain" in str(entry["resource"]["entity"])
