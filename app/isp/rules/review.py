"""The clock: reviews scheduled, done, in time; the year; requests answered (C53-C57)."""

from collections.abc import Iterator
from datetime import date

from app.fhir.context import Resource
from app.isp import codes as code
from app.isp.element import (
    day,
    days_after,
    members,
    months_after,
    name,
    names,
    period,
)
from app.isp.plan import Plan
from app.isp.rules.rule import Clock, Place, Rule, at
from app.isp.schedule import done_day, due_day, is_asked_for


def _reviews(plan: Plan, status: frozenset[str]) -> list[Resource]:
    return [
        task
        for task in plan.tasks_of(code.REVIEW)
        if task.get("status") in status and plan.name in names(task.get("focus"))
    ]


def unscheduled(plan: Plan, clock: Clock) -> Iterator[Place]:
    """No review is open that is due in time, counted from the last one or from the start."""
    start = period(plan.care_plan.get("period"))[0]
    if not plan.is_current or start is None:
        return
    done = [done_day(task) for task in _reviews(plan, frozenset({"completed"}))]
    latest = max([start, *(on for on in done if on)])
    limit = months_after(latest, clock.limits["review_months"])
    planned = [one for one in _reviews(plan, code.LIVE_TASKS) if not is_asked_for(one)]
    if not any(due and due <= limit for due in map(due_day, planned)):
        yield at(plan.care_plan)


def too_long(plan: Plan, clock: Clock) -> Iterator[Place]:
    """The plan has no end, or runs longer than a plan may."""
    start, end = period(plan.care_plan.get("period"))
    if end is None or (start and end > months_after(start, clock.limits["plan_months"])):
        yield at(plan.care_plan, "period.end")


def late(plan: Plan, clock: Clock) -> Iterator[Place]:
    """A review, or the whole plan, is past its day."""
    for task in _reviews(plan, code.LIVE_TASKS):
        due = due_day(task)
        if plan.is_current and due and due < clock.today:
            yield at(task, "restriction.period.end")
    end = period(plan.care_plan.get("period"))[1]
    if plan.is_current and end and end < clock.today:
        yield at(plan.care_plan, "period.end")


def superficial(plan: Plan, _: Clock) -> Iterator[Place]:
    """A review was done without a word on one of the goals of that day."""
    for task in _reviews(plan, frozenset({"completed"})):
        on = done_day(task)
        forms = _forms(plan, task)
        said = {word for form in forms for word in _mentioned(form)}
        pursued = {name(goal) for goal in plan.goals if _was_pursued(goal, on)}
        if pursued - said:
            yield at(forms[0] if forms else task, "item" if forms else "output")


def _forms(plan: Plan, task: Resource) -> list[Resource]:
    outputs = [value for one in members(task.get("output")) for value in names(_value(one))]
    found = [plan.resources[one] for one in outputs if one in plan.resources]
    return [one for one in found if one["resourceType"] == "QuestionnaireResponse"]


def _value(output: Resource) -> object:
    return output.get("valueReference")


def _mentioned(element: Resource) -> Iterator[str]:
    """The goals that a review form names, at any depth."""
    for item in members(element.get("item")):
        yield f"Goal/{item.get('linkId', '')}"
        for answer in members(item.get("answer")):
            yield from names(answer.get("valueReference"))
            yield from _mentioned(answer)
        yield from _mentioned(item)


def _was_pursued(goal: Resource, on: date | None) -> bool:
    start, changed = day(goal.get("startDate")), day(goal.get("statusDate"))
    if on is None or (start and start > on):
        return False
    is_live = goal.get("lifecycleStatus") in code.LIVE_GOALS
    return is_live or bool(changed and changed > on)


def unanswered(plan: Plan, clock: Clock) -> Iterator[Place]:
    """The person or their family asked for a review, and nobody has taken it up."""
    since = days_after(clock.today, -clock.limits["request_days"])
    for task in _reviews(plan, frozenset({"requested", "received"})):
        asked = day(task.get("authoredOn"))
        if is_asked_for(task) and asked and asked < since:
            yield at(task, "status")


RULES = (
    Rule(
        "C53",
        "review",
        unscheduled,
        "R68 R74 · 42 CFR 441.301(c)(3)",
        "Schedule the next review of the plan, at most {review_months} months after the last.",
    ),
    Rule(
        "C54",
        "review",
        too_long,
        "R69 · 42 CFR 441.301(c)(3)",
        "Let the plan end at most {plan_months} months after it starts; then write a new one.",
    ),
    Rule(
        "C55",
        "review",
        late,
        "R68 R69",
        "Hold the review that is due, or renew the plan.",
    ),
    Rule(
        "C56",
        "review",
        superficial,
        "R72",
        "Write down in the review, for every goal: progress, changes, obstacles.",
    ),
    Rule(
        "C57",
        "review",
        unanswered,
        "R71 · 42 CFR 441.301(c)(1)(viii)",
        "Answer this request for a review: it has waited more than {request_days} days.",
    ),
)
