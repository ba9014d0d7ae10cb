"""Date search: every value is the half-open range [lo, hi) of instants it covers by its precision.

https://hl7.org/fhir/R4/search.html#date, https://hl7.org/fhir/R4/search.html#prefix
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from app.fhir.errors import BadRequest
from app.fhir.search.parameters.criterion import Criterion, Over, prefixed, unescape
from app.fhir.search.parameters.keys import param

Interval = tuple[datetime, datetime]

EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)
"""What an open end of a Period stands for."""

DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    # A "+" that nobody percent-encoded arrives as a space.
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9})[0-9]*)?)?"
    r"(Z|[-+ ][0-9]{2}:[0-9]{2})?)?)?)?\Z"
)

CONDITIONS = {
    "eq": "{lo} >= {a} AND {lo} < {b} AND {hi} <= {b}",
    "ne": "({lo} < {a} OR {hi} > {b})",
    "gt": "{hi} > {b}",
    "lt": "{lo} < {a}",
    "ge": "{hi} > {a} AND ({lo} >= {a} OR {hi} > {b})",
    "le": "{lo} < {b} AND ({lo} < {a} OR {hi} <= {b})",
    "sa": "{lo} >= {b}",
    "eb": "{hi} <= {a}",
    "ap": "{lo} < {b} AND {hi} > {a}",
}
"""Each prefix over the range [lo, hi) of the resource and [a, b) of the search value.

The first terms of eq, ge and le follow from the others; they are what an index can use.
"""

INSTANT_CONDITIONS = {
    "eq": "{lo} >= {a} AND {lo} < {b}",
    "ne": "({lo} < {a} OR {lo} >= {b})",
    "gt": "{lo} >= {b}",
    "lt": "{lo} < {a}",
    "ge": "{lo} >= {a}",
    "le": "{lo} < {b}",
    "sa": "{lo} >= {b}",
    "eb": "{lo} < {a}",
    "ap": "{lo} >= {a} AND {lo} < {b}",
}
"""The same where the resource has an instant: _lastUpdated."""

OVERLAPS = {"eq": CONDITIONS["ap"]}
INSTANT_OVERLAPS = {"eq": INSTANT_CONDITIONS["ap"]}
"""`po` of _filter: the range of the resource and that of the value have an instant in common."""


@lru_cache(maxsize=8192)
def interval(text: str) -> Interval:
    """The range of instants that a date, dateTime or instant covers; local time is UTC.

    Fractions finer than microseconds are cut off. Raises ValueError.
    """
    found = DATE.match(text)
    if found is None:
        raise ValueError("not a date")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    if hour is None:
        return _calendar(int(year), int(month or 0), int(day or 0))
    if int(second or 0) > 60:
        raise ValueError("no such second")
    start = datetime(int(year), int(month), int(day), int(hour), int(minute), tzinfo=UTC)
    since = timedelta(
        seconds=int(second or 0), microseconds=int((fraction or "")[:6].ljust(6, "0"))
    )
    lo = _plus(start, since - _offset(zone))
    return lo, _plus(start, since - _offset(zone) + _step(second, fraction))


def _calendar(year: int, month: int, day: int) -> Interval:
    lo = datetime(year, month or 1, day or 1, tzinfo=UTC)
    if day:
        return lo, _plus(lo, timedelta(days=1))
    if month and month < 12:
        return lo, lo.replace(month=month + 1)
    return lo, lo.replace(year=year + 1, month=1) if year < 9999 else LATEST


def _step(second: str | None, fraction: str | None) -> timedelta:
    if second is None:
        return timedelta(minutes=1)
    return timedelta(microseconds=10 ** (6 - min(len(fraction or ""), 6)))


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return -size if zone[0] == "-" else size


def _plus(instant: datetime, delta: timedelta) -> datetime:
    try:
        return instant + delta
    except OverflowError:
        return LATEST if delta > timedelta() else EARLIEST


def extract(elements: Iterable[tuple[str, Any]]) -> Iterator[Interval]:
    """The range of every date, Period or Timing; what cannot be read is not indexed."""
    for type_, value in elements:
        try:
            found = _interval(type_, value)
        except ValueError:
            continue
        if found is not None and found[0] < found[1]:
            yield found


def _interval(type_: str, value: Any) -> Interval | None:
    if isinstance(value, str):
        return interval(value)
    if type_ == "Period":
        return _period(value)
    if type_ == "Timing":
        return _timing(value)
    return None


def _period(value: Any) -> Interval:
    """From the start of `start` to the end of `end`; an absent end is open."""
    lo = interval(value["start"])[0] if "start" in value else EARLIEST
    hi = interval(value["end"])[1] if "end" in value else LATEST
    return lo, hi


def _timing(value: Any) -> Interval | None:
    """The outer limits: events and bounds; a schedule without any covers no time that is known."""
    parts = [interval(event) for event in value.get("event", ()) if event is not None]
    bounds = value.get("repeat", {}).get("boundsPeriod")
    if bounds is not None:
        parts.append(_period(bounds))
    if not parts:
        return None
    return min(lo for lo, _ in parts), max(hi for _, hi in parts)


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: a range of the row stands to one of the values as its prefix says."""
    number = param(criterion.type, criterion.parameter.code)
    return (
        f"EXISTS (SELECT FROM index_date AS d WHERE d.rid = {over.alias}.rid"
        f" AND d.param = {number} AND {comparison(criterion, 'd', over)})"
    )


def comparison(criterion: Criterion, index: str, over: Over) -> str:
    """SQL: the range in this row of index_date stands to one of the values as its prefix says."""
    columns = f"{index}.lo", f"{index}.hi"
    conditions = OVERLAPS if criterion.modifier == "po" else CONDITIONS
    tests = [_test(conditions, value, columns, over) for value in criterion.values]
    return f"({' OR '.join(tests)})"


def instant_predicate(column: str, criterion: Criterion, over: Over) -> str:
    """SQL: an instant column of the row stands to one of the values as its prefix says."""
    name = f"{over.alias}.{column}"
    conditions = INSTANT_OVERLAPS if criterion.modifier == "po" else INSTANT_CONDITIONS
    tests = [_test(conditions, value, (name, name), over) for value in criterion.values]
    return f"({' OR '.join(tests)})"


def _test(conditions: dict[str, str], value: str, columns: tuple[str, str], over: Over) -> str:
    prefix, text = prefixed(unescape(value))
    try:
        a, b = interval(text if prefix in conditions else value)
    except ValueError:
        raise BadRequest(
            "A date is written yyyy[-mm[-dd[Thh:mm[:ss[.fff]][Z|±hh:mm]]]], after one of the"
            f" prefixes {', '.join(conditions)} or none."
        ) from None
    if prefix == "ap":
        a, b = _around(a, b)
    condition = conditions[prefix]
    bounds = {
        "a": over.args.add(a, "timestamptz") if "{a}" in condition else "",
        "b": over.args.add(b, "timestamptz") if "{b}" in condition else "",
    }
    return f"({condition.format(lo=columns[0], hi=columns[1], **bounds)})"


def _around(a: datetime, b: datetime) -> Interval:
    """The range widened by a tenth of its distance from now, as the specification recommends."""
    margin = abs(datetime.now(UTC) - a) / 10
    return _plus(a, -margin), _plus(b, margin)
