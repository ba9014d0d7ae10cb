"""application/fhir+xml in and out: https://hl7.org/fhir/R4/xml.html"""

from typing import Any

import httpx
import pytest

from app.fhir import json, xml
from tests.build import goal, transaction
from tests.http.conftest import Json, create

FHIR_XML = "application/fhir+xml"
AS_XML = {"Accept": FHIR_XML}
SENT = {"Content-Type": FHIR_XML, **AS_XML}
EXACT = (
    b'{"resourceType":"Goal","lifecycleStatus":"active","description":{"text":"a < b"},'
    b'"subject":{"reference":"Patient/ada"},"_startDate":{"extension":[{"url":'
    b'"http://example.org/why","valueCode":"x"}]},"target":[{"measure":{"text":"m"},'
    b'"detailQuantity":{"value":1.500,"unit":"walk"},"dueDate":"2026-03"}]}'
)


def told(response: httpx.Response) -> Any:
    """The resource of an answer in XML."""
    assert response.headers["content-type"] == f"{FHIR_XML};charset=utf-8", response.text
    assert response.content.startswith(b'<?xml version="1.0" encoding="UTF-8"?><')
    return xml.read(response.content)


async def test_what_comes_in_as_xml_is_stored_as_json_to_the_letter(
    county: httpx.AsyncClient, ada: str
) -> None:
    response = await county.post("/Goal", content=xml.write(json.parse(EXACT)), headers=SENT)
    assert response.status_code == 201, response.text
    made = told(response)
    stored = (await county.get(f"/Goal/{made['id']}")).content
    assert b'"value":1.500,' in stored
    assert made == json.parse(stored)
    assert {name: made[name] for name in json.parse(EXACT)} == json.parse(EXACT)


async def test_every_answer_can_be_xml(county: httpx.AsyncClient, ada: str) -> None:
    for url in (
        "/Goal/ada-goal-1",
        "/Goal?patient=ada&_include=Goal:patient",
        "/Goal/ada-goal-1/_history",
        "/Goal?patient=ada&_summary=true",
        "/metadata",
    ):
        response = await county.get(url, headers=AS_XML)
        same = await county.get(url)
        assert same.headers["content-type"].startswith("application/fhir+json")
        assert told(response) == json.parse(same.content)
        assert told(await county.get(url, params={"_format": "xml"}))["resourceType"]


async def test_an_update_and_a_patch_may_be_xml(county: httpx.AsyncClient, ada: str) -> None:
    body = xml.write(goal(lifecycleStatus="completed"))
    response = await county.put("/Goal/ada-goal-1", content=body, headers=SENT)
    assert told(response)["lifecycleStatus"] == "completed"
    parts: list[Json] = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Goal.lifecycleStatus"},
        {"name": "value", "valueCode": "on-hold"},
    ]
    patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    patched = await county.patch("/Goal/ada-goal-1", content=xml.write(patch), headers=SENT)
    assert told(patched)["lifecycleStatus"] == "on-hold"


async def test_a_transaction_may_be_xml(county: httpx.AsyncClient, ada: str) -> None:
    bare = {name: value for name, value in goal().items() if name != "id"}
    body = xml.write(transaction(bare, goal(lifecycleStatus="completed")))
    response = await county.post("", content=body, headers=SENT)
    answered = told(response)
    assert [entry["response"]["status"] for entry in answered["entry"]] == ["201 Created", "200 OK"]


async def test_an_error_is_told_as_xml_when_xml_is_asked_for(
    county: httpx.AsyncClient, ada: str
) -> None:
    for method, url, status in (
        ("GET", "/Goal/none", 404),
        ("GET", "/Unicorn", 404),
        ("GET", "/Goal?colour=red", 400),
        ("TRACE", "/Goal", 405),
    ):
        response = await county.request(method, url, headers=AS_XML)
        assert response.status_code == status
        assert told(response)["issue"][0]["severity"] == "error"


async def test_no_content_has_no_type(county: httpx.AsyncClient, ada: str) -> None:
    made = await create(county, goal())
    gone = await county.delete(f"/Goal/{made['id']}", headers=AS_XML)
    assert (gone.status_code, gone.content) == (204, b"")
    assert "content-type" not in gone.headers
    head = await county.head("/Goal/ada-goal-1", headers=AS_XML)
    assert head.headers["content-type"].startswith(FHIR_XML)
    assert head.content == b""


@pytest.mark.parametrize(
    "content",
    [
        b"<",
        b"{}",
        b"<Goal/>",
        b'<Goal xmlns="http://hl7.org/fhir"><colour value="red"/></Goal>',
        b'<Patient xmlns="http://hl7.org/fhir"/>',
        b'<!DOCTYPE Goal [<!ENTITY a "aaaa">]><Goal xmlns="http://hl7.org/fhir"/>',
        b'<!DOCTYPE Goal SYSTEM "http://127.0.0.1/x"><Goal xmlns="http://hl7.org/fhir"/>',
        b'<Goal xmlns="http://hl7.org/fhir"><lifecycleStatus value="\xff"/></Goal>',
    ],
)
async def test_what_is_no_fhir_xml_is_refused(
    client: httpx.AsyncClient, unchanged: None, content: bytes
) -> None:
    response = await client.post("/Goal", content=content, headers=SENT)
    assert response.status_code == 400, response.text
    assert told(response)["resourceType"] == "OperationOutcome"


async def test_what_is_no_such_value_is_said_to_be_none(
    client: httpx.AsyncClient, unchanged: None
) -> None:
    body = xml.write(goal()).replace(b'<value value="1"/>', b'<value value="one"/>')
    response = await client.post("/Goal", content=body, headers=SENT)
    assert response.status_code == 400, response.text
    [issue] = told(response)["issue"]
    assert issue["expression"] == ["Goal.target[0].detail.value"]
