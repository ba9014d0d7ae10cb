"""Patient/[id]/$disclosures: who saw a record. 45 CFR 164.528, 42 CFR 2.25"""

import httpx
import pytest

from app.fhir.validation.structure import validate
from tests.build import patient, related_person
from tests.http.conftest import COUNTY, Json, Service, links, load, refused

URL = "/Patient/ada/$disclosures"


@pytest.fixture
async def seen(service: Service, county: httpx.AsyncClient, ada: str) -> None:
    """A clinician of the county read a goal and searched; somebody else was refused."""
    grace = await service.as_(
        "clinician", COUNTY, user="grace", fhir_user="Practitioner/grace", purpose="TREAT"
    )
    await grace.get("/Goal/ada-goal-1", headers={"X-Request-Id": "visit-1"})
    await grace.get("/Goal?patient=ada")
    await grace.put("/Goal/ada-goal-9", json={"resourceType": "Goal"})
    stranger = await service.as_("clinician", "Organization/elsewhere")
    await stranger.get("/Goal/ada-goal-1")


async def individual(service: Service, who: str = "ada") -> httpx.AsyncClient:
    return await service.as_(
        "individual", None, "patient/*.rs", patient=who, fhir_user=f"Patient/{who}"
    )


async def disclosed(client: httpx.AsyncClient, url: str = URL) -> list[Json]:
    response = await client.get(url)
    assert response.status_code == 200, response.text
    return [entry["resource"] for entry in response.json().get("entry", [])]


def kinds(events: list[Json]) -> list[str]:
    return [event["subtype"][0]["code"] for event in events]


async def test_the_person_learns_who_what_when_and_what_for(service: Service, seen: None) -> None:
    ada = await individual(service)
    search, read = await disclosed(ada)
    assert kinds([read, search]) == ["read", "search-type"]
    requestor = next(agent for agent in read["agent"] if agent["requestor"])
    assert requestor["who"] == {"reference": "Practitioner/grace"}
    assert requestor["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert COUNTY in str(read["agent"])
    what = [
        entity["what"]["reference"] for entity in read["entity"] if "reference" in entity["what"]
    ]
    assert what == ["Goal/ada-goal-1/_history/1", "Patient/ada"]
    assert "visit-1" in str(read["entity"])
    assert validate(read, "AuditEvent") == []


async def test_asking_is_a_disclosure_itself(service: Service, seen: None) -> None:
    ada = await individual(service)
    assert len(await disclosed(ada)) == 2
    assert kinds(await disclosed(ada))[0] == "operation"


async def test_the_privacy_officer_of_who_keeps_the_record_sees_it(
    service: Service, seen: None
) -> None:
    officer = await service.as_("privacy-officer", COUNTY)
    assert kinds(await disclosed(officer)) == ["search-type", "read"]
    reads = "/AuditEvent?patient=ada&action=R&_sort=-date"
    assert kinds(await disclosed(officer, f"{reads}&outcome=0")) == ["read"]
    assert kinds(await disclosed(officer, f"{reads}&outcome=4")) == ["read"]
    elsewhere = await service.as_("privacy-officer", "Organization/elsewhere")
    assert await disclosed(elsewhere) == []


async def test_a_guardian_sees_it(
    service: Service, operator: httpx.AsyncClient, seen: None
) -> None:
    await load(operator, related_person("ines", role="GUARD"))
    guardian = await service.as_("guardian", None, fhir_user="RelatedPerson/ines")
    assert kinds(await disclosed(guardian)) == ["search-type", "read"]


async def test_another_person_learns_nothing(
    service: Service, operator: httpx.AsyncClient, seen: None
) -> None:
    await load(operator, patient("ben", COUNTY))
    ben = await individual(service, "ben")
    assert await disclosed(ben) == []
    answers = [(await ben.get(f"/Patient/{id_}/$disclosures")).json() for id_ in ("ada", "no-one")]
    for answer in answers:
        del answer["link"]
        answer.get("meta", {}).clear()
    assert answers[0] == answers[1]


@pytest.mark.parametrize("role", ["clinician", "key-worker", "payer", "family", "supervisor"])
async def test_other_roles_do_not_read_it(service: Service, seen: None, role: str) -> None:
    client = await service.as_(role, COUNTY)
    refused(await client.get(URL), 403, "forbidden")


async def test_a_scope_for_audit_events_is_needed_and_enough(service: Service, seen: None) -> None:
    claims = {"patient": "ada", "fhir_user": "Patient/ada"}
    without = await service.as_("individual", None, "patient/Patient.rs", **claims)
    refused(await without.get(URL), 403, "forbidden")
    enough = await service.as_("individual", None, "patient/AuditEvent.s", **claims)
    assert kinds(await disclosed(enough)) == ["search-type", "read"]


async def test_pages_follow_each_other(service: Service, seen: None) -> None:
    officer = await service.as_("privacy-officer", COUNTY)
    first = await officer.get(f"{URL}?_count=1")
    assert kinds([entry["resource"] for entry in first.json()["entry"]]) == ["search-type"]
    second = await officer.get(links(first)["next"])
    assert kinds([entry["resource"] for entry in second.json()["entry"]]) == ["read"]


async def test_the_form_of_the_answer_is_asked_for_as_anywhere(
    service: Service, seen: None
) -> None:
    officer = await service.as_("privacy-officer", COUNTY)
    asked = f"{URL}?_count=1&_format=json&_pretty=true"
    assert kinds(await disclosed(officer, asked)) == ["search-type"]


async def test_a_period_can_be_asked_for_by_url_and_by_body(service: Service, seen: None) -> None:
    officer = await service.as_("privacy-officer", COUNTY)
    today = (await disclosed(officer))[0]["recorded"][:10]
    assert len(await disclosed(officer, f"{URL}?since={today}&until={today}")) >= 2
    assert await disclosed(officer, f"{URL}?until=2020-01-01") == []
    assert await disclosed(officer, f"{URL}?since=2090-01-01") == []
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "since", "valueDateTime": "2090-01-01T00:00:00Z"}],
    }
    response = await officer.post(URL, json=body)
    assert response.status_code == 200
    assert "entry" not in response.json()


@pytest.mark.parametrize(
    "query", ["since=soon", "colour=red", "since=2020-01-01&since=2021-01-01", "_count=many"]
)
async def test_what_cannot_be_read_is_refused(service: Service, seen: None, query: str) -> None:
    officer = await service.as_("privacy-officer", COUNTY)
    assert (await officer.get(f"{URL}?{query}")).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Goal"},
        {"resourceType": "Parameters", "parameter": [{"name": "since", "valueString": "now"}]},
        {"resourceType": "Parameters", "parameter": [{"name": "until"}]},
        {"resourceType": "Parameters", "parameter": [{}]},
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(
    service: Service, seen: None, body: Json
) -> None:
    officer = await service.as_("privacy-officer", COUNTY)
    assert (await officer.post(URL, json=body)).status_code == 400
