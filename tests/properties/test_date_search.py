"""Dates in other time zones, approximate dates and Timings are found as a plain reading says."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.fhir.search.parameters.date import LATEST
from tests.build import reference
from tests.conftest import CLEAN
from tests.fhir.search.conftest import Shelf
from tests.properties.test_search import ORIGIN, Instants, matches

ZONES = st.sampled_from([-720, -300, 0, 60, 330, 840])
PREFIXES = st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
QUICK = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def instants(draw: st.DrawFn) -> tuple[str, Instants]:
    """A dateTime with a time zone, to the minute or second, and the range it covers."""
    minutes = draw(st.integers(0, 180))
    zone = timezone(timedelta(minutes=draw(ZONES)))
    start = ORIGIN + timedelta(minutes=minutes)
    here = start.astimezone(zone)
    offset = here.strftime("%z")
    text = here.strftime("%Y-%m-%dT%H:%M:%S") + f"{offset[:3]}:{offset[3:]}"
    return text, (start, start + timedelta(seconds=1))


@st.composite
def timings(draw: st.DrawFn) -> tuple[dict[str, Any], Instants | None]:
    """A Timing with events, with bounds, with both or neither, and its outer limits."""
    events = draw(st.lists(instants(), max_size=3))
    found: dict[str, Any] = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    ranges = [covered for _, covered in events]
    if events:
        found["event"] = [text for text, _ in events]
    if draw(st.booleans()):
        start, end = sorted((draw(instants()), draw(instants())), key=lambda each: each[1])
        found["repeat"]["boundsPeriod"] = {"start": start[0]}
        hi = LATEST
        if draw(st.booleans()):
            found["repeat"]["boundsPeriod"]["end"], hi = end[0], end[1][1]
        ranges.append((start[1][0], hi))
    if not ranges:
        return found, None
    return found, (min(lo for lo, _ in ranges), max(hi for _, hi in ranges))


def holds(prefix: str, target: Instants, search: Instants) -> bool:
    """`matches`, and for ap a tenth of the distance from now to either side."""
    if prefix != "ap":
        return matches(prefix, target, search)
    margin = abs(datetime.now(UTC) - search[0]) / 10
    return target[0] < search[1] + margin and target[1] > search[0] - margin


def encoded(text: str) -> str:
    return text.replace("+", "%2B")


def service(id_: str, timing: dict[str, Any]) -> dict[str, Any]:
    head = {"resourceType": "ServiceRequest", "id": id_, "status": "active", "intent": "order"}
    return head | {"subject": reference("Patient/ada"), "occurrenceTiming": timing}


def observation(id_: str, instant: str) -> dict[str, Any]:
    head = {"resourceType": "Observation", "id": id_, "status": "final", "code": {"text": "x"}}
    return head | {"subject": reference("Patient/ada"), "effectiveDateTime": instant}


@QUICK
@given(
    kept=st.lists(timings(), min_size=1, max_size=5),
    asked=st.lists(st.tuples(PREFIXES, instants()), min_size=1, max_size=3),
)
async def test_the_outer_limits_of_a_timing_are_compared(
    database: Any, kept: list[Any], asked: list[Any]
) -> None:
    await database.execute(CLEAN)
    shelf = Shelf(database)
    await shelf.put(*(service(f"s{at}", timing) for at, (timing, _) in enumerate(kept)))
    for prefix, (text, search) in asked:
        expected = {f"s{at}" for at, (_, to) in enumerate(kept) if to and holds(prefix, to, search)}
        url = f"ServiceRequest?occurrence={prefix}{encoded(text)}"
        assert set(await shelf.find(url)) == expected


@QUICK
@given(
    kept=st.lists(instants(), min_size=1, max_size=6),
    asked=st.lists(st.tuples(PREFIXES, instants()), min_size=1, max_size=3),
    sort=st.sampled_from(["", "&_sort=date", "&_sort=-date"]),
)
async def test_an_instant_is_the_same_in_every_time_zone(
    database: Any, kept: list[Any], asked: list[Any], sort: str
) -> None:
    await database.execute(CLEAN)
    shelf = Shelf(database)
    await shelf.put(*(observation(f"o{at}", text) for at, (text, _) in enumerate(kept)))
    for prefix, (text, search) in asked:
        expected = {f"o{at}" for at, (_, to) in enumerate(kept) if holds(prefix, to, search)}
        found = await shelf.find(f"Observation?date={prefix}{encoded(text)}{sort}")
        assert set(found) == expected
        assert len(found) == len(expected)
