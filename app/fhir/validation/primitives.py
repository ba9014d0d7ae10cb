"""The primitive types of R4, each a check. https://hl7.org/fhir/R4/datatypes.html#primitive"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable
from datetime import date
from typing import Any

from app.fhir.json import Number
from app.fhir.validation.narrative import narrative
from app.fhir.validation.problem import FINE, MENTION, Check, Problems, problem, wrong_type

MAX_STRING = 1024 * 1024
"""Strings SHALL NOT exceed 1 MB in size."""

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
MONTH = r"(?:-(?:0[1-9]|1[0-2]))"
DAY = r"(?:-(?:0[1-9]|[12][0-9]|3[01]))"
YEAR = r"(?!0000)[0-9]{4}"


def boolean(value: Any) -> Problems:
    return FINE if type(value) is bool else wrong_type(value, "true or false")


def string(value: Any) -> Problems:
    if type(value) is not str:
        return wrong_type(value, "a string")
    if not value:
        return problem("value", "Must not be empty; leave the element out instead")
    if len(value) > MAX_STRING:
        return problem("too-long", "Must not be longer than 1 MB")
    if not value.isprintable() and CONTROL.search(value):
        return problem("value", "Must not hold control characters but tab, CR and LF")
    return FINE


def decimal(value: Any) -> Problems:
    if type(value) is Number or type(value) is int:
        return FINE
    return wrong_type(value, "a decimal number")


def whole(lowest: int, name: str) -> Check:
    """An integer of 32 bits, no lower than this."""
    highest = 2**31 - 1
    said = f"a whole number from {lowest} to {highest} ({name})"
    wrong = problem("value", f"Must be {said}")

    def check(value: Any) -> Problems:
        if type(value) is int:
            return FINE if lowest <= value <= highest else wrong
        return wrong_type(value, said) if type(value) is not Number else wrong

    return check


def matching(pattern: str, said: str) -> Check:
    """A string of this pattern; `said` completes "Must be …"."""
    match = re.compile(pattern).fullmatch

    def check(value: Any) -> Problems:
        if type(value) is str:
            return FINE if match(value) else problem("value", f"Must be {said}")
        return wrong_type(value, f"a string: {said}")

    return check


def day(check: Check) -> Check:
    """The check, and if the value goes down to the day, that day exists in the calendar."""

    def with_calendar(value: Any) -> Problems:
        found = check(value)
        if found or len(value) < 10:
            return found
        return FINE if exists(value[:10]) else problem("value", "Must be a day that exists")

    return with_calendar


def exists(iso: str) -> bool:
    """Whether "YYYY-MM-DD" is a day of the calendar."""
    try:
        date.fromisoformat(iso)
    except ValueError:
        return False
    return True


def uri(pattern: str, said: str) -> Check:
    """A uri of this pattern; one that starts with # mentions a contained resource."""
    plain, match = matching(pattern, said), re.compile(pattern).fullmatch

    def check(value: Any) -> Problems:
        if type(value) is not str:
            return plain(value)
        if match(value):
            return FINE
        return problem(MENTION, value) if value[:1] == "#" else plain(value)

    return check


def base64(value: Any) -> Problems:
    if type(value) is not str:
        return wrong_type(value, "a base64 string")
    compact = "".join(value.split())
    try:
        fine = bool(compact) and b64decode(compact, validate=True) is not None
    except (Error, ValueError):
        fine = False
    return FINE if fine else problem("value", "Must be base64")


URI = "a URI: not empty, no white space"
DATE = "a date: YYYY, YYYY-MM or YYYY-MM-DD"
DATE_TIME = f"{DATE}, or YYYY-MM-DDThh:mm:ss with a time zone (Z or +hh:mm)"
UUID = r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

PRIMITIVES: dict[str, Callable[[Any], Problems]] = {
    "base64Binary": base64,
    "boolean": boolean,
    "canonical": uri(r"[^\s#]\S*", URI),
    "code": matching(
        r"[^\s]+(?:[ ][^\s]+)*", "a code: not empty, no white space but single spaces"
    ),
    "date": day(matching(f"{YEAR}(?:{MONTH}{DAY}?)?", DATE)),
    "dateTime": day(matching(f"{YEAR}(?:{MONTH}(?:{DAY}(?:T{TIME}{ZONE})?)?)?", DATE_TIME)),
    "decimal": decimal,
    "id": matching(r"[A-Za-z0-9\-.]{1,64}", "an id: 1 to 64 characters of A-Z, a-z, 0-9, - and ."),
    "instant": day(
        matching(f"{YEAR}{MONTH}{DAY}T{TIME}{ZONE}", "an instant: YYYY-MM-DDThh:mm:ss.sss+zz:zz")
    ),
    "integer": whole(-(2**31), "integer"),
    "markdown": string,
    "oid": matching(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+", "an OID: urn:oid:1.2.3"),
    "positiveInt": whole(1, "positiveInt"),
    "string": string,
    "time": matching(TIME, "a time: hh:mm:ss"),
    "unsignedInt": whole(0, "unsignedInt"),
    "uri": uri(r"[^\s#]\S*", URI),
    "url": uri(r"[^\s#]\S*", URI),
    "uuid": matching(UUID, "a UUID in lower case: urn:uuid:…"),
    "xhtml": narrative,
}
"""The check of every primitive type."""
