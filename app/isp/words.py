"""Words: the labels of one language, and FHIR's data types said in it. Pure.

The catalogues are messages/*.json; what a person wrote stays as they wrote it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from app.isp.element import codes, day, members

FOLDER = Path(__file__).with_name("messages")
LANGUAGES = ("en", "es")
RANGE = re.compile(
    r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*\Z"
)
"""https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4"""


@dataclass(frozen=True, slots=True)
class Words:
    """The messages of one language by key; call it with a key and what fills its braces."""

    language: str
    messages: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        return self.messages[key].format_map(values)

    def of(self, group: str, code: object) -> str:
        """The word for a code, or the code itself where the catalogue has none."""
        return self.messages.get(f"{group}.{code}", str(code).replace("-", " "))

    def day(self, value: date | str | None) -> str:
        """A day, as in "March 2, 2026"; of a part of a date what it says."""
        if isinstance(value, str):
            parts = value[:10].split("-")
            if len(parts) < 3:
                return self._part(parts)
        found = value if isinstance(value, date) else day(value)
        if found is None:
            return ""
        month = self(f"month.{found.month}")
        return self("day", day=found.day, month=month, year=found.year)

    def _part(self, parts: list[str]) -> str:
        if len(parts) == 1:
            return parts[0]
        return self("month-of-year", month=self(f"month.{int(parts[1])}"), year=parts[0])

    def concept(self, value: Any, group: str = "") -> str:
        """A CodeableConcept in words: its text, our word for its code, or its display."""
        for one in members(value):
            if one.get("text"):
                return str(one["text"])
            known = [key for key in sorted(codes(one)) if f"{group}.{key}" in self.messages]
            if known:
                return self.of(group, known[0])
            for coding in members(one.get("coding")):
                return str(coding.get("display") or coding.get("code", ""))
        return ""

    def quantity(self, value: Any) -> str:
        """A Quantity or a number, such as "20 hours per week"."""
        if not isinstance(value, dict):
            return "" if value is None else number(value)
        unit = value.get("unit") or value.get("code") or ""
        mark = value.get("comparator", "")
        return f"{mark} {number(value.get('value'))} {unit}".strip()

    def ratio(self, value: Any) -> str:
        """A Ratio of units to an interval: "8 15-minute units a week"."""
        above, below = value.get("numerator", {}), value.get("denominator", {})
        unit = self.of("unit", below.get("code") or below.get("unit", ""))
        is_one = number(below.get("value", 1)) == "1"
        key = "ratio.one" if is_one else "ratio.many"
        return self(key, much=self.quantity(above), count=number(below.get("value")), unit=unit)

    def timing(self, value: Any) -> str:
        """How often, and how long each time: "once a week, 2 hours each time"."""
        repeat = value.get("repeat", {})
        said = [self._often(repeat), self._each(repeat)]
        coded = self.concept(value.get("code"), "timing")
        return ", ".join(one for one in [*said, coded] if one)

    def _often(self, repeat: Mapping[str, Any]) -> str:
        if "frequency" not in repeat and "period" not in repeat:
            return self("times", count=number(repeat["count"])) if "count" in repeat else ""
        count, period = repeat.get("frequency", 1), repeat.get("period", 1)
        times = self("once") if count == 1 else self("times", count=number(count))
        unit = str(repeat.get("periodUnit", "d"))
        if number(period) == "1":
            return self("every.one", times=times, unit=self.of("unit", unit))
        return self("every.many", times=times, count=number(period), unit=self.of("units", unit))

    def _each(self, repeat: Mapping[str, Any]) -> str:
        if "duration" not in repeat:
            return ""
        count, unit = repeat["duration"], str(repeat.get("durationUnit", "h"))
        group = "unit" if count == 1 else "units"
        return self("each", long=f"{number(count)} {self.of(group, unit)}")

    def span(self, start: date | None, end: date | None) -> str:
        """From one day to another, or what is known of it."""
        if start and end:
            return self("span", start=self.day(start), end=self.day(end))
        if start:
            return self("span.start", start=self.day(start))
        return self("span.end", end=self.day(end)) if end else ""


def number(value: object) -> str:
    """A number as it was written, without the point of a whole one."""
    text = str(value) if value is not None else ""
    return text.removesuffix(".0")


def display_name(resource: Mapping[str, Any]) -> str:
    """What a person or organization is called; usual names after official ones."""
    found = resource.get("name")
    if isinstance(found, str):
        return found
    for one in sorted(members(found), key=lambda n: n.get("use") != "official"):
        whole = [*one.get("given", []), one.get("family", "")]
        return str(one.get("text") or " ".join(part for part in whole if part))
    return ""


def phones(telecom: Any) -> str:
    """The phone numbers, comma by comma."""
    found = [one for one in members(telecom) if one.get("system") in ("phone", "sms")]
    return ", ".join(str(one["value"]) for one in found if "value" in one)


@cache
def words(language: str) -> Words:
    """The words of a language of LANGUAGES."""
    return Words(language, json.loads((FOLDER / f"{language}.json").read_text("utf-8")))


def chosen(asked: str | None, header: str, person: Any) -> Words:
    """The words to use: as a parameter says, else Accept-Language, else what the person speaks."""
    spoken = sorted(members(person), key=lambda one: not one.get("preferred"))
    wishes = [asked or "", *_ranges(header)]
    wishes += [code for one in spoken for code in codes(one.get("language"))]
    for wish in wishes:
        if wish.lower().partition("-")[0] in LANGUAGES:
            return words(wish.lower().partition("-")[0])
    return words(LANGUAGES[0])


def _ranges(header: str) -> list[str]:
    found = [RANGE.match(part) for part in header.split(",")]
    known = [(float(one[2] or 1), one[1]) for one in found if one]
    return [code for weight, code in sorted(known, key=lambda k: -k[0]) if weight > 0]
