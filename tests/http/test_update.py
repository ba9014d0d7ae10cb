"""https://hl7.org/fhir/R4/http.html#update"""

import httpx
import pytest

from app.storage.database import Database
from tests.build import goal, patient
from tests.http.conftest import COUNTY, change, load, refused, serving


async def test_an_update_makes_the_next_version(county: httpx.AsyncClient, ada: str) -> None:
    done = goal(lifecycleStatus="completed")
    response = await county.put("/Goal/ada-goal-1", json=done)
    assert response.status_code == 200
    assert response.headers["etag"] == 'W/"2"'
    assert "location" not in response.headers
    made = response.json()
    assert (made["meta"]["versionId"], made["lifecycleStatus"]) == ("2", "completed")
    assert (await county.get("/Goal/ada-goal-1")).content == response.content


async def test_what_is_left_out_is_gone(county: httpx.AsyncClient, ada: str) -> None:
    less = {name: value for name, value in goal().items() if name != "target"}
    await change(county, less)
    assert "target" not in (await county.get("/Goal/ada-goal-1")).json()
    gone = await county.get("/Goal?target-date=2026-03-01&_id=ada-goal-1&_total=accurate")
    assert gone.json()["total"] == 0


async def test_search_follows_the_update(county: httpx.AsyncClient, ada: str) -> None:
    await change(county, goal(), lifecycleStatus="completed")
    for status, total in (("completed", 1), ("active", 1)):
        response = await county.get(f"/Goal?lifecycle-status={status}&_total=accurate")
        assert response.json()["total"] == total


@pytest.mark.parametrize("tag", ['W/"1"', '"1"', 'W/"4", W/"1"', "*"])
async def test_an_update_of_the_version_named_succeeds(
    county: httpx.AsyncClient, ada: str, tag: str
) -> None:
    done = goal(lifecycleStatus="completed")
    response = await county.put("/Goal/ada-goal-1", json=done, headers={"If-Match": tag})
    assert response.status_code == 200


async def test_who_was_slower_is_told_so(county: httpx.AsyncClient, ada: str) -> None:
    await change(county, goal(), lifecycleStatus="completed")
    late = goal(lifecycleStatus="cancelled")
    response = await county.put("/Goal/ada-goal-1", json=late, headers={"If-Match": 'W/"1"'})
    said = refused(response, 412, "conflict", "Goal")
    assert "version 2" in said
    assert (await county.get("/Goal/ada-goal-1")).json()["lifecycleStatus"] == "completed"


async def test_if_match_never_creates(operator: httpx.AsyncClient) -> None:
    """https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1"""
    for tag in ('W/"1"', "*"):
        response = await operator.put(
            "/Patient/new", json=patient("new", None), headers={"If-Match": tag}
        )
        refused(response, 412, "conflict", "Patient")
    refused(await operator.get("/Patient/new"), 404, "not-found")


async def test_the_same_again_changes_nothing(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    first = await county.get("/Goal/ada-goal-1")
    again = await county.put("/Goal/ada-goal-1", json=first.json())
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["etag"] == 'W/"1"'
    bare = await county.put("/Goal/ada-goal-1", json=goal())
    assert bare.headers["etag"] == 'W/"1"'
    versions = "SELECT count(*) FROM resource_version WHERE type = 'Goal'"
    assert await database.fetchval(versions) == 2


async def test_a_decimal_spelled_otherwise_is_another_version(
    county: httpx.AsyncClient, ada: str
) -> None:
    text = (await county.get("/Goal/ada-goal-1")).text
    assert '"value":1,' in text
    response = await county.put(
        "/Goal/ada-goal-1", content=text.replace('"value":1,', '"value":1.0,')
    )
    assert response.headers["etag"] == 'W/"2"'


async def test_the_hidden_and_the_unknown_are_refused_alike(
    stranger: httpx.AsyncClient, ada: str
) -> None:
    hidden = await stranger.put("/Goal/ada-goal-1", json=goal())
    unknown = await stranger.put("/Goal/ada-goal-9", json=goal("ada-goal-9"))
    refused(hidden, 405, "not-supported", "Goal")
    assert hidden.text.replace("ada-goal-1", "ada-goal-9") == unknown.text


async def test_the_hidden_and_the_unknown_are_refused_alike_with_if_match(
    stranger: httpx.AsyncClient, ada: str
) -> None:
    have = {"If-Match": 'W/"1"'}
    hidden = await stranger.put("/Goal/ada-goal-1", json=goal(), headers=have)
    unknown = await stranger.put("/Goal/ada-goal-9", json=goal("ada-goal-9"), headers=have)
    assert hidden.status_code == unknown.status_code
    assert hidden.text.replace("ada-goal-1", "ada-goal-9") == unknown.text


async def test_an_operator_chooses_ids(operator: httpx.AsyncClient) -> None:
    response = await operator.put("/Patient/chosen", json=patient("chosen", None))
    assert response.status_code == 201
    assert response.headers["location"].endswith("/fhir/Patient/chosen/_history/1")
    assert response.json()["id"] == "chosen"


async def test_others_choose_ids_where_the_operator_decided_so(
    dsn: str, county: httpx.AsyncClient, ada: str
) -> None:
    refused(await county.put("/Goal/mine", json=goal("mine")), 405, "not-supported", "Goal")
    async with serving(dsn, update_as_create=True) as open_:
        same = await open_.as_("provider-organization", COUNTY)
        assert (await same.put("/Goal/mine", json=goal("mine"))).status_code == 201
        assert (await same.put("/Goal/mine", json=goal("mine"))).status_code == 200


async def test_an_id_that_is_taken_out_of_sight_is_refused_without_a_word_more(
    dsn: str, stranger: httpx.AsyncClient, ada: str
) -> None:
    async with serving(dsn, update_as_create=True) as open_:
        elsewhere = await open_.as_("provider-organization", "Organization/elsewhere")
        mine = patient("ada", "Organization/elsewhere")
        response = await elsewhere.put("/Patient/ada", json=mine)
        refused(response, 409, "conflict")
    assert (await stranger.get("/Patient/ada")).status_code == 404


@pytest.mark.parametrize("id_", [None, "another", 7])
async def test_the_body_carries_the_id_of_the_url(
    county: httpx.AsyncClient, ada: str, id_: object
) -> None:
    wrong = {**goal(), "id": id_}
    if id_ is None:
        del wrong["id"]
    refused(await county.put("/Goal/ada-goal-1", json=wrong), 400, "invalid", "Goal.id")


async def test_a_deleted_resource_can_be_brought_back(county: httpx.AsyncClient, ada: str) -> None:
    await county.delete("/Goal/ada-goal-1")
    response = await county.put("/Goal/ada-goal-1", json=goal())
    assert response.status_code == 201
    assert response.headers["etag"] == 'W/"3"'
    assert (await county.get("/Goal/ada-goal-1")).status_code == 200


async def test_a_reference_that_was_there_before_may_stay_when_its_target_is_gone(
    county: httpx.AsyncClient, ada: str
) -> None:
    await county.delete("/Condition/ada-need")
    plan = (await county.get("/CarePlan/ada-plan")).json()
    assert plan["addresses"] == [{"reference": "Condition/ada-need"}]
    await change(county, plan, title="Mine")


async def test_an_update_leaves_the_others_alone(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, patient("ben", COUNTY))
    before = await county.get("/Patient/ben")
    await change(county, patient("ada", COUNTY), gender="female")
    assert (await county.get("/Patient/ben")).content == before.content
