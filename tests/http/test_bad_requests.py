"""A request that is wrong but for its body: a 4xx that says so, and nothing is written."""

import json
from typing import Any

import httpx
import pytest

from tests.build import goal
from tests.http.conftest import Service, refused
from tests.http.wire import send

SECRET = "Xyzzy-the-name-of-somebody"
GOAL = json.dumps(goal()).encode()

MEDIA = [
    "application/xml; charset=iso-8859-1",
    "application/fhir+xml; fhirVersion=5.0",
    "text/plain",
    "application/json-patch+json",
    "application/x-www-form-urlencoded",
    "application/fhir+json; charset=iso-8859-1",
    "nonsense",
]


@pytest.mark.parametrize("kind", MEDIA)
async def test_a_body_in_another_format_is_refused(
    client: httpx.AsyncClient, unchanged: None, kind: str
) -> None:
    for method, url in (("POST", "/Goal"), ("PUT", "/Goal/ada-goal-1"), ("POST", "")):
        response = await client.request(method, url, content=GOAL, headers={"Content-Type": kind})
        refused(response, 415, "not-supported")


async def test_a_body_without_a_media_type_is_refused(
    lasting: Service, client: httpx.AsyncClient, unchanged: None
) -> None:
    body = {"type": "http.request", "body": GOAL}
    response = await send(lasting.app, client, "POST /Goal", messages=[body])
    refused(response, 415, "not-supported")


@pytest.mark.parametrize(
    "kind", ["application/json", "text/json", "application/fhir+json;charset=UTF-8"]
)
async def test_json_goes_by_several_names(client: httpx.AsyncClient, kind: str) -> None:
    response = await client.post("/Goal", content=GOAL, headers={"Content-Type": kind})
    assert response.status_code == 201


@pytest.mark.parametrize("accept", ["text/turtle", "text/html", "image/png", "nonsense"])
async def test_an_answer_in_another_format_is_not_given(
    client: httpx.AsyncClient, unchanged: None, accept: str
) -> None:
    refused(await client.get("/Patient/ada", headers={"Accept": accept}), 406, "not-supported")
    refused(await client.get("/Patient/ada", params={"_format": accept}), 406, "not-supported")
    refused(
        await client.post("/Goal", json=goal(), headers={"Accept": accept}), 406, "not-supported"
    )


@pytest.mark.parametrize(
    "format_", ["json", "application/fhir+json", "application/json", "text/json"]
)
async def test_the_format_parameter_overrides_accept(
    client: httpx.AsyncClient, format_: str
) -> None:
    headers = {"Accept": "application/fhir+xml"}
    response = await client.get("/Patient/ada", params={"_format": format_}, headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "id_", ["a_b", "a" * 65, "ä", "a%20b", "a%00b", "a%2Fb", "%2e%2e%2fx", "a+b", "*", "%ff"]
)
async def test_an_id_that_cannot_be_one_is_refused(
    client: httpx.AsyncClient, unchanged: None, id_: str
) -> None:
    for method in ("GET", "PUT", "DELETE"):
        body = {**goal(), "id": "x"} if method == "PUT" else None
        response = await client.request(method, f"/Goal/{id_}", json=body)
        assert response.status_code in (400, 404, 405), response.text
        assert response.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "version", ["%00", "a%00", "%ff", "-1", "1" * 400, "%F0%9F%99%82", "%ED%A0%80"]
)
async def test_a_version_that_cannot_be_one_is_not_found(
    client: httpx.AsyncClient, unchanged: None, version: str
) -> None:
    response = await client.get(f"/Goal/ada-goal-1/_history/{version}")
    assert response.status_code in (400, 404), response.text


@pytest.mark.parametrize("tag", ["1", "W/1", 'W/"1', "yes", 'W/"1" W/"2"', ",", '"1",', "", "W/*"])
async def test_an_if_match_that_is_no_etag_is_refused(
    client: httpx.AsyncClient, unchanged: None, tag: str
) -> None:
    headers = {"If-Match": tag}
    changed = goal(lifecycleStatus="completed")
    refused(await client.put("/Goal/ada-goal-1", json=changed, headers=headers), 400, "value")
    refused(await client.delete("/Goal/ada-goal-1", headers=headers), 400, "value")


@pytest.mark.parametrize(
    "tag", ['W/"0"', 'W/"01"', 'W/"-1"', 'W/"99999999999999999999"', 'W/"x"', 'W/""']
)
async def test_an_etag_of_no_version_matches_none(
    client: httpx.AsyncClient, unchanged: None, tag: str
) -> None:
    changed = goal(lifecycleStatus="completed")
    response = await client.put("/Goal/ada-goal-1", json=changed, headers={"If-Match": tag})
    refused(response, 412, "conflict", "Goal")


