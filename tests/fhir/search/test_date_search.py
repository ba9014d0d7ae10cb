"""Date search: precisions, prefixes, periods and timings."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir.errors import BadRequest
from app.fhir.search.parameters.date import EARLIEST, LATEST, interval
from tests.build import care_plan, goal, patient


def born(id_: str, date: str):
    return patient(id_, birthDate=date)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2024-03-14", "b"),
        ("eq2024-03", "abc"),
        ("2024", "abc"),
        ("ne2024-03-14", "acd"),
        ("gt2024-03-14", "c"),
        ("ge2024-03-14", "bc"),
        ("lt2024-03-14", "ad"),
        ("le2024-03-14", "abd"),
        ("sa2024-03-14", "c"),
        ("eb2024-03-14", "ad"),
        ("gt2024", ""),
        ("ge2024", "abc"),
        ("lt2024", "d"),
        ("le2024", "abcd"),
        ("2025", ""),
        ("2024-03-14,2024-03-15", "bc"),
        ("2024-03-14T10:00:00Z", ""),
        ("gt2024-03-14T10:00:00Z", "bc"),
    ],
)
async def test_prefixes_compare_days(shelf, value: str, found: str) -> None:
    days = {"a": "2024-03-13", "b": "2024-03-14", "c": "2024-03-15", "d": "2023"}
    await shelf.put(*(born(id_, day) for id_, day in days.items()))
    assert sorted(await shelf.find(f"Patient?birthdate={value}")) == sorted(found)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2024", "c"),
        ("ge2024-06-01", "abc"),
        ("gt2024-12-31", "b"),
        ("le2024-06-01", "abc"),
        ("lt2020-01-01", "a"),
        ("sa2023-12-31", "bc"),
        ("eb2025", "ac"),
        ("ap2024", "abc"),
        ("ap1950", "a"),
    ],
)
async def test_a_period_is_compared_as_a_range_that_may_be_open(shelf, value, found) -> None:
    await shelf.put(
        care_plan(id_="a", period={"end": "2024-08-01"}),
        care_plan(id_="b", period={"start": "2024-05-01"}),
        care_plan(id_="c", period={"start": "2024-02-01", "end": "2024-11"}),
        care_plan(id_="d", period={"extension": [{"url": "urn:x", "valueCode": "y"}]}),
    )
    expected = sorted(found) + (
        ["d"] if value[:2] != "20" and value[:2] not in ("sa", "eb") else []
    )
    assert sorted(await shelf.find(f"CarePlan?date={value}")) == expected


async def test_a_timing_is_searched_by_its_outer_limits(shelf) -> None:
    bounds = {"repeat": {"boundsPeriod": {"start": "2024-01-10", "end": "2024-02-10"}}}
    detail = {"status": "scheduled", "scheduledTiming": bounds | {"event": ["2024-03-01"]}}
    await shelf.put(care_plan(id_="a", activity=[{"detail": detail}]))
    assert await shelf.find("CarePlan?activity-date=ge2024-02-20") == ["a"]
    assert await shelf.find("CarePlan?activity-date=gt2024-03-01") == []
    assert await shelf.find("CarePlan?activity-date=2024") == ["a"]


async def test_a_repeated_date_is_an_interval(shelf) -> None:
    await shelf.put(*(goal(f"g{month}", startDate=f"2025-0{month}-01") for month in range(1, 7)))
    found = await shelf.find("Goal?start-date=ge2025-02-01&start-date=lt2025-04-01")
    assert found == ["g3", "g2"]


async def test_last_updated_is_compared_as_an_instant(shelf) -> None:
    await shelf.put(goal("g1"), goal("g2"), goal("g3"))
    assert await shelf.find("Goal?_lastUpdated=2025-01-01T00:00:02Z") == ["g2"]
    assert await shelf.find("Goal?_lastUpdated=gt2025-01-01T00:00:02Z") == ["g3"]
    assert await shelf.find("Goal?_lastUpdated=le2025-01-01T01:00:02+01:00") == ["g2", "g1"]
    assert await shelf.find("Goal?_lastUpdated=2025-01-01,2026") == ["g3", "g2", "g1"]
    assert await shelf.find("Goal?_lastUpdated:missing=false") == ["g3", "g2", "g1"]


async def test_a_date_can_be_missing(shelf) -> None:
    await shelf.put(born("p1", "2000"), patient("p2"))
    assert await shelf.find("Patient?birthdate:missing=true") == ["p2"]
    assert await shelf.find("Patient?birthdate:missing=false") == ["p1"]


@pytest.mark.parametrize(
    "value",
    ["yesterday", "2024-13", "2024-02-30", "24", "xx2024", "2024-01-01T25:00", "0000", "ge"],
)
async def test_what_is_no_date_is_refused(shelf, value: str) -> None:
    with pytest.raises(BadRequest):
        await shelf.find(f"Patient?birthdate={value}")


YEARS = st.integers(1, 9998)


@given(YEARS, st.integers(1, 12))
def test_a_month_covers_its_days(year: int, month: int) -> None:
    lo, hi = interval(f"{year:04d}-{month:02d}")
    assert hi - lo == timedelta(days=monthrange(year, month)[1])
    assert lo == datetime(year, month, 1, tzinfo=UTC)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_each_precision_lies_within_the_coarser_one(instant: datetime, minutes: int) -> None:
    sign = "-" if minutes < 0 else "+"
    zone = f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    text = instant.isoformat(timespec="microseconds")
    nested = [interval(text[:cut] + zone) for cut in (16, 19, 21, 23, 26)]
    spans = [hi - lo for lo, hi in nested]
    assert spans == [timedelta(seconds=s) for s in (60, 1, 0.1, 0.001, 0.000001)]
    assert all(a[0] <= b[0] and b[1] <= a[1] for a, b in pairwise(nested))
    assert nested[-1][0] == instant.replace(tzinfo=UTC) - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("text", "lo", "hi"),
    [
        ("9999", datetime(9999, 1, 1, tzinfo=UTC), LATEST),
        ("9999-12-31", datetime(9999, 12, 31, tzinfo=UTC), LATEST),
        ("9999-12-31T23:59:59-14:00", LATEST, LATEST),
        ("0001-01-01T00:00:00+14:00", EARLIEST, EARLIEST),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC), None),
        ("2024-01-01T10:00 02:00", datetime(2024, 1, 1, 8, tzinfo=UTC), None),
    ],
)
def test_the_edges_of_time_are_kept(text: str, lo: datetime, hi: datetime | None) -> None:
    found = interval(text)
    assert found[0] == lo
    assert hi is None or found[1] == hi
