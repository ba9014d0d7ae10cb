"""Goals: in the person's voice, measurable, in steps, each with something done for it."""

from collections.abc import Iterator
from datetime import date

from app.fhir.context import Resource
from app.isp.element import (
    choice,
    codes,
    day,
    extensions,
    inner,
    last_day,
    members,
    months_after,
    name,
    names,
    period,
)
from app.isp.plan import Plan
from app.isp.rules.rule import Clock, Place, Rule, at

MEASURABLE = frozenset({"Quantity", "Range", "CodeableConcept", "Boolean", "Integer", "Ratio"})
ENDS_WELL = frozenset({"achieved", "sustaining"})


def unmeasurable(plan: Plan, _: Clock) -> Iterator[Place]:
    """Nobody could tell when the goal is reached: no measure, no value, or no day."""
    for goal in plan.live_goals:
        targets = members(goal.get("target"))
        if not targets:
            yield at(goal, "target")
        for index, target in enumerate(targets):
            if "measure" not in target:
                yield at(goal, f"target[{index}].measure")
            if not {key.removeprefix("detail") for key in choice(target, "detail")} & MEASURABLE:
                yield at(goal, f"target[{index}].detail")
            if not list(choice(target, "due")):
                yield at(goal, f"target[{index}].due")


def no_baseline(plan: Plan, _: Clock) -> Iterator[Place]:
    """Where the person stands at the start is not written down."""
    for goal in plan.live_goals:
        observed = any(one.startswith("Observation/") for one in names(goal.get("addresses")))
        if not observed and not any(extensions(goal, "goal-baseline")):
            yield at(goal, "extension.where(url.endsWith('goal-baseline'))")


def no_achievement(plan: Plan, _: Clock) -> Iterator[Place]:
    """How the goal goes is not said."""
    for goal in plan.goals:
        if goal.get("lifecycleStatus") == "active" and "achievementStatus" not in goal:
            yield at(goal, "achievementStatus")


def no_domain(plan: Plan, _: Clock) -> Iterator[Place]:
    """Which part of life the goal is about is not said."""
    for goal in plan.live_goals:
        if not goal.get("category"):
            yield at(goal, "category")


def no_steps(plan: Plan, clock: Clock) -> Iterator[Place]:
    """A long-term goal has no step that is due before it."""
    for goal in plan.live_goals:
        if name(goal) in plan.steps or _is_short(goal, clock.limits["short_goal_months"]):
            continue
        due = goal_due(goal)
        steps = [plan.resources.get(step) for step, to in plan.steps.items() if to == name(goal)]
        dues = [goal_due(step) for step in steps if step is not None]
        if not any(own is not None and (due is None or own < due) for own in dues):
            yield at(goal, "target.due")


def goal_due(goal: Resource) -> date | None:
    """The last day on which the goal is due; None where no target says one."""
    dues = [last_day(target.get("dueDate")) for target in members(goal.get("target"))]
    return max((due for due in dues if due), default=None)


def _is_short(goal: Resource, months: int) -> bool:
    start, due = day(goal.get("startDate")), goal_due(goal)
    return bool(start and due and due <= months_after(start, months))


def circling(plan: Plan, _: Clock) -> Iterator[Place]:
    """A goal is a step towards itself, or belongs to somebody else."""
    own = names(plan.care_plan.get("subject"))
    for goal in plan.goals:
        seen, target = {name(goal)}, plan.steps.get(name(goal))
        while target is not None and target not in seen:
            seen.add(target)
            target = plan.steps.get(target)
        if target == name(goal):
            yield at(goal, "extension.where(url.endsWith('goal-relationship'))")
        if names(goal.get("subject")) != own:
            yield at(goal, "subject")


def not_their_own(plan: Plan, _: Clock) -> Iterator[Place]:
    """No goal at all, or none that the person or their representative expressed."""
    voices = [one for goal in plan.goals for one in names(goal.get("expressedBy"))]
    if not any(one.startswith(("Patient/", "RelatedPerson/")) for one in voices):
        yield at(plan.care_plan, "goal")


