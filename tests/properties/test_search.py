"""Searching the database finds what a plain reading of the specification finds."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.fhir.search.parameters.date import EARLIEST, LATEST
from tests.build import care_plan
from tests.conftest import CLEAN
from tests.fhir.search.conftest import Shelf

Instants = tuple[datetime, datetime]
ORIGIN = datetime(2024, 2, 27, 22, tzinfo=UTC)

PRECISIONS = {
    "%Y": lambda t: t.replace(year=t.year + 1, month=1, day=1, hour=0, minute=0),
    "%Y-%m": lambda t: (t.replace(day=1, hour=0, minute=0) + timedelta(days=31)).replace(day=1),
    "%Y-%m-%d": lambda t: t.replace(hour=0, minute=0) + timedelta(days=1),
    "%Y-%m-%dT%H:%MZ": lambda t: t + timedelta(minutes=1),
}
"""Each format, and where the range of a text in it ends."""

STARTS = {"%Y": {"month": 1, "day": 1}, "%Y-%m": {"day": 1}, "%Y-%m-%d": {}}


@st.composite
def dates(draw: st.DrawFn) -> tuple[str, Instants]:
    """A date as text, and the range it covers."""
    instant = ORIGIN + timedelta(hours=draw(st.integers(0, 60)), minutes=draw(st.integers(0, 1)))
    form = draw(st.sampled_from(sorted(PRECISIONS)))
    end = PRECISIONS[form](instant)
    start = instant
    if form in STARTS:
        start = instant.replace(hour=0, minute=0, **STARTS[form])
    return instant.strftime(form), (start, end)


@st.composite
def periods(draw: st.DrawFn) -> tuple[dict[str, str], Instants]:
    """A Period, perhaps open, and the range it covers."""
    first, last = sorted((draw(dates()), draw(dates())), key=lambda each: each[1][1])
    period, (lo, hi) = {}, (EARLIEST, LATEST)
    if draw(st.booleans()):
        period["start"], (lo, _) = stored(first[0]), first[1]
    if draw(st.booleans()) or not period:
        period["end"], (_, hi) = stored(last[0]), last[1]
    return period, (lo, hi)


def stored(text: str) -> str:
    """Resources write the seconds; searches need not."""
    return text.replace("Z", ":00Z") if text.endswith("Z") else text


def matches(prefix: str, target: Instants, search: Instants) -> bool:
    """https://hl7.org/fhir/R4/search.html#prefix, sentence by sentence."""
    contained = search[0] <= target[0] and target[1] <= search[1]
    above, below = target[1] > search[1], target[0] < search[0]
    return {
        "eq": contained,
        "ne": not contained,
        "gt": above,
        "lt": below,
        "ge": above or contained,
        "le": below or contained,
        "sa": target[0] >= search[1],
        "eb": target[1] <= search[0],
    }[prefix]


PREFIXES = st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kept=st.lists(periods(), min_size=1, max_size=6),
    asked=st.lists(st.tuples(PREFIXES, dates()), min_size=1, max_size=3),
    sort=st.sampled_from(["", "&_sort=date", "&_sort=-date", "&_sort=activity-date"]),
)
async def test_dates_are_compared_as_the_specification_says(
    database: Any, kept: list[Any], asked: list[Any], sort: str
) -> None:
    await database.execute(CLEAN)
    shelf = Shelf(database)
    await shelf.put(*(care_plan(id_=f"p{at}", period=p) for at, (p, _) in enumerate(kept)))
    for prefix, (text, search) in asked:
        expected = {f"p{at}" for at, (_, to) in enumerate(kept) if matches(prefix, to, search)}
        assert set(await shelf.find(f"CarePlan?date={prefix}{text}{sort}")) == expected
    both = "&".join(f"date={prefix}{text}" for prefix, (text, _) in asked)
    expected = {
        f"p{at}"
        for at, (_, to) in enumerate(kept)
        if all(matches(prefix, to, search) for prefix, (_, search) in asked)
    }
    assert set(await shelf.find(f"CarePlan?{both}{sort}")) == expected
