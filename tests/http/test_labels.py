"""What goes out with sensitive records: the level of a Bundle, the notice of 42 CFR Part 2."""

from typing import Any

import httpx
import pytest

from tests.build import (
    ACT,
    HL7,
    LEVEL,
    care_team,
    concept,
    consent,
    goal,
    organization,
    patient,
    reference,
)
from tests.http.conftest import COUNTY, PARTNER, Json, Service, change, found, load

NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
DS4P = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition"


def labels(*codes: str) -> Json:
    return {
        "security": [{"system": LEVEL if code in "RVL" else ACT, "code": code} for code in codes]
    }


@pytest.fixture
async def record(operator: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada's record, kept by the county: from low to very restricted, and a Part 2 program's."""
    await load(
        operator,
        organization("county"),
        organization("partner"),
        patient("ada", COUNTY),
        goal("low", meta=labels("L")),
        goal("plain"),
        goal("sensitive", meta=labels("HIV")),
        goal("very", meta=labels("V")),
        goal("program", meta=labels("42CFRPart2", "ETH", "R")),
    )
    return operator


@pytest.fixture
async def keeper(service: Service, record: httpx.AsyncClient) -> httpx.AsyncClient:
    """The county."""
    return await service.as_("provider-organization", COUNTY)


@pytest.fixture
async def recipient(service: Service, record: httpx.AsyncClient) -> httpx.AsyncClient:
    """The partner, whom Ada's Consent lets see the records of the program."""
    return await service.as_("partner-system", PARTNER, purpose="TREAT")


async def permit(operator: httpx.AsyncClient, id_: str = "program-consent", **limits: Any) -> None:
    paper = consent(PARTNER, id_=id_)
    provision = paper["provision"] | {
        "purpose": [{"system": f"{HL7}/v3-ActReason", "code": "TREAT"}],
        "securityLabel": labels("ETH", "R")["security"],
        **limits,
    }
    document = {
        "resourceType": "DocumentReference",
        "id": "signed",
        "status": "current",
        "subject": reference("Patient/ada"),
        "content": [{"attachment": {"title": "Signed form"}}],
    }
    signed = {
        "policyRule": concept(ACT, "42CFRPart2"),
        "performer": [reference("Patient/ada")],
        "organization": [reference(COUNTY)],
        "sourceReference": reference("DocumentReference/signed"),
        "provision": provision,
    }
    await load(operator, document, paper | signed)


def mark(bundle: Json) -> list[str]:
    """The labels of a Bundle."""
    assert {each["system"] for each in bundle["meta"]["security"]} == {LEVEL}
    return [each["code"] for each in bundle["meta"]["security"]]


def notice(resource: Json) -> list[str]:
    said = resource["meta"].get("extension", [])
    return [each["valueAnnotation"]["text"] for each in said]


def grounds(resource: Json) -> list[str]:
    """The Consents named by the one label that forbids to pass a resource on."""
    [refrain] = [each for each in resource["meta"]["security"] if each["code"] == "NORDSCLCD"]
    basis, *others = refrain["extension"]
    assert basis["url"] == f"{DS4P}/extension-sec-label-basis"
    assert basis["valueCoding"] == {"system": ACT, "code": "42CFRPart2"}
    artifacts = [each["valueRelatedArtifact"] for each in others]
    assert {each["type"] for each in artifacts} <= {"justification"}
    return [each["url"] for each in artifacts]


@pytest.mark.parametrize(
    ("ids", "level"),
    [("low", "L"), ("low,plain", "N"), ("plain,sensitive", "R"), ("very,low,sensitive", "V")],
)
async def test_a_page_bears_the_highest_level_of_what_is_on_it(
    record: httpx.AsyncClient, ids: str, level: str
) -> None:
    page = (await record.get("/Goal", params={"_id": ids})).json()
    assert mark(page) == [level]


async def test_what_is_included_counts(record: httpx.AsyncClient) -> None:
    await load(record, goal("low", meta=labels("L")), patient("ada", COUNTY, meta=labels("V")))
    assert mark((await record.get("/Goal?_id=low")).json()) == ["L"]
    assert mark((await record.get("/Goal?_id=low&_include=Goal:patient")).json()) == ["V"]


async def test_a_bundle_without_records_bears_no_level(record: httpx.AsyncClient) -> None:
    for url in ("/Goal?_id=none", "/Goal?_summary=count", "/Goal/_history?_count=0"):
        assert "security" not in (await record.get(url)).json().get("meta", {}), url


async def test_what_is_hidden_does_not_raise_the_level(
    service: Service, keeper: httpx.AsyncClient, recipient: httpx.AsyncClient
) -> None:
    operator = await service.as_("operator")
    await load(operator, care_team(PARTNER))
    page = await recipient.get("/Goal?patient=ada&_sort=_id")
    assert found(page) == ["Goal/low", "Goal/plain"]
    assert mark(page.json()) == ["N"]


async def test_history_and_everything_and_batch_bear_it(record: httpx.AsyncClient) -> None:
    for url in ("/Goal/_history", "/_history", "/Patient/ada/$everything"):
        assert mark((await record.get(url)).json()) == ["V"], url
    assert mark((await record.get("/Goal/sensitive/_history")).json()) == ["R"]
    entries = [{"request": {"method": "GET", "url": url}} for url in ("Goal/low", "Goal?_id=very")]
    batch = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = (await record.post("", json=batch)).json()
    assert mark(answer) == ["V"]
    assert mark(answer["entry"][1]["resource"]) == ["V"]


async def test_a_transaction_that_returns_what_it_wrote_bears_it(
    record: httpx.AsyncClient,
) -> None:
    entry = {"resource": goal("very", meta=labels("V"))}
    entry["request"] = {"method": "PUT", "url": "Goal/very"}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    whole = await record.post("", json=bundle, headers={"Prefer": "return=representation"})
    assert mark(whole.json()) == ["V"]
    short = await record.post("", json=bundle, headers={"Prefer": "return=minimal"})
    assert "meta" not in short.json()


@pytest.mark.parametrize(
    "url",
    [
        "/Goal/program",
        "/Goal/program/_history/1",
        "/Goal/program?_elements=description",
        "/Goal/program?_summary=true",
    ],
)
async def test_a_record_of_a_program_leaves_with_the_notice(
    keeper: httpx.AsyncClient, url: str
) -> None:
    answer = await keeper.get(url)
    assert answer.status_code == 200, answer.text
    assert notice(answer.json()) == [NOTICE]
    assert grounds(answer.json()) == []


@pytest.mark.parametrize("query", ["", "_elements=description", "_summary=true"])
async def test_no_other_record_leaves_with_the_notice(
    keeper: httpx.AsyncClient, query: str
) -> None:
    answer = await keeper.get(f"/Goal/sensitive?{query}")
    assert answer.status_code == 200, answer.text
    assert notice(answer.json()) == []
    assert "NORDSCLCD" not in answer.text


async def test_every_bundle_has_the_notice_on_the_record(keeper: httpx.AsyncClient) -> None:
    for url in ("/Goal?patient=ada", "/Goal/_history", "/Patient/ada/$everything"):
        entries = (await keeper.get(url)).json()["entry"]
        noticed = {e["resource"]["id"] for e in entries if notice(e["resource"])}
        assert noticed == {"program"}, url


async def test_a_write_answers_with_the_notice(record: httpx.AsyncClient) -> None:
    made = await change(
        record, goal("program", meta=labels("42CFRPart2", "ETH")), statusDate="2026-01-01"
    )
    assert notice(made) == [NOTICE]


async def test_the_consent_that_permits_is_named(
    service: Service, record: httpx.AsyncClient, recipient: httpx.AsyncClient
) -> None:
    assert (await recipient.get("/Goal/program")).status_code == 404
    await permit(record)
    await permit(
        record,
        "of-other-things",
        **{"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Task"}]},
    )
    url = f"{service.settings.base_url}/Consent/program-consent"
    read = (await recipient.get("/Goal/program")).json()
    assert notice(read) == [NOTICE]
    assert grounds(read) == [url]
    [entry] = (await recipient.get("/Goal?_id=program")).json()["entry"]
    assert grounds(entry["resource"]) == [url]


async def test_what_comes_back_with_the_notice_is_given_it_once(
    service: Service, record: httpx.AsyncClient, recipient: httpx.AsyncClient
) -> None:
    await permit(record)
    copy = (await recipient.get("/Goal/program")).json()
    await change(record, copy, priority=concept(f"{HL7}/goal-priority", "high-priority"))
    again = (await record.get("/Goal/program")).json()
    assert notice(again) == [NOTICE]
    assert grounds(again) == []


@pytest.mark.parametrize("security", [[None], [{}], [[]], ["R"], [1], None, {}, "R"], ids=str)
async def test_a_label_that_is_none_is_refused(record: httpx.AsyncClient, security: object) -> None:
    response = await record.post("/Goal", json=goal(meta={"security": security}))
    assert response.status_code in (400, 422), response.text
