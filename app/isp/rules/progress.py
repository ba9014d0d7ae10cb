"""Progress: notes on goals, and notes that name a goal (C61, C62)."""

from collections.abc import Iterator
from datetime import date

from app.fhir.context import Resource
from app.isp import codes as code
from app.isp.element import codes, covers, day, days_after, members, name, names
from app.isp.plan import Plan
from app.isp.rules.rule import Clock, Place, Rule, at


def silent_goals(plan: Plan, clock: Clock) -> Iterator[Place]:
    """Nobody wrote a word about an active goal, or a step to it, for too long."""
    since = days_after(clock.today, -clock.limits["note_days"])
    for goal in plan.goals if plan.is_current else ():
        started = day(goal.get("startDate"))
        if goal.get("lifecycleStatus") == "active" and (started is None or started < since):
            own = (goal, *(plan.resources[s] for s, to in plan.steps.items() if to == name(goal)))
            if not any(on and on >= since for one in own for on in _spoken(plan, one)):
                yield at(goal, "note")


def _spoken(plan: Plan, goal: Resource) -> Iterator[date | None]:
    """The days on which something was written about a goal."""
    own = name(goal)
    for note in members(goal.get("note")):
        yield day(note.get("time"))
    for one in plan.of("DocumentReference"):
        if own in names(one.get("context", {}).get("related")):
            yield day(one.get("date"))
    for one in plan.of("Observation"):
        if own in names(one.get("focus")):
            yield day(one.get("effectiveDateTime"))
    for one in plan.get(goal.get("outcomeReference")):
        yield day(one.get("effectiveDateTime") or one.get("date"))
    yield from _progress(plan, own)


def _progress(plan: Plan, goal: str) -> Iterator[date | None]:
    serving = {service.name for service in plan.services if goal in service.goals}
    for care_plan in plan.whole:
        for activity in members(care_plan.get("activity")):
            if serving & set(names(activity.get("reference"))):
                for note in members(activity.get("progress")):
                    yield day(note.get("time"))


def aimless_notes(plan: Plan, clock: Clock) -> Iterator[Place]:
    """A progress note from the time of the plan names no goal of this person."""
    for one in plan.of("DocumentReference"):
        on = day(one.get("date"))
        if not codes(one.get("type")) & code.PROGRESS_NOTES or one.get("status") != "current":
            continue
        if on is None or not covers(plan.care_plan.get("period"), on):
            continue
        related = names(one.get("context", {}).get("related"))
        if not any(target.startswith("Goal/") for target in related):
            yield at(one, "context.related")


RULES = (
    Rule(
        "C61",
        "progress",
        silent_goals,
        "R64 R65 · 14 NYCRR 595.11",
        "Write a word on how this goal goes: the last one is more than {note_days} days old.",
    ),
    Rule(
        "C62",
        "progress",
        aimless_notes,
        "R65",
        "Name in the note the goal that it is about.",
    ),
)
