"""$consent-decision, $fileConsent, $revokeConsent, $recordDisclosure. docs/operations/"""

from typing import Any

import httpx
import pytest

from tests.build import SUD, care_team, consent, goal, organization, patient, reference
from tests.http.conftest import COUNTY, PARTNER, Json, Service, found, links, load, refused


def parameters(**given: Any) -> Json:
    parts = []
    for name, value in given.items():
        if isinstance(value, dict) and "resourceType" in value:
            parts.append({"name": name, "resource": value})
        elif isinstance(value, dict):
            parts.append({"name": name, "valueReference": value})
        else:
            parts.append({"name": name, "valueString": value})
    made: Json = {"resourceType": "Parameters"}
    return made | ({"parameter": parts} if parts else {})


async def decisions(client: httpx.AsyncClient, **given: Any) -> list[Json]:
    url = "/Patient/ada/$consent-decision"
    response = await client.post(url, json=parameters(**given))
    assert response.status_code == 200, response.text
    return [told(each) for each in response.json().get("parameter", [])]


def told(decision: Json) -> Json:
    made: Json = {}
    for part in decision["part"]:
        [value] = [v for k, v in part.items() if k.startswith("value")]
        made[part["name"]] = value["reference"] if isinstance(value, dict) else value
    return made


@pytest.fixture
async def world(operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str) -> None:
    await load(operator, organization("partner"), goal("sober", **SUD))


