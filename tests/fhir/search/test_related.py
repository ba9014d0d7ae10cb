"""Searching as somebody who supports few patients, or many: the same answer by either way."""

import pytest

from app.fhir.access import All, OfType, Related
from app.fhir.search import compile as compiling
from app.fhir.search.compile import compile_search
from tests.build import plan
from tests.fhir.search.conftest import BASE, asked

MINE = All((OfType("*"), Related(("Organization/agency",))))

QUERIES = {
    "CarePlan?": ["cid-plan", "ada-plan"],
    "CarePlan?_sort=date": ["ada-plan", "cid-plan"],
    "CarePlan?_sort=-date&_count=1": ["cid-plan", "ada-plan"],
    "CarePlan?_sort=_id&date=ge2025": ["ada-plan", "cid-plan"],
    "CarePlan?_sort=activity-date,_id": ["ada-plan", "cid-plan"],
    "CarePlan?patient=ben": [],
    "CarePlan?patient=ada": ["ada-plan"],
    "CarePlan?patient=ada,ben,cid&_sort=_id": ["ada-plan", "cid-plan"],
    "Patient?": ["cid", "ada"],
    "Patient?_id=ben,cid": ["cid"],
    "Patient?_id:not=cid": ["ada"],
    "Patient/ben/CarePlan?": [],
}


@pytest.fixture
async def supported(shelf):
    """Three patients; the agency supports ada, in two ways, and cid."""
    for person in ("ada", "ben", "cid"):
        await shelf.put(*plan(person=person, goals=1))
    await shelf.database.execute(
        "INSERT INTO relationship (rid, patient, actor, basis, starts, ends)"
        " SELECT 1, patient, 'Organization/agency', 'care-team', '2020-01-01', '2090-01-01'"
        " FROM unnest(ARRAY['ada', 'ada', 'cid']) AS patient"
    )
    return shelf


@pytest.mark.parametrize("few", [0, 2, 3, 500])
@pytest.mark.parametrize("url", QUERIES)
async def test_both_ways_find_the_same(supported, monkeypatch, url: str, few: int) -> None:
    monkeypatch.setattr(compiling, "FEW", few)
    assert await supported.find(url, MINE) == QUERIES[url]


@pytest.mark.parametrize("few", [0, 500])
async def test_totals_and_includes_agree(supported, monkeypatch, few: int) -> None:
    monkeypatch.setattr(compiling, "FEW", few)
    rows = await supported.rows("CarePlan?_total=accurate&_include=CarePlan:goal", MINE)
    assert [row["version"] for row in rows if row["mode"] == "total"] == [2]
    included = {row["id"] for row in rows if row["mode"] == "include"}
    assert included == {"ada-goal-1", "cid-goal-1"}


def test_one_shape_of_query_has_one_text() -> None:
    def text(url: str, actor: str) -> str:
        return compile_search(asked(url), Related((actor,)), BASE).sql

    one = "CarePlan?date=ge2024&status=active&_sort=-date&_include=CarePlan:goal"
    other = "CarePlan?date=ge2025-01-01&status=draft&_sort=-date&_include=CarePlan:goal"
    assert text(one, "Organization/a") == text(other, "Organization/b")
    assert text(one, "Organization/a") != text(f"{one}&_count=7", "Organization/a")


@pytest.mark.parametrize(
    "url",
    [
        "CarePlan?category=a'b|c\"d",
        "CarePlan?instantiates-uri=');DROP TABLE resource;--",
        "CarePlan?patient=x' OR '1'='1",
        "Patient?name:contains=$1' %s {0}",
        "Patient?_id=a';--",
    ],
)
def test_no_value_ever_stands_in_the_text(url: str) -> None:
    statement = compile_search(asked(url), MINE, BASE)
    assert "'1'" not in statement.sql
    assert "DROP" not in statement.sql
    assert "--" not in statement.sql
