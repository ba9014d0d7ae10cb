"""Instants and HTTP dates, in and out; all in UTC, with millisecond precision.

https://hl7.org/fhir/R4/datatypes.html#instant
"""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

from app.fhir.errors import BadRequest


@lru_cache(maxsize=256)
def to_text(instant: datetime) -> str:
    """The FHIR instant, e.g. 2026-11-22T03:04:05.123Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def from_text(text: str, parameter: str) -> datetime:
    """Parse a FHIR instant with its time zone; BadRequest names the parameter it came from."""
    try:
        instant = datetime.fromisoformat(text.replace(" ", "+"))
        if instant.tzinfo is None or "T" not in text:
            raise ValueError(parameter)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(
            f"{parameter} is not an instant; write a date, a time and a time zone,"
            " e.g. 2026-11-22T03:04:05Z.",
            code="value",
        ) from None


@lru_cache(maxsize=4096)
def to_http_date(instant: datetime) -> str:
    """The Last-Modified form. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7"""
    return format_datetime(instant.astimezone(UTC), usegmt=True)


def from_http_date(text: str) -> datetime | None:
    """Parse an HTTP date; None when it is none, since RFC 9110 says to ignore the header then."""
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
