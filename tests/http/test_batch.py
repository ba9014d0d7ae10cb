"""https://hl7.org/fhir/R4/http.html#transaction, Bundle.type batch"""

from typing import Any

import httpx
import pytest

from app.storage.database import Database
from tests.build import goal
from tests.http.conftest import COUNTY, Json, refused, serving
from tests.http.transactions import asking, statuses

SECRET = "what a resource says"


def batch(*entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": "batch", "entry": list(entries)}


async def answers(client: httpx.AsyncClient, *entries: Json) -> list[Json]:
    response = await client.post("", json=batch(*entries))
    assert response.status_code == 200, response.text
    bundle = response.json()
    assert bundle["type"] == "batch-response"
    answered: list[Json] = bundle.get("entry", [])
    assert len(answered) == len(entries)
    return answered


async def test_every_entry_is_answered_in_its_place(county: httpx.AsyncClient, ada: str) -> None:
    answered = await answers(
        county,
        asking("GET", "Patient/ada"),
        asking("GET", "Goal?patient=ada&_count=1"),
        asking("GET", "Goal/ada-goal-1/_history"),
        asking("POST", "Goal", goal()),
        asking("PUT", "Goal/ada-goal-2", goal("ada-goal-2", lifecycleStatus="completed")),
        asking("DELETE", "Goal/ada-goal-1"),
        asking("GET", "Goal/ada-goal-1"),
    )
    assert statuses(answered) == ["200", "200", "200", "201", "200", "204", "410"]
    assert answered[0]["resource"]["id"] == "ada"
    assert answered[1]["resource"]["type"] == "searchset"
    assert answered[2]["resource"]["type"] == "history"
    assert answered[3]["response"]["location"].endswith("/_history/1")
    assert answered[4]["response"]["etag"] == 'W/"2"'
    assert answered[4]["response"]["lastModified"]


async def test_what_nobody_foresaw_fails_alone_and_what_was_done_is_told(
    county: httpx.AsyncClient, ada: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    fetch = Database.fetch

    async def broken(self: Database, sql: str, *args: Any) -> Any:
        if "ada-goal-1" in args:
            raise RuntimeError(SECRET)
        return await fetch(self, sql, *args)

    monkeypatch.setattr(Database, "fetch", broken)
    answered = await answers(
        county,
        asking("POST", "Goal", goal()),
        asking("GET", "Goal/ada-goal-1"),
        asking("GET", "Goal/ada-goal-2"),
    )
    assert statuses(answered) == ["201", "500", "200"]
    [issue] = answered[1]["response"]["outcome"]["issue"]
    assert issue["code"] == "exception"
    assert SECRET not in str(answered) + caplog.text


async def test_an_entry_fails_alone(county: httpx.AsyncClient, ada: str) -> None:
    answered = await answers(
        county,
        asking("POST", "Goal", goal(patient="Patient/none")),
        asking("POST", "Goal", {**goal(), "lifecycleStatus": "sleeping"}),
        asking("GET", "Unicorn/1"),
        asking("PATCH", "Goal/ada-goal-1"),
        asking("GET", "Goal?colour=red"),
        asking("GET", "Patient/ada"),
    )
    assert statuses(answered) == ["422", "422", "404", "400", "400", "200"]
    for entry in answered[:5]:
        assert entry["response"]["outcome"]["issue"][0]["severity"] == "error"
        assert "resource" not in entry


async def test_the_hidden_answers_like_the_unknown(stranger: httpx.AsyncClient, ada: str) -> None:
    urls = ("Patient/{}", "Patient/{}/_history", "Patient/{}/_history/1", "Patient?_id={}")
    asked = [asking("GET", url.format("ada")) for url in urls]
    unknown = [asking("GET", url.format("eve")) for url in urls]
    first = await stranger.post("", json=batch(*asked))
    second = await stranger.post("", json=batch(*unknown))
    assert statuses(first.json()["entry"]) == ["404", "404", "404", "200"]
    assert first.text.replace("ada", "eve") == second.text


async def test_an_entry_needs_its_own_scope(service, county: httpx.AsyncClient, ada: str) -> None:
    reader = await service.as_("provider-organization", COUNTY, scope="system/Goal.r")
    answered = await answers(
        reader,
        asking("GET", "Goal/ada-goal-1"),
        asking("GET", "Goal?patient=ada"),
        asking("GET", "Patient/ada"),
        asking("DELETE", "Goal/ada-goal-1"),
    )
    assert statuses(answered) == ["200", "403", "403", "403"]


async def test_conditions_are_those_of_the_entry(county: httpx.AsyncClient, ada: str) -> None:
    done = goal(lifecycleStatus="completed")
    answered = await answers(
        county,
        asking("GET", "Goal/ada-goal-1", ifNoneMatch='W/"1"'),
        asking("GET", "Goal/ada-goal-1", ifModifiedSince="Fri, 31 Dec 2100 23:59:59 GMT"),
        asking("PUT", "Goal/ada-goal-1", done, ifMatch='W/"7"'),
        asking("PUT", "Goal/ada-goal-1", done, ifMatch='W/"1"'),
        asking("DELETE", "Goal/ada-goal-1", ifMatch='W/"1"'),
    )
    assert statuses(answered) == ["304", "304", "412", "200", "412"]
    assert "resource" not in answered[0]


async def test_an_url_may_be_absolute(county: httpx.AsyncClient, ada: str) -> None:
    base = str(county.base_url).rstrip("/")
    answered = await answers(
        county, asking("GET", f"{base}/Patient/ada"), asking("GET", "https://other.org/Patient/ada")
    )
    assert statuses(answered) == ["200", "404"]


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"request": {}},
        {"request": "GET Patient"},
        {"request": {"method": "GET"}},
        {"request": {"url": "Patient"}},
        {"request": {"method": ["GET"], "url": "Patient"}},
        {"request": {"method": "GET", "url": {"a": 1}}},
        {"request": {"method": "get", "url": "Patient"}},
        {"request": {"method": "GET", "url": ""}},
        {"request": {"method": "GET", "url": "/../etc/passwd"}},
        {"request": {"method": "GET", "url": "Patient/ada?_summary=%ff"}},
        {"request": {"method": "GET", "url": "Patient/ada/_history/%00"}},
        {"request": {"method": "GET", "url": "Patient/ada", "ifNoneMatch": 7}},
        {"request": {"method": "GET", "url": "Patient/ada", "ifModifiedSince": []}},
        {"request": {"method": "DELETE", "url": "Goal/x", "ifMatch": {}}},
        {"request": {"method": "POST", "url": "Goal", "ifNoneExist": 1}, "resource": goal()},
        {"request": {"method": "POST", "url": "Goal"}},
        {"request": {"method": "POST", "url": "Goal"}, "resource": []},
        {"request": {"method": "POST", "url": "Goal"}, "resource": "Goal"},
        {"request": {"method": "POST", "url": "Goal"}, "resource": {"resourceType": {}}},
        {"request": {"method": "POST", "url": ""}, "resource": batch()},
    ],
    ids=str,
)
async def test_a_malformed_entry_is_refused_alone(
    county: httpx.AsyncClient, ada: str, entry: Json
) -> None:
    answered = await answers(county, entry, asking("GET", "Patient/ada"))
    first, second = statuses(answered)
    assert "400" <= first < "500"
    assert answered[0]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert second == "200"