def unaccepted(plan: Plan, _: Clock) -> Iterator[Place]:
    """Nobody asked whether the person agrees, or they do not and nothing says why."""
    for goal in plan.live_goals:
        said = [
            inner(one, "status").get("valueCode") for one in extensions(goal, "goal-acceptance")
        ]
        rejected = any(extensions(goal, "goal-reason-rejected")) or goal.get("statusReason")
        if not said or ("disagree" in said and not (rejected or goal.get("note"))):
            yield at(goal, "extension.where(url.endsWith('goal-acceptance'))")


def outside(plan: Plan, _: Clock) -> Iterator[Place]:
    """The goal is due when the plan has ended, or before it begins."""
    start, end = period(plan.care_plan.get("period"))
    for goal in plan.live_goals:
        for index, target in enumerate(members(goal.get("target"))):
            due = last_day(target.get("dueDate"))
            if due and ((end and due > end) or (start and due < start)):
                yield at(goal, f"target[{index}].due")


def overdue(plan: Plan, clock: Clock) -> Iterator[Place]:
    """The day has passed and the goal is not reached yet: something to talk about."""
    for goal in plan.live_goals:
        if codes(goal.get("achievementStatus")) & ENDS_WELL:
            continue
        for index, target in enumerate(members(goal.get("target"))):
            due = last_day(target.get("dueDate"))
            if due and due < clock.today:
                yield at(goal, f"target[{index}].due")


def unserved(plan: Plan, _: Clock) -> Iterator[Place]:
    """Nothing is done for the goal: neither for itself nor for its steps or what it leads to."""
    served = set(plan.serving())
    served |= {plan.steps[goal] for goal in served if goal in plan.steps}
    for goal in plan.live_goals:
        if name(goal) not in served and plan.steps.get(name(goal)) not in served:
            yield at(goal)


def aimless(plan: Plan, _: Clock) -> Iterator[Place]:
    """Something is done, and for neither a goal nor a need."""
    for service in plan.live_services:
        if not service.goals and not service.reasons:
            yield at(service.resource, service.path)


def unlinked(plan: Plan, clock: Clock) -> Iterator[Place]:
    """A goal without support, or support without a goal or need."""
    yield from unserved(plan, clock)
    yield from aimless(plan, clock)


RULES = (
    Rule(
        "C12",
        "goals",
        unmeasurable,
        "R24 R25 · 42 CFR 483.440(c)(4)",
        "Make the goal measurable: what is measured, the value to reach, and by which day.",
    ),
    Rule(
        "C13",
        "goals",
        no_baseline,
        "R7 R25",
        "Write down where the person stands today, so that progress can be seen.",
    ),
    Rule(
        "C14",
        "goals",
        no_achievement,
        "R30",
        "Say how the goal goes: in progress, improving, no change, achieved, ...",
    ),
    Rule(
        "C15",
        "goals",
        no_domain,
        "R8",
        "Say which part of life the goal is about: work, home, people, health, ...",
        ceiling="information",
    ),
    Rule(
        "C25",
        "goals",
        no_steps,
        "R22",
        "Break the goal into smaller steps; at least one of them is due before the goal itself.",
    ),
    Rule(
        "C26",
        "goals",
        circling,
        "R22",
        "Let the steps lead to a goal of this person, and not in a circle.",
    ),
    Rule(
        "C27",
        "goals",
        not_their_own,
        "R23 R49 · 42 CFR 441.301(c)(2)(iv)",
        "Add at least one goal that the person, or who stands for them, expressed themselves.",
    ),
    Rule(
        "C28",
        "goals",
        unaccepted,
        "R58 R78 · OAC 5122-27-03(C)",
        "Ask the person whether they agree with this goal, and write down why if they do not.",
    ),
    Rule(
        "C29",
        "goals",
        outside,
        "R26",
        "Move the due day into the plan's period, or carry the goal over to the next plan.",
    ),
    Rule(
        "C29-overdue",
        "progress",
        overdue,
        "R29",
        "The day has passed; talk about it at the next review. Slow progress is no mistake.",
        ceiling="information",
    ),
    Rule(
        "C31",
        "goals",
        unlinked,
        "R28 R34",
        "Link the goal with a service or step that is done for it, and each service with a goal"
        " or need.",
    ),
)
