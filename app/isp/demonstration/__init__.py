"""A demonstration: two people's complete service plans, and the people and organizations in them.

Maria Alvarez is served by Wren County Behavioral Health, with Bridgeway Care Coordination as
partner; Theo Lindqvist by Ash River Developmental Services, to which Bridgeway has no relation.
All of it is invented.
"""

import re
from datetime import date, timedelta
from importlib.resources import files

from app.fhir.context import Resource
from app.fhir.json import parse

AUTHORED = date(2026, 1, 5)
"""The day on which the dates in the files are true."""

FILES = (
    "directory",
    "maria-alvarez",
    "theo-lindqvist",
    "maria-alvarez-month-2",
    "maria-alvarez-month-4",
)
"""The bundles in loading order: each refers only to itself and to those before it."""

_DATE = re.compile(r'(?<=")(?<!"birthDate": ")\d{4}-\d{2}-\d{2}(?=["T])')


def bundles(today: date) -> list[Resource]:
    """The transaction Bundles, in loading order, as if the plans had begun four months ago.

    Dates move by whole weeks, so that meetings stay on working days; reviews are due in two months.
    """
    weeks = timedelta(weeks=(today - AUTHORED).days // 7)

    def moved(found: re.Match[str]) -> str:
        return (date.fromisoformat(found[0]) + weeks).isoformat()

    texts = ((files(__name__) / f"{name}.json").read_text("utf-8") for name in FILES)
    return [parse(_DATE.sub(moved, text).encode()) for text in texts]