@pytest.mark.parametrize("type_", ["document", "", None, 7, [], "Batch"])
async def test_only_a_batch_or_a_transaction_is_performed(
    county: httpx.AsyncClient, type_: Any
) -> None:
    response = await county.post("", json={"resourceType": "Bundle", "type": type_})
    refused(response, 400, "invalid", "Bundle.type")


@pytest.mark.parametrize("body", ["[]", "[1]", '"Bundle"', "7", "null", "{}", "true"])
async def test_what_is_no_bundle_is_refused(county: httpx.AsyncClient, body: str) -> None:
    response = await county.post("", content=body)
    refused(response, 400, "invalid", "Bundle.type")


@pytest.mark.parametrize("entry", [{}, "x", [1], [[]], 7])
async def test_entries_are_a_list_of_objects(county: httpx.AsyncClient, entry: Any) -> None:
    for type_ in ("batch", "transaction"):
        bundle = {"resourceType": "Bundle", "type": type_, "entry": entry}
        refused(await county.post("", json=bundle), 400, "invalid", "Bundle.entry")


async def test_an_empty_batch_has_an_empty_answer(county: httpx.AsyncClient) -> None:
    assert await answers(county) == []


async def test_a_batch_has_an_end(dsn: str, county: httpx.AsyncClient, ada: str) -> None:
    async with serving(dsn, max_entries=2) as small:
        client = await small.as_("provider-organization", COUNTY)
        assert statuses(await answers(client, *[asking("GET", "Patient/ada")] * 2)) == ["200"] * 2
        response = await client.post("", json=batch(*[asking("GET", "Patient/ada")] * 3))
        refused(response, 413, "too-long", "Bundle.entry")


async def test_the_base_answers_with_and_without_a_slash(county: httpx.AsyncClient) -> None:
    base = str(county.base_url).rstrip("/")
    for url in (base, f"{base}/"):
        assert (await county.post(url, json=batch())).status_code == 200
