"""Decisions as of a later instant: by what is on file now, of which periods begin and end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.fhir.context import Context
from app.fhir.errors import BadRequest
from app.fhir.search.parameters.date import interval

PAST = (
    "at: what is past is not decided again, since teams, roles and consents have changed since."
    " The AuditEvents of that time have what was decided, and by which Consent."
)


def instant(ctx: Context, given: Mapping[str, Any]) -> datetime | None:
    """The instant that `at` gives, of a day or a month its first that is not past; None for now.

    Raises BadRequest for the past, and for what is no time.
    """
    if "at" not in given:
        return None
    try:
        starts, ends = interval(str(given["at"]))
    except ValueError:
        raise BadRequest("at: a dateTime, as 2027-01-31.", code="value") from None
    if ends <= ctx.now:
        raise BadRequest(PAST, code="not-supported")
    return max(starts, ctx.now)
