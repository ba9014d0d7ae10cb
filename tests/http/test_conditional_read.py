"""https://hl7.org/fhir/R4/http.html#cread"""

import httpx
import pytest

from tests.build import goal
from tests.http.conftest import change, refused

FUTURE, PAST = "Fri, 31 Dec 2100 23:59:59 GMT", "Mon, 01 Jan 2001 00:00:00 GMT"


@pytest.mark.parametrize("tag", ['W/"1"', '"1"', 'W/"7", W/"1"', "*"])
async def test_a_version_the_client_has_is_not_sent_again(
    county: httpx.AsyncClient, ada: str, tag: str
) -> None:
    response = await county.get("/Goal/ada-goal-1", headers={"If-None-Match": tag})
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["etag"] == 'W/"1"'
    assert "content-type" not in response.headers


@pytest.mark.parametrize("tag", ['W/"2"', 'W/"11"', "1", "W/1", ""])
async def test_another_version_is_sent(county: httpx.AsyncClient, ada: str, tag: str) -> None:
    response = await county.get("/Goal/ada-goal-1", headers={"If-None-Match": tag})
    assert response.status_code == 200


async def test_a_change_ends_what_the_client_has(county: httpx.AsyncClient, ada: str) -> None:
    await change(county, goal(), lifecycleStatus="completed")
    response = await county.get("/Goal/ada-goal-1", headers={"If-None-Match": 'W/"1"'})
    assert response.status_code == 200
    assert response.json()["lifecycleStatus"] == "completed"


async def test_nothing_written_since_is_not_sent_again(county: httpx.AsyncClient, ada: str) -> None:
    written = (await county.get("/Goal/ada-goal-1")).headers["last-modified"]
    for since, status in ((written, 304), (FUTURE, 304), (PAST, 200), ("yesterday", 200)):
        response = await county.get("/Goal/ada-goal-1", headers={"If-Modified-Since": since})
        assert response.status_code == status, since


async def test_the_etag_decides_where_both_are_sent(county: httpx.AsyncClient, ada: str) -> None:
    stale = {"If-None-Match": 'W/"9"', "If-Modified-Since": FUTURE}
    assert (await county.get("/Goal/ada-goal-1", headers=stale)).status_code == 200
    fresh = {"If-None-Match": 'W/"1"', "If-Modified-Since": PAST}
    assert (await county.get("/Goal/ada-goal-1", headers=fresh)).status_code == 304


async def test_a_condition_opens_nothing(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str
) -> None:
    have = {"If-None-Match": 'W/"1"'}
    refused(await stranger.get("/Goal/ada-goal-1", headers=have), 404, "not-found")
    await county.delete("/Goal/ada-goal-1")
    refused(await county.get("/Goal/ada-goal-1", headers=have), 410, "deleted")