async def test_the_decision_names_the_provision(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    await load(operator, consent(PARTNER))
    [made] = await decisions(county, actor=PARTNER, resource="Goal/ada-goal-1")
    assert made == {
        "resource": "Goal/ada-goal-1",
        "outcome": "permit",
        "reason": "permitted by a consent",
        "consent": "Consent/ada-consent",
        "provision": "Consent.provision",
    }
    await load(operator, consent(PARTNER, "deny", id_="no"))
    [made] = await decisions(county, actor=reference(PARTNER), resource="Goal/ada-goal-1")
    assert (made["outcome"], made["consent"]) == ("deny", "Consent/no")
    assert (await partner.get("/Goal/ada-goal-1")).status_code == 404


async def test_the_decision_is_what_a_read_does(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    await load(operator, care_team(PARTNER, id_="ada-team"))
    for made in await decisions(county, actor=PARTNER, query="Goal?_sort=_id"):
        status = (await partner.get(f"/{made['resource']}")).status_code
        assert (status == 200) == (made["outcome"] == "permit"), made
    [about] = await decisions(county, actor=PARTNER, resource="Goal/sober")
    assert about["outcome"] == "not-covered"
    [paid] = await decisions(county, actor=PARTNER, purpose="HPAYMT", resource="Goal/ada-goal-1")
    assert paid["outcome"] == "not-covered"


async def test_a_consent_is_tried_before_it_is_filed(
    county: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    draft = consent(PARTNER)
    del draft["id"]
    [made] = await decisions(county, actor=PARTNER, resource="Goal/ada-goal-1", consent=draft)
    assert (made["outcome"], made["consent"]) == ("permit", "Consent/draft")
    [now] = await decisions(county, actor=PARTNER, resource="Goal/ada-goal-1")
    assert now["outcome"] == "not-covered"
    assert (await partner.get("/Goal/ada-goal-1")).status_code == 404


async def test_obligations_come_with_a_permission(county: httpx.AsyncClient, world: None) -> None:
    [made] = await decisions(county, resource="Goal/sober")
    assert made["outcome"] == "permit"
    assert made["reason"] == "as custodian"
    assert made["obligation"] == "PERSISTLABEL"


async def test_others_are_asked_about_by_who_decides(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    url = "/Patient/ada/$consent-decision"
    unknown = await partner.post(url, json=parameters())
    refused(unknown, 404, "not-found")
    await load(operator, care_team(PARTNER, id_="ada-team"))
    response = await partner.post(url, json=parameters(actor=COUNTY))
    refused(response, 403, "forbidden")
    [own] = await decisions(partner, resource="Goal/ada-goal-1")
    assert (own["outcome"], own["reason"]) == ("permit", "as care-team")
    hidden = await partner.post(url, json=parameters(resource="Goal/sober"))
    nothing = await partner.post(url, json=parameters(resource="Goal/other"))
    refused(hidden, 404, "not-found")
    assert hidden.text.replace("sober", "other") == nothing.text


@pytest.mark.parametrize(
    "given",
    [
        {"purpose": "FUN"},
        {"action": "peek"},
        {"actor": "Goal/1"},
        {"resource": "somewhere"},
        {"query": "Nothing?x=1"},
        {"consent": goal()},
        {"other": "x"},
    ],
    ids=str,
)
async def test_what_cannot_be_asked(county: httpx.AsyncClient, world: None, given: Json) -> None:
    response = await county.post("/Patient/ada/$consent-decision", json=parameters(**given))
    assert response.status_code == 400, response.text


def signed(**elements: Any) -> Json:
    paper = consent(PARTNER, performer=[reference("Patient/ada")], **elements)
    del paper["id"]
    return paper


def document() -> Json:
    made: Json = {"resourceType": "DocumentReference", "status": "current"}
    made["subject"] = reference("Patient/ada")
    made["content"] = [{"attachment": {"contentType": "text/plain", "data": "eWVz"}}]
    return made


async def filed(county: httpx.AsyncClient) -> str:
    asked = parameters(consent=signed(), document=document())
    response = await county.post("/Consent/$fileConsent", json=asked)
    assert response.status_code == 201, response.text
    paper, source = [entry["resource"] for entry in response.json()["entry"]]
    assert paper["sourceReference"] == reference(f"DocumentReference/{source['id']}")
    assert response.headers["location"].endswith(f"/Consent/{paper['id']}/_history/1")
    return str(paper["id"])


async def test_a_filed_consent_is_in_force_until_it_is_revoked(
    county: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    id_ = await filed(county)
    assert (await partner.get("/Goal/ada-goal-1")).status_code == 200
    url = f"/Consent/{id_}/$revokeConsent"
    for _ in range(2):
        response = await county.post(url, json=parameters())
        assert response.status_code == 200, response.text
        [entry] = response.json()["entry"]
        assert entry["resource"]["status"] == "inactive"
        assert entry["resource"]["meta"]["versionId"] == "2"
        assert (await partner.get("/Goal/ada-goal-1")).status_code == 404


async def test_a_page_fetched_after_revocation_is_empty_of_what_was_revoked(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    id_ = await filed(county)
    await load(operator, patient("ben", PARTNER), goal("bens", "Patient/ben"))
    searches = [
        "/Goal?_count=1&_sort=_id",
        "/Goal?_count=1&_include=Goal:patient",
        "/Goal/_history?_count=1",
    ]
    following = [links(await partner.get(url))["next"] for url in searches]
    seen = [(await partner.get(url)).text for url in following]
    assert all("ada" in text for text in seen[:1])
    await county.post(f"/Consent/{id_}/$revokeConsent", json=parameters())
    for url in following:
        response = await partner.get(url)
        assert response.status_code == 200
        assert "ada" not in response.text
    assert found(await partner.get("/Goal?_sort=_id")) == ["Goal/bens"]


@pytest.mark.parametrize("lacking", ["dateTime", "performer", "provision", "source", "status"])
async def test_what_is_not_complete_is_not_filed(
    county: httpx.AsyncClient, world: None, lacking: str
) -> None:
    paper, more = signed(), {"document": document()}
    if lacking == "source":
        more = {}
    elif lacking == "status":
        paper["status"] = "draft"
    else:
        del paper[lacking]
    asked = parameters(consent=paper, **more)
    response = await county.post("/Consent/$fileConsent", json=asked)
    assert response.status_code == 422, response.text
    assert lacking in response.text


async def test_a_document_that_is_stored_is_referred_to(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    await load(operator, document() | {"id": "paper"})
    source = {"sourceReference": reference("DocumentReference/paper")}
    asked = parameters(consent=signed() | source)
    response = await county.post("/Consent/$fileConsent", json=asked)
    assert response.status_code == 201, response.text
    [filed] = [entry["resource"] for entry in response.json()["entry"]]
    assert filed["sourceReference"] == source["sourceReference"]


@pytest.mark.parametrize("wrong", ["consent", "document"])
async def test_what_is_no_consent_and_no_paper_is_not_filed(
    county: httpx.AsyncClient, world: None, wrong: str
) -> None:
    asked = {"consent": signed(), "document": document()} | {wrong: goal()}
    response = await county.post("/Consent/$fileConsent", json=parameters(**asked))
    assert f"{wrong}: send" in refused(response, 400, "value")


async def test_nobody_files_or_revokes_for_whom_they_do_not_decide(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, world: None
) -> None:
    await load(operator, care_team(PARTNER, id_="ada-team"), consent(PARTNER))
    asked = parameters(consent=signed(), document=document())
    response = await partner.post("/Consent/$fileConsent", json=asked)
    assert response.status_code == 403, response.text
    response = await partner.post("/Consent/ada-consent/$revokeConsent", json=parameters())
    assert response.status_code in (403, 405), response.text
    assert (await operator.get("/Consent/ada-consent")).json()["status"] == "active"


async def test_only_an_active_consent_is_revoked_and_only_by_post(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, world: None
) -> None:
    await load(operator, consent(PARTNER, status="draft"))
    url = "/Consent/ada-consent/$revokeConsent"
    refused(await county.post(url, json=parameters()), 422, "business-rule", "Consent.status")
    refused(await county.get(url), 400, "invalid")


async def test_a_consent_that_is_not_clear_is_refused(
    county: httpx.AsyncClient, world: None
) -> None:
    unclear = consent(PARTNER)
    unclear["provision"]["purpose"] = [{"code": "TREAT"}]
    response = await county.post("/Consent", json=unclear)
    assert response.status_code == 422
    [error] = [each for each in response.json()["issue"] if each["severity"] == "error"]
    assert error["expression"] == ["Consent.provision.purpose[0]"]
    assert "v3-ActReason" in error["diagnostics"]


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