UNSERVED = {
    "/Unicorn": ("GET", 404),
    "/Unicorn/1": ("GET", 404),
    "/goal": ("GET", 404),
    "/Goal/ada-goal-1/colour": ("GET", 404),
    "/Goal/ada-goal-1/_history/1/2": ("GET", 404),
    "/Goal/$colour": ("POST", 404),
    "/$colour": ("POST", 404),
    "/Goal/ada-goal-1/Patient": ("GET", 404),
    "/Goal/_search/more": ("POST", 404),
    "/_search": ("GET", 405),
    "/Parameters": ("POST", 404),
    "/OperationOutcome/1": ("GET", 404),
    "/metadata/more": ("GET", 404),
    "/Goal/_search": ("GET", 405),
    "/Goal": ("TRACE", 405),
    "/Goal/ada-goal-1": ("POST", 405),
    "/Patient/ada/_history": ("PATCH", 405),
    "/metadata": ("POST", 405),
    "/": ("PUT", 405),
    "/_history": ("POST", 405),
    "/Goal/ada-goal-2": ("TRACE", 405),
    "/Goal/ada-goal-3": ("BREW", 405),
}


@pytest.mark.parametrize("url", UNSERVED)
async def test_what_is_not_served_is_said_to_be_so(
    client: httpx.AsyncClient, unchanged: None, url: str
) -> None:
    method, status = UNSERVED[url]
    response = await client.request(method, url)
    assert response.status_code == status, response.text
    assert response.json()["issue"][0]["code"] in ("not-found", "not-supported")
    assert ("allow" in response.headers) is (status == 405)


QUERIES = [
    "_count=-1",
    "_count=x",
    "_count=",
    "_count=1.5",
    "_count=²",
    "_summary=all",
    "_sort=colour",
    "_sort=",
    "_total=maybe",
    "_include=Goal",
    "_include=Unicorn:x",
    "_include=Goal:colour",
    "_include=CarePlan:goal",
    "_revinclude=Goal:lifecycle-status",
    "_page=x",
    "_page=%00",
    "start-date=soon",
    "start-date=2026-13",
    "start-date=xx2026",
    "start-date=",
    "lifecycle-status:exact=active",
    "patient:Unicorn=1",
    "patient=",
    "patient.name=",
    "patient.colour=red",
    "subject.colour.x=red",
    "_has:x=1",
    "_has:Unicorn:patient:_id=1",
    "_lastUpdated=yesterday",
    "lifecycle-status=%00",
    "lifecycle-status%00=x",
    "lifecycle-status=%ED%A0%80",
    "=x",
    "patient:missing=maybe",
    "_id:colour=1",
    "_security:not:not=x",
    "_filter=x",
    "_query=x",
]


@pytest.mark.parametrize("query", QUERIES)
async def test_a_search_that_cannot_be_read_is_refused(
    client: httpx.AsyncClient, unchanged: None, query: str
) -> None:
    response = await client.get(f"/Goal?{query}")
    assert response.status_code == 400, response.text
    assert response.json()["issue"][0]["severity"] == "error"


@pytest.mark.parametrize(
    "query",
    [
        "_count=1000000000000000000000",
        "_id=" + ",".join("x" * 64 for _ in range(500)),
        "_id=%F0%9F%99%82",
        "patient=../../etc/passwd",
        "patient=' OR 1=1 --",
        "description=x",
        "lifecycle-status=%27%3B%20DROP%20TABLE%20resource%3B--",
        "lifecycle-status=a%5C",
        "_lastUpdated=0001-01-01T00:00:00%2B14:00",
        "_lastUpdated=9999-12-31T23:59:59-14:00",
        "start-date=ap0001",
        "start-date=ap9999",
        "start-date=9999-12-31",
        "target-date=gt9999-12-31T23:59:60Z",
    ],
)
async def test_a_search_that_is_odd_is_answered(
    client: httpx.AsyncClient, unchanged: None, query: str
) -> None:
    response = await client.get(f"/Goal?{query}")
    assert response.status_code in (200, 400), response.text


@pytest.mark.parametrize(
    "query",
    [
        "_since=0001-01-01T00:00:00%2B14:00",
        "_since=9999-12-31T23:59:59-14:00",
        "_since=2026-01-01T00:00:00%00Z",
        "_since=2026-W01-1T00:00:00Z",
        "_at=0001",
        "_at=9999",
        "_at=9999-12-31T23:59:60-14:00",
        "_at=0000",
        "_count=100000000000000000000",
        "_count=0",
        "_since=%ED%A0%80",
        "_at=%ED%A0%80",
        "_page=%ED%A0%80",
    ],
)
async def test_a_history_that_is_odd_is_answered(
    client: httpx.AsyncClient, unchanged: None, query: str
) -> None:
    for url in ("/Goal/_history", "/Goal/ada-goal-1/_history", "/_history"):
        response = await client.get(f"{url}?{query}")
        assert response.status_code in (200, 400), response.text


async def test_nothing_internal_gets_out(
    lasting: Service, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(type(lasting.app.state.engine.database), "fetch", broken)
    response = await client.get("/Patient/ada", headers={"X-Request-Id": "r-1"})
    said = refused(response, 500, "exception")
    assert "r-1" in said
    assert SECRET not in response.text + caplog.text
