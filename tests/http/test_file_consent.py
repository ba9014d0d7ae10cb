"""$fileConsent and $revokeConsent: a consent on paper, in force until it is revoked."""

from typing import Any

import httpx
import pytest

from tests.build import care_team, consent, goal, patient, reference
from tests.http.conftest import PARTNER, Json, found, links, load, refused
from tests.http.deciding import parameters, world

__all__ = ["world"]


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
