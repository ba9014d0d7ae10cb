"""Headers, media types and presentation: what the front door reads before anybody else does."""

import json
from typing import Any

import httpx
import pytest

from app.storage.database import Database
from tests.build import goal, patient
from tests.http.conftest import change, create, load, refused, serving

FHIR = "application/fhir+json"


@pytest.mark.parametrize(
    "media_type",
    [
        f"{FHIR}; fhirVersion=4.0",
        f'{FHIR};charset="UTF-8"; FHIRVERSION="4.0"',
        "application/json; charset=utf-8; something=else",
    ],
)
async def test_a_body_may_say_which_version_of_fhir_it_is(
    county: httpx.AsyncClient, ada: str, media_type: str
) -> None:
    headers = {"Content-Type": media_type, "Accept": media_type}
    response = await county.post("/Goal", json=goal(), headers=headers)
    assert response.status_code == 201, response.text


@pytest.mark.parametrize(
    "media_type", [f"{FHIR}; fhirVersion=5.0", f"{FHIR};charset=utf-8;fhirVersion=3.0"]
)
async def test_another_version_of_fhir_is_not_spoken(
    county: httpx.AsyncClient, ada: str, media_type: str
) -> None:
    response = await county.post("/Goal", json=goal(), headers={"Content-Type": media_type})
    refused(response, 415, "not-supported")
    response = await county.get("/Goal/ada-goal-1", headers={"Accept": media_type})
    refused(response, 406, "not-supported")


async def test_a_header_on_two_lines_is_one_list(county: httpx.AsyncClient, ada: str) -> None:
    lines = [("Accept", "application/fhir+json"), ("Accept", "text/html")]
    assert (await county.get("/Goal/ada-goal-1", headers=lines)).status_code == 200
    twice = [("X-Request-Id", "one"), ("X-Request-Id", "two")]
    response = await county.get("/Goal/ada-goal-1", headers=twice)
    assert response.headers["x-request-id"] not in ("one", "two")


async def test_pretty_is_the_same_resource_to_the_letter(
    county: httpx.AsyncClient, ada: str
) -> None:
    target = '"target": [{"measure": {"text": "work"}, "detailQuantity": {"value": 1.50}}], '
    rest = {name: value for name, value in goal().items() if name != "target"}
    made = await county.post("/Goal", content="{" + target + json.dumps(rest)[1:])
    assert made.status_code == 201, made.text
    url = f"/Goal/{made.json()['id']}"
    plain, pretty = await county.get(url), await county.get(f"{url}?_pretty=true")
    assert "\n" in pretty.text
    assert "1.50" in plain.text
    assert '"value": 1.50\n' in pretty.text
    assert pretty.json() == plain.json()


async def test_what_was_deep_enough_to_be_stored_can_be_shown_prettily(
    county: httpx.AsyncClient, ada: str
) -> None:
    """A Bundle puts three more levels around a resource that nests as deep as is let in."""
    extension: dict[str, Any] = {"url": "http://example.org/deep", "valueString": "bottom"}
    for _ in range(30):
        extension = {"url": "http://example.org/deep", "extension": [extension]}
    made = await create(county, goal() | {"extension": [extension]})
    for url in (f"/Goal?_id={made['id']}", f"/Goal/{made['id']}/_history"):
        plain = await county.get(url)
        pretty = await county.get(f"{url}{'&' if '?' in url else '?'}_pretty=true")
        assert (plain.status_code, pretty.status_code) == (200, 200), pretty.text
        assert pretty.json()["entry"] == plain.json()["entry"]


async def test_a_read_is_not_counted(county: httpx.AsyncClient, ada: str) -> None:
    for url in ("/Goal/ada-goal-1", "/Goal/ada-goal-1/_history/1", "/Goal/nobodys"):
        said = refused(await county.get(f"{url}?_summary=count"), 400, "value")
        assert "text" in said


