"""What was refused is in the trail of whom it was about, and tells nothing to who was refused.

DOMAIN: an attempt on a record is part of who saw what, 45 CFR 164.312(b).
"""

from base64 import b64decode

import httpx
import pytest

from tests.build import HL7, care_team, consent, goal, organization, patient, reference
from tests.http.conftest import COUNTY, Json, Service, load

CLINIC, PARTNER = "Organization/clinic", "Organization/partner"
SUD = {"security": [{"system": f"{HL7}/v3-ActCode", "code": "SUD"}]}
NOTES = {"security": [{"system": f"{HL7}/v3-ActCode", "code": "PSYTHPN"}]}
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
        goal("sensitive", meta=SUD),
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
    await load(record, goal("hidden", meta=SUD))
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


def denial(actor: str, id_: str) -> Json:
    made: Json = consent(actor, "deny")["provision"]
    return made | {"data": [{"meaning": "instance", "reference": reference(f"Goal/{id_}")}]}


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


GROUP: Json = goal("new") | {"subject": reference("Group/ada")}
AWRY: dict[str, tuple[str, object]] = {
    "entries that are none": ("", {"resourceType": "Bundle", "type": "transaction", "entry": "x"}),
    "an entry that is none": ("", {"resourceType": "Bundle", "type": "transaction", "entry": [1]}),
    "a request that is none": (
        "",
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": 1}]},
    ),
    "a URL that is none": (
        "",
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": {"url": 1}}]},
    ),
    "a subject that is none": ("/Goal", goal("new") | {"subject": "Patient/ada"}),
    "a reference that is none": ("/Goal", goal("new") | {"subject": {"reference": 1}}),
    "somebody else of that id": ("/Goal", GROUP),
    "parameters that are none": ("/CarePlan/$isp-metrics", sent() | {"parameter": "Patient/ada"}),
    "a parameter that is none": ("/CarePlan/$isp-metrics", sent("Patient/ada", 1)),
    "a value that is none": (
        "/CarePlan/$isp-metrics",
        sent({"name": "patient", "valueString": ["ada"]}, {"name": "patient"}),
    ),
    "a parameter without a name": ("/CarePlan/$isp-metrics", sent({"valueString": "ada"})),
    "a parameter of another name": (
        "/CarePlan/$isp-metrics",
        sent({"name": "unknown", "valueString": "ada"}),
    ),
    "a list of parameters": ("/CarePlan/$isp-metrics", [{"name": "patient"}]),
    "a Bundle to keep": (
        "/Bundle",
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"request": {"method": "GET", "url": "Goal/plain"}}],
        },
    ),
    "a list of people": ("/Goal", [goal("new")]),
    "a list of entries": ("", [{"request": {"method": "GET", "url": "Goal/plain"}}]),
}


@pytest.mark.parametrize("name", AWRY)
async def test_what_names_nobody_is_recorded_for_nobody(
    clinic: httpx.AsyncClient, record: httpx.AsyncClient, name: str
) -> None:
    url, body = AWRY[name]
    response = await clinic.post(url, json=body, headers={"X-Request-Id": "try"})
    assert response.status_code in (400, 404, 422), response.text
    assert [whom(event) for event in await attempts(record, "try")] == [[]]


async def test_a_change_is_told_to_whom_the_record_is_about_whatever_was_sent(
    clinic: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    """Somebody else is not told of what there is in Ada's record."""
    await load(record, patient("eve", COUNTY))
    moved = goal("plain") | {"subject": reference("Patient/eve")}
    await clinic.put("/Goal/plain", json=moved, headers={"X-Request-Id": "try"})
    assert [whom(event) for event in await attempts(record, "try")] == [["Patient/ada"]]


@pytest.mark.parametrize("url", ["Goal/plain", "{base}/Goal/plain", "Goal/plain/_history/1"])
async def test_each_entry_of_a_transaction_is_an_attempt_whatever_is_wrong_with_another(
    service: Service, clinic: httpx.AsyncClient, ada: httpx.AsyncClient, url: str
) -> None:
    asked = url.format(base=service.settings.base_url)
    entries: list[Json] = [{"request": {"method": "GET", "url": asked}}]
    entries.append({"request": {"method": "GET", "url": "Goal/a_b"}})
    for wrong in ({"method": "PUT", "url": "Goal/new"}, {"method": "POST", "url": "Goal"}):
        entries.append({"request": wrong, "resource": {"resourceType": "Goal"}})
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    response = await clinic.post("", json=bundle, headers={"X-Request-Id": "try"})
    assert response.status_code == 400, response.text
    assert [whom(event) for event in await attempts(ada, "try")] == [["Patient/ada"]]


async def test_an_attempt_on_the_trail_is_for_nobody(
    clinic: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    await record.get("/Goal/plain")
    [entry] = (await record.get("/AuditEvent?patient=ada&subtype=read")).json()["entry"]
    url = f"/AuditEvent/{entry['resource']['id']}"
    assert "Patient/ada" in (await record.get(url)).text
    await clinic.get(url, headers={"X-Request-Id": "try"})
    assert [whom(event) for event in await attempts(record, "try")] == [[]]


async def test_an_attempt_on_what_is_about_nobody_is_for_nobody(
    service: Service, record: httpx.AsyncClient
) -> None:
    other = await service.as_("ehr-system", CLINIC, "system/Task.rs")
    await other.get(f"/{PARTNER}", headers={"X-Request-Id": "try"})
    [event] = await attempts(record, "try")
    assert whom(event) == []


async def test_a_question_about_several_is_told_to_each_without_the_others(
    clinic: httpx.AsyncClient, record: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await load(record, patient("eve", COUNTY))
    await clinic.get("/Goal?patient=ada,eve", headers={"X-Request-Id": "try"})
    [event] = await attempts(ada, "try")
    asked = [b64decode(each["query"]) for each in event["entity"] if "query" in each]
    assert asked == [b"Goal?"]
    assert len(await attempts(record, "try")) == 3


async def test_a_search_that_named_nobody_is_told_to_who_keeps_what_it_showed(
    service: Service, ada: httpx.AsyncClient, officer: httpx.AsyncClient
) -> None:
    partner = await service.as_("partner-system", PARTNER)
    await partner.get("/Goal?lifecycle-status=active", headers={"X-Request-Id": "all"})
    for reader in (ada, officer):
        response = await reader.get("/AuditEvent?entity:identifier=all&patient=Patient/ada")
        [entry] = response.json()["entry"]
        assert entry["resource"]["outcome"] == "0"


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
