"""The worklist: which reviews are due by a day, and in which order. Pure."""

from datetime import date

from app.fhir.context import Resource
from app.isp.codes import CLIENT_REQUEST, ISP, LIVE_TASKS, RENEWAL, REVIEW
from app.isp.element import codes, day, period

OPEN_REVIEWS = (
    ("code", ",".join(f"{ISP}|{code}" for code in (REVIEW, RENEWAL))),
    ("status", ",".join(sorted(LIVE_TASKS))),
)
"""The search for Tasks that find what can be due."""


def due_on(task: Resource) -> date | None:
    """The day from which a review stands in the worklist.

    What the person asked for is due when they ask; what was scheduled, on the last day it may be
    held.
    """
    if CLIENT_REQUEST in codes(task.get("reasonCode")):
        return day(task.get("authoredOn"))
    return period(task.get("restriction", {}).get("period"))[1]


def is_due(task: Resource, by: date) -> bool:
    """Whether a review is due on this day, or was before."""
    on = due_on(task)
    return on is not None and on <= by
