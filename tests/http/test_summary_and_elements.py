"""https://hl7.org/fhir/R4/search.html#summary, #elements"""

import httpx
import pytest

from tests.build import goal, plan
from tests.http.conftest import COUNTY, Json, load, refused

SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Walk</div>'}
MANDATORY = {"lifecycleStatus", "description", "subject"}
ALWAYS = {"resourceType", "id", "meta"}
WHOLE = goal(text=TEXT, note=[{"text": "Slowly"}], expressedBy={"reference": "Patient/ada"})


@pytest.fixture
async def county(operator: httpx.AsyncClient, county: httpx.AsyncClient) -> httpx.AsyncClient:
    await load(operator, *plan(organization=COUNTY, goals=0), WHOLE)
    return county


async def parts(client: httpx.AsyncClient, query: str) -> list[Json]:
    """The goal as a read, a vread, a search and a history give it."""
    read = await client.get(f"/Goal/ada-goal-1?{query}")
    vread = await client.get(f"/Goal/ada-goal-1/_history/1?{query}")
    search = await client.get(f"/Goal?_id=ada-goal-1&{query}")
    history = await client.get(f"/Goal/ada-goal-1/_history?{query}")
    entries = [bundle.json()["entry"][0]["resource"] for bundle in (search, history)]
    return [read.json(), vread.json(), *entries]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_elements=startDate", MANDATORY | {"startDate"}),
        ("_elements=startDate,note", MANDATORY | {"startDate", "note"}),
        ("_elements=start", MANDATORY | {"startDate"}),
        ("_elements=colour", MANDATORY),
        ("_summary=text", MANDATORY | {"text"}),
        ("_summary=data", set(WHOLE) - ALWAYS - {"text"}),
        (
            "_summary=true",
            MANDATORY | {"achievementStatus", "startDate", "expressedBy", "target"},
        ),
    ],
)
async def test_only_the_parts_asked_for_are_sent(
    county: httpx.AsyncClient, query: str, expected: set[str]
) -> None:
    for part in await parts(county, query):
        assert set(part) - ALWAYS <= expected
        assert set(part) - ALWAYS >= expected - {"target", "startDate"}
        assert SUBSETTED in part["meta"]["tag"]
        assert all(part[name] == WHOLE[name] for name in set(part) & MANDATORY)


@pytest.mark.parametrize("query", ["_summary=false", "_format=json", "_elements="])
async def test_the_whole_is_not_tagged(county: httpx.AsyncClient, query: str) -> None:
    for part in await parts(county, query):
        assert set(part) == set(WHOLE) | {"meta"}
        assert "tag" not in part["meta"]


async def test_what_was_cut_is_not_what_is_stored(county: httpx.AsyncClient) -> None:
    """Who puts back a part would take away the rest."""
    cut = (await county.get("/Goal/ada-goal-1?_elements=startDate")).json()
    whole = (await county.get("/Goal/ada-goal-1")).json()
    assert "note" in whole
    assert "note" not in cut
    refused(await county.put("/Goal/ada-goal-1", json=cut), 422, "business-rule", "Goal")
    assert (await county.get("/Goal/ada-goal-1")).json() == whole


async def test_every_entry_of_a_bundle_is_cut(county: httpx.AsyncClient) -> None:
    url = "/CarePlan?_include=CarePlan:subject&_summary=true"
    entries = (await county.get(url)).json()["entry"]
    assert {entry["resource"]["resourceType"] for entry in entries} == {"CarePlan", "Patient"}
    assert all(SUBSETTED in entry["resource"]["meta"]["tag"] for entry in entries)


@pytest.mark.parametrize("value", ["all", "", "True", "text,data"])
async def test_a_summary_that_is_none_is_refused(county: httpx.AsyncClient, value: str) -> None:
    for url in ("/Goal", "/Goal/ada-goal-1", "/Goal/_history"):
        refused(await county.get(url, params={"_summary": value}), 400, "value")


async def test_pretty_is_the_same_in_more_lines(county: httpx.AsyncClient) -> None:
    plain = await county.get("/Goal/ada-goal-1")
    pretty = await county.get("/Goal/ada-goal-1?_pretty=true")
    assert plain.text.count("\n") == 0
    assert pretty.text.count("\n") > 10
    assert pretty.json() == plain.json()
