"""_sort by codes, identifiers, references and URIs."""

import pytest

from app.fhir.registry import STORED
from app.fhir.search.compile import compile_search
from app.fhir.search.query import sortable
from tests.build import concept, condition, goal, organization, patient
from tests.fhir.search.conftest import ALL, BASE, asked

SCT = "http://snomed.info/sct"


@pytest.fixture
async def goals(shelf):
    await shelf.put(
        goal("a", "Patient/zed", lifecycleStatus="proposed", startDate="2026-01-01"),
        goal("b", "Patient/ada", lifecycleStatus="active", startDate="2026-02-01"),
        goal("c", "Patient/ben", lifecycleStatus="active", startDate="2026-03-01"),
    )
    return shelf


SORTED = {
    "lifecycle-status,-start-date": ["c", "b", "a"],
    "-lifecycle-status,start-date": ["a", "b", "c"],
    "patient": ["b", "c", "a"],
    "-patient": ["a", "c", "b"],
    "start-date,patient": ["a", "b", "c"],
}


async def test_goals_are_sorted_by_codes_and_references(goals) -> None:
    for key, expected in SORTED.items():
        assert await goals.find(f"Goal?_sort={key}") == expected, key


async def test_the_first_code_counts_and_none_comes_last(shelf) -> None:
    both = {"coding": [{"system": SCT, "code": "9"}, {"system": SCT, "code": "2"}]}
    await shelf.put(
        condition("none"),
        condition("five", code=concept(SCT, "5")),
        condition("both", code=both),
    )
    assert await shelf.find("Condition?_sort=code") == ["both", "five", "none"]
    assert await shelf.find("Condition?_sort=-code") == ["both", "five", "none"]


async def test_identifiers_and_booleans_are_sorted_by(shelf) -> None:
    await shelf.put(
        patient("a", identifier=[{"system": "urn:x", "value": "7"}], active=True),
        patient("b", identifier=[{"system": "urn:x", "value": "3"}], active=False),
        organization("o", name="x"),
    )
    assert await shelf.find("Patient?_sort=identifier") == ["b", "a"]
    assert await shelf.find("Patient?_sort=-active") == ["a", "b"]
    assert await shelf.find("Patient?_sort=organization,identifier") == ["b", "a"]


@pytest.mark.parametrize("type_", sorted(STORED))
async def test_every_sortable_parameter_is_sorted_by(shelf, type_: str) -> None:
    for code in sortable(type_):
        for sign in ("", "-"):
            statement = compile_search(asked(f"{type_}?_sort={sign}{code}&_count=1"), ALL, BASE)
            await shelf.database.fetch(*statement.complete)
