"""_sort, and the pages of a sorted search."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.fhir.errors import BadRequest
from app.fhir.search.bundle import page
from app.fhir.search.compile import compile_search
from app.fhir.search.paging import from_cursor, to_cursor
from tests.build import care_plan, goal, organization, patient
from tests.conftest import CLEAN
from tests.fhir.search.conftest import ALL, BASE, Shelf, asked
from tests.fhir.search.test_number_search import measured


async def test_the_newest_comes_first_unless_asked_otherwise(shelf) -> None:
    await shelf.put(goal("g2"), goal("g1"), goal("g3"))
    assert await shelf.find("Goal?") == ["g3", "g1", "g2"]
    assert await shelf.find("Goal?_sort=_lastUpdated") == ["g2", "g1", "g3"]
    assert await shelf.find("Goal?_sort=_id") == ["g1", "g2", "g3"]
    assert await shelf.find("Goal?_sort=-_id") == ["g3", "g2", "g1"]


async def test_dates_sort_and_what_has_none_comes_last(shelf) -> None:
    days = {"g1": "2025-03", "g2": "2025-01", "g4": "2025-02"}
    await shelf.put(*(goal(id_, startDate=day) for id_, day in days.items()))
    blank = goal("g3")
    del blank["startDate"]
    await shelf.put(blank)
    assert await shelf.find("Goal?_sort=start-date") == ["g2", "g4", "g1", "g3"]
    assert await shelf.find("Goal?_sort=-start-date") == ["g1", "g4", "g2", "g3"]
    assert await shelf.find("Goal?_sort=-start-date&start-date=ge2025-02") == ["g1", "g4"]
    assert await shelf.find("Goal?_sort=-start-date&start-date:missing=true") == ["g3"]
    assert await shelf.find("Goal?_sort=-start-date&_count=3") == ["g1", "g4", "g2", "g3"]


async def test_of_several_values_the_first_in_the_direction_counts_once(shelf) -> None:
    def due(id_: str, *days: str) -> dict[str, Any]:
        return goal(id_, target=[{"measure": {}, "dueDate": day} for day in days])

    await shelf.put(due("a", "2025-01-01", "2025-12-01"), due("b", "2025-06-01", "2025-06-01"))
    assert await shelf.find("Goal?_sort=target-date") == ["a", "b"]
    assert await shelf.find("Goal?_sort=-target-date") == ["a", "b"]
    assert await shelf.find("Goal?_sort=target-date&target-date=2025-06-01") == ["b"]


async def test_texts_and_quantities_sort(shelf) -> None:
    await shelf.put(*(organization(f"o{i}", name=n) for i, n in enumerate(("élan", "Zed", "echo"))))
    assert await shelf.find("Organization?_sort=name") == ["o2", "o0", "o1"]
    assert await shelf.find("Organization?_sort=-name") == ["o1", "o0", "o2"]
    await shelf.put(measured("a", "10"), measured("b", "9.5"), measured("c", "1E2"))
    await shelf.put(measured("d", "5", comparator="<"))
    assert await shelf.find("Observation?_sort=value-quantity") == ["b", "a", "c", "d"]


async def test_a_second_key_decides_among_equals(shelf) -> None:
    await shelf.put(*(goal(f"g{i}", startDate=f"2025-0{1 + i % 2}-01") for i in range(4)))
    assert await shelf.find("Goal?_sort=start-date,-_id") == ["g2", "g0", "g3", "g1"]
    assert await shelf.find("Goal?_sort=-start-date,_id") == ["g1", "g3", "g0", "g2"]


@pytest.mark.parametrize("key", ["nonsense", "_text", "", "-"])
async def test_what_cannot_be_sorted_by_is_refused_naming_what_can(shelf, key: str) -> None:
    with pytest.raises(BadRequest, match=r"_id, _lastUpdated, .*start-date, .*target-date"):
        await shelf.find(f"Goal?_sort={key}")


async def turn(shelf: Shelf, url: str, cursor: list[Any] | None) -> tuple[list[str], Any, Any]:
    """The ids of one page, and the cursors of the pages before and after it."""
    query = asked(url)
    position = from_cursor(query, cursor)
    statement = compile_search(query, ALL, BASE, position)
    rows = await shelf.database.fetch(*statement.complete)
    found = page(query, position, rows)
    ids = [row["id"] for row in found.matches]
    before = to_cursor(query, found.matches[0], is_backward=True) if found.before and ids else None
    after = to_cursor(query, found.matches[-1], is_backward=False) if found.after else None
    return ids, before, after


SORTS = (
    "_lastUpdated,-_id",
    "-_id",
    "date",
    "-date",
    "date,_id",
    "-date,_id",
    "_id,date",
    "activity-date,-date",
    "-activity-date,date",
    "-_lastUpdated,date",
)
DAYS = st.one_of(st.none(), st.integers(0, 3))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    plans=st.lists(st.tuples(DAYS, DAYS), min_size=1, max_size=9),
    key=st.sampled_from(SORTS),
    count=st.integers(1, 4),
)
async def test_the_pages_partition_the_result_both_ways(database, plans, key, count) -> None:
    await database.execute(CLEAN)
    shelf = Shelf(database)
    await shelf.put(*(dated(f"p{at}", *days) for at, days in enumerate(plans)))
    whole = await shelf.find(f"CarePlan?_sort={key}")
    assert sorted(whole) == sorted(f"p{at}" for at in range(len(plans)))
    url = f"CarePlan?_sort={key}&_count={count}"
    pages, before, after = [], None, None
    while not pages or after:
        ids, before, after = await turn(shelf, url, after)
        pages.append(ids)
    assert [id_ for ids in pages for id_ in ids] == whole
    for expected in reversed(pages[:-1]):
        ids, before, _ = await turn(shelf, url, before)
        assert ids == expected
    assert before is None


def dated(id_: str, start: int | None, act: int | None) -> dict[str, Any]:
    plan = care_plan(id_=id_)
    del plan["period"]
    if start is not None:
        plan["period"] = {"start": day(start)}
    if act is not None:
        detail = {"status": "scheduled", "scheduledPeriod": {"start": day(act)}}
        plan["activity"] = [{"detail": detail}, {"detail": detail}]
    return plan


def day(number: int) -> str:
    return (date(2025, 1, 1) + timedelta(days=number)).isoformat()


async def test_a_page_stays_where_it_is_while_others_write(shelf) -> None:
    await shelf.put(*(patient(f"p{i}") for i in range(4)))
    ids, _, after = await turn(shelf, "Patient?_count=2", None)
    await shelf.put(patient("p9"))
    await shelf.delete("Patient", ids[-1])
    assert (await turn(shelf, "Patient?_count=2", after))[0] == ["p1", "p0"]
