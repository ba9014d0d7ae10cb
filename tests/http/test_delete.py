"""https://hl7.org/fhir/R4/http.html#delete"""

import httpx

from app.storage.database import Database
from tests.build import goal
from tests.http.conftest import change, found, refused


async def test_a_deleted_resource_is_no_longer_found(county: httpx.AsyncClient, ada: str) -> None:
    response = await county.delete("/Goal/ada-goal-1")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["etag"] == 'W/"2"'
    assert found(await county.get("/Goal?patient=ada")) == ["Goal/ada-goal-2"]
    included = await county.get("/CarePlan?patient=ada&_include=CarePlan:goal")
    assert found(included, "include") == ["Goal/ada-goal-2"]


async def test_deleting_twice_does_no_harm(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    for _ in range(2):
        response = await county.delete("/Goal/ada-goal-1")
        assert (response.status_code, response.headers["etag"]) == (204, 'W/"2"')
    versions = "SELECT count(*) FROM resource_version WHERE method = 'DELETE'"
    assert await database.fetchval(versions) == 1


async def test_deleting_what_is_not_there_and_what_is_hidden_answers_alike(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str
) -> None:
    for headers in ({}, {"If-Match": 'W/"1"'}, {"If-Match": 'W/"5"'}):
        hidden = await stranger.delete("/Goal/ada-goal-1", headers=headers)
        nothing = await stranger.delete("/Goal/ada-goal-9", headers=headers)
        assert hidden.status_code == nothing.status_code == 204
        assert "etag" not in hidden.headers
        assert "etag" not in nothing.headers
    assert (await county.get("/Goal/ada-goal-1")).status_code == 200


async def test_only_the_version_named_is_deleted(county: httpx.AsyncClient, ada: str) -> None:
    await change(county, goal(), lifecycleStatus="completed")
    late = await county.delete("/Goal/ada-goal-1", headers={"If-Match": 'W/"1"'})
    refused(late, 412, "conflict", "Goal")
    current = await county.delete("/Goal/ada-goal-1", headers={"If-Match": 'W/"2"'})
    assert current.status_code == 204


async def test_the_history_says_who_was_deleted(county: httpx.AsyncClient, ada: str) -> None:
    await county.delete("/Goal/ada-goal-1")
    entry, first = (await county.get("/Goal/ada-goal-1/_history")).json()["entry"]
    assert entry["request"] == {"method": "DELETE", "url": "Goal/ada-goal-1"}
    assert entry["response"]["status"].startswith("204")
    assert "resource" not in entry
    assert first["resource"]["id"] == "ada-goal-1"


async def test_whoever_kept_the_record_sees_that_the_patient_was_deleted(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str
) -> None:
    assert (await county.delete("/Patient/ada")).status_code == 204
    refused(await county.get("/Patient/ada"), 410, "deleted")
    refused(await stranger.get("/Patient/ada"), 404, "not-found")
    assert len((await county.get("/Patient/ada/_history")).json()["entry"]) == 2


async def test_a_word_about_a_deletion_can_be_had(county: httpx.AsyncClient, ada: str) -> None:
    wish = {"Prefer": "return=OperationOutcome"}
    response = await county.delete("/Goal/ada-goal-1", headers=wish)
    assert response.status_code == 200
    assert response.json()["issue"][0]["severity"] == "information"
