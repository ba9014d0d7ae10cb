"""The clock of a plan: when it is reviewed and renewed, counted from the day it takes effect. Pure.

An edit never sets the clock back: what counts is the start of the plan, and each review that was
held.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from app.fhir.context import Resource
from app.fhir.instant import to_text
from app.isp.codes import CLIENT_REQUEST, ISP, LIVE_TASKS, RENEWAL, REVIEW
from app.isp.element import codes, day, days_after, last_day, months_after, name, names, period

OVERDUE, UNANSWERED = "overdue", "unanswered"
WORDS = {REVIEW: "Review of the plan", RENEWAL: "Renewal of the plan"}

Limits = Mapping[str, int]
"""The periods of a rule profile, as in `Clock.limits`."""

Tasks = list[Resource]


def due_day(task: Resource) -> date | None:
    """The last day on which a Task is to be done."""
    return period(task.get("restriction", {}).get("period"))[1]


def done_day(task: Resource) -> date | None:
    """The day on which a Task was done."""
    return period(task.get("executionPeriod"))[1] or last_day(task.get("lastModified"))


def is_asked_for(task: Resource) -> bool:
    """Whether the person or their family asked for it, rather than the calendar."""
    by_lay = any(o.startswith(("Patient/", "RelatedPerson/")) for o in names(task.get("requester")))
    return by_lay or CLIENT_REQUEST in codes(task.get("reasonCode"))


def review_due(care_plan: Resource, tasks: Tasks, limits: Limits) -> date | None:
    """The day by which the next review is held, at the latest the last day of the plan."""
    start, end = period(care_plan.get("period"))
    if start is None:
        return None
    held = (done_day(task) for task in tasks if task.get("status") == "completed")
    latest = max([start, *(on for on in held if on)])
    due = months_after(latest, limits["review_months"])
    return min(due, end) if end else due


def renewal_due(care_plan: Resource, limits: Limits) -> date | None:
    """The last day of the plan, at the latest as long after its start as a plan may run."""
    start, end = period(care_plan.get("period"))
    if start is None:
        return end
    longest = days_after(months_after(start, limits["plan_months"]), -1)
    return min(end, longest) if end else longest


def task(care_plan: Resource, kind: str, due: date, now: datetime) -> Resource:
    """The Task of a review or renewal that is due on this day, for who answers for the plan."""
    made: Resource = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "plan",
        "code": {"coding": [{"system": ISP, "code": kind}], "text": WORDS[kind]},
        "focus": {"reference": name(care_plan)},
        "for": care_plan["subject"],
        "authoredOn": to_text(now),
        "restriction": {"period": {"end": due.isoformat()}},
    }
    return made | ({"owner": care_plan["author"]} if "author" in care_plan else {})


def of_plan(care_plan: Resource, tasks: Tasks, kind: str) -> Tasks:
    """The Tasks of this kind that are about the plan."""
    return [
        one
        for one in tasks
        if kind in codes(one.get("code")) and name(care_plan) in names(one.get("focus"))
    ]


def missing(care_plan: Resource, tasks: Tasks, limits: Limits, now: datetime) -> Iterator[Resource]:
    """The Tasks that a plan in force should have and has not: its next review, its renewal."""
    reviews = of_plan(care_plan, tasks, REVIEW)
    planned = [one for one in reviews if _is_open(one) and not is_asked_for(one)]
    due = review_due(care_plan, reviews, limits)
    if due and not planned:
        yield task(care_plan, REVIEW, due, now)
    last = renewal_due(care_plan, limits)
    if last and not of_plan(care_plan, tasks, RENEWAL):
        yield task(care_plan, RENEWAL, last, now)


def marked(one: Resource, limits: Limits, today: date) -> Resource | None:
    """An open Task with the mark that its time has come to; None where it bears it already."""
    mark = _mark(one, limits, today)
    if not _is_open(one) or mark is None or mark in codes(one.get("businessStatus")):
        return None
    return {**one, "businessStatus": {"coding": [{"system": ISP, "code": mark}]}}


def _mark(one: Resource, limits: Limits, today: date) -> str | None:
    asked, due = day(one.get("authoredOn")), due_day(one)
    if is_asked_for(one):
        is_waiting = one.get("status") in ("requested", "received")
        late = asked is not None and asked < days_after(today, -limits["request_days"])
        return UNANSWERED if is_waiting and late else None
    return OVERDUE if due and due < today else None


def _is_open(one: dict[str, Any]) -> bool:
    return one.get("status") in LIVE_TASKS