@pytest.mark.parametrize("asked", ["_summary=count", "_count=0"])
async def test_a_history_can_be_counted(county: httpx.AsyncClient, ada: str, asked: str) -> None:
    await change(county, goal(), lifecycleStatus="completed")
    for url, total in (("/Goal/ada-goal-1/_history", 2), ("/Goal/_history", 3)):
        bundle = (await county.get(f"{url}?{asked}")).json()
        assert (bundle["total"], bundle["type"], "entry" in bundle) == (total, "history", False)
        assert [link["relation"] for link in bundle["link"]] == ["self"]
    refused(await county.get(f"/Goal/nobodys/_history?{asked}"), 404, "not-found")


@pytest.mark.parametrize(
    "url",
    [
        "/Goal/_history?_count=Maria",
        "/Goal/_history?_at=Maria",
        "/Goal/_history?_since=Maria",
        "/Goal/_history?_summary=Maria",
        "/Goal/ada-goal-1?_summary=Maria",
        "/Goal?_summary=Maria",
        "/Goal?_count=Maria",
        "/Goal?_total=Maria",
        "/Goal?target-date=Maria",
        "/Goal?lifecycle-status:missing=Maria",
        "/Goal?_include=Maria",
        "/Maria",
    ],
)
async def test_a_refusal_does_not_repeat_what_was_sent(
    county: httpx.AsyncClient, ada: str, url: str
) -> None:
    response = await county.get(url)
    assert response.is_client_error
    assert "Maria" not in response.text


async def test_a_statement_that_takes_too_long_is_a_timeout(
    dsn: str, database: Database, operator: httpx.AsyncClient
) -> None:
    async with serving(dsn, statement_timeout=1) as hasty, database.transaction() as connection:
        await connection.execute("LOCK TABLE resource IN ACCESS EXCLUSIVE MODE")
        client = await hasty.as_("operator")
        refused(await client.get("/Goal/x", headers={"X-Request-Id": "late"}), 504, "timeout")
    assert await outcome(operator, "late") == ("8", "504 timeout")


async def test_a_failure_of_ours_tells_nothing_and_is_recorded(
    database: Database, operator: httpx.AsyncClient
) -> None:
    await database.execute("ALTER TABLE resource RENAME TO elsewhere")
    try:
        response = await operator.get("/Goal/x", headers={"X-Request-Id": "failed"})
    finally:
        await database.execute("ALTER TABLE elsewhere RENAME TO resource")
    assert "elsewhere" not in refused(response, 500, "exception")
    assert await outcome(operator, "failed") == ("8", "500 exception")


async def outcome(operator: httpx.AsyncClient, request_id: str) -> tuple[str, str]:
    found = await operator.get("/AuditEvent", params={"entity:identifier": request_id})
    [entry] = found.json()["entry"]
    return entry["resource"]["outcome"], entry["resource"]["outcomeDesc"]


async def test_an_event_names_the_address_the_token_and_each_patient_found(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, patient("ben", "Organization/county"))
    found = await county.get("/Patient", headers={"X-Request-Id": "two-people"})
    assert len(found.json()["entry"]) == 2
    for name in ("ada", "ben"):
        asked = {"entity:identifier": "two-people", "patient": f"Patient/{name}"}
        [entry] = (await operator.get("/AuditEvent", params=asked)).json()["entry"]
        event = entry["resource"]
        client = event["agent"][0]
        assert client["network"] == {"address": "127.0.0.1", "type": "2"}
        assert client["policy"]
        about = [e["what"]["reference"] for e in event["entity"] if e["type"]["code"] == "1"]
        assert about == [f"Patient/{name}"]
        assert event["meta"]["profile"][0].endswith("IHE.BasicAudit.PatientQuery")


@pytest.mark.parametrize("is_possible", [True, False])
async def test_the_capability_statement_says_whether_an_update_may_create(
    dsn: str, database: Database, is_possible: bool
) -> None:
    async with serving(dsn, update_as_create=is_possible) as service:
        client = await service.as_("operator")
        statement = (await client.get("/metadata")).json()
    said = {each["type"]: each["updateCreate"] for each in statement["rest"][0]["resource"]}
    assert said["Goal"] is is_possible
    assert said["AuditEvent"] is False
