"""Elements of valid resources: what is absent reads as empty, and never fails."""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import MAXYEAR, MINYEAR, date
from functools import lru_cache
from typing import Any

from app.fhir.context import Resource

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_NAME = re.compile(r"([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]+))?\Z")


def name(resource: Resource) -> str:
    """Type/id, as references write it."""
    return f"{resource['resourceType']}/{resource.get('id', '')}"


def listed(value: Any) -> list[Any]:
    """The items of an element, whether it repeats or not."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def members(value: Any) -> list[dict[str, Any]]:
    """The items of an element that are objects."""
    return [item for item in listed(value) if isinstance(item, dict)]


def codes(concepts: Any) -> frozenset[str]:
    """The codes of CodeableConcepts, Codings, or lists of either."""
    found: set[str] = set()
    for concept in members(concepts):
        for coding in members(concept.get("coding", concept)):
            if isinstance(coding.get("code"), str):
                found.add(coding["code"])
    return frozenset(found)


def texts(concepts: Any) -> str:
    """What CodeableConcepts say in words, in lower case."""
    said = [concept.get("text", "") for concept in members(concepts)]
    said += [c.get("display", "") for one in members(concepts) for c in members(one.get("coding"))]
    return " ".join(said).lower()


@lru_cache(maxsize=8192)
def _split(reference: str) -> tuple[str, str | None] | None:
    found = _NAME.match(reference)
    return (found[1], found[2]) if found else None


def names(references: Any) -> list[str]:
    """The Type/id that References point to, without versions; others are left out."""
    return [target for target, _ in versioned(references)]


def versioned(references: Any) -> list[tuple[str, str | None]]:
    """Type/id and version of what References point to."""
    given = (one.get("reference") for one in members(references))
    found = (_split(text) for text in given if isinstance(text, str))
    return [pair for pair in found if pair is not None]


def extensions(element: Any, tail: str) -> Iterator[dict[str, Any]]:
    """The extensions whose url ends in this name, wherever the name was published."""
    for one in members(element.get("extension")):
        if str(one.get("url", "")).rpartition("/")[2] == tail:
            yield one


def inner(extension: dict[str, Any], url: str) -> dict[str, Any]:
    """The part of a complex extension with this url, {} without."""
    return next((one for one in members(extension.get("extension")) if one.get("url") == url), {})


def choice(element: dict[str, Any], stem: str) -> Iterable[str]:
    """The names under which a choice element such as detail[x] is present."""
    return [
        key for key in element if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper()
    ]


@lru_cache(maxsize=4096)
def day(text: str | None) -> date | None:
    """The first day that a FHIR date, dateTime or instant covers; None for anything else."""
    return _day(text, is_last=False)


@lru_cache(maxsize=4096)
def last_day(text: str | None) -> date | None:
    """The last day that a FHIR date, dateTime or instant covers."""
    return _day(text, is_last=True)


def _day(text: str | None, *, is_last: bool) -> date | None:
    found = _DATE.match(text or "")
    if not found:
        return None
    year, month, number = (int(part or 0) for part in found.groups())
    month = month or (12 if is_last else 1)
    number = number or (monthrange(year, month)[1] if is_last else 1)
    return date(year, month, number)


def period(element: Any) -> tuple[date | None, date | None]:
    """The first and the last day of a Period, None where it is open."""
    given = element if isinstance(element, dict) else {}
    return day(given.get("start")), last_day(given.get("end"))


def covers(element: Any, today: date) -> bool:
    """Whether a Period holds this day; a Period that is absent is open at both ends."""
    start, end = period(element)
    return (start is None or start <= today) and (end is None or today <= end)


def months_after(start: date, months: int) -> date:
    """The same day so many months on, or the last one of a shorter month; at most `date.max`."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        return date.max if months > 0 else date.min
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def days_after(start: date, days: int) -> date:
    """The day so many days on, or before; at most `date.max`."""
    return date.fromordinal(min(max(start.toordinal() + days, 1), date.max.toordinal()))
