"""https://hl7.org/fhir/R4/http.html#vread"""

import httpx
import pytest

from tests.build import consent, goal, patient
from tests.http.conftest import COUNTY, PARTNER, change, load, refused


async def test_every_version_stays_as_it_was(county: httpx.AsyncClient, ada: str) -> None:
    first = (await county.get("/Goal/ada-goal-1")).content
    await change(county, goal(), lifecycleStatus="completed")
    await change(county, goal(), lifecycleStatus="cancelled")
    old = await county.get("/Goal/ada-goal-1/_history/1")
    assert (old.content, old.headers["etag"]) == (first, 'W/"1"')
    second = await county.get("/Goal/ada-goal-1/_history/2")
    assert second.json()["lifecycleStatus"] == "completed"
    assert second.json()["meta"]["versionId"] == "2"


@pytest.mark.parametrize("version", ["0", "2", "01", "x", "1.0", "99999999999999999999"])
async def test_a_version_that_never_was_is_not_found(
    county: httpx.AsyncClient, ada: str, version: str
) -> None:
    refused(await county.get(f"/Goal/ada-goal-1/_history/{version}"), 404, "not-found")


async def test_the_version_that_deleted_is_gone_and_the_one_before_is_not(
    county: httpx.AsyncClient, ada: str
) -> None:
    await county.delete("/Goal/ada-goal-1")
    assert (await county.get("/Goal/ada-goal-1/_history/1")).status_code == 200
    refused(await county.get("/Goal/ada-goal-1/_history/2"), 410, "deleted")


async def test_a_version_is_hidden_as_the_resource_is(
    stranger: httpx.AsyncClient, ada: str
) -> None:
    hidden = await stranger.get("/Goal/ada-goal-1/_history/1")
    unknown = await stranger.get("/Goal/ada-goal-9/_history/1")
    refused(hidden, 404, "not-found")
    assert hidden.text.replace("ada-goal-1", "ada-goal-9") == unknown.text


async def test_a_version_about_another_patient_than_today_is_not_shown(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    """A goal entered under the wrong name was corrected; the new team must not see the old one."""
    await load(operator, patient("ben", COUNTY), consent(PARTNER, patient="Patient/ben"))
    await change(operator, goal(), subject={"reference": "Patient/ben"})
    assert (await partner.get("/Goal/ada-goal-1")).status_code == 200
    refused(await partner.get("/Goal/ada-goal-1/_history/1"), 404, "not-found")


async def test_a_version_can_be_asked_for_conditionally(
    county: httpx.AsyncClient, ada: str
) -> None:
    url = "/Goal/ada-goal-1/_history/1"
    assert (await county.get(url, headers={"If-None-Match": 'W/"1"'})).status_code == 304
    assert (await county.get(url, headers={"If-None-Match": 'W/"2"'})).status_code == 200
