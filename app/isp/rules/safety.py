"""Safety and leaving: diet, risks, barriers, crisis, discharge (C41-C46)."""

import re
from collections.abc import Iterator
from datetime import date

from app.fhir.context import Resource
from app.isp import codes as code
from app.isp.element import codes, day, members, months_after, name, names, period
from app.isp.plan import Plan
from app.isp.rules.rule import Clock, Place, Rule, at

PHONE = re.compile(r"\+?\d[\d\-. ()]{6,}\d|\b(?:988|911|112)\b")


def no_diet(plan: Plan, _: Clock) -> Iterator[Place]:
    """Nothing says what the person may or must not eat, not even that there is nothing to watch."""
    if plan.of("NutritionOrder") or plan.of("AllergyIntolerance"):
        return
    if any("dietary" in codes(goal.get("category")) for goal in plan.goals):
        return
    if not any(code.NO_DIETARY_NEED in codes(o.get("code")) for o in plan.of("Observation")):
        yield at(plan.care_plan, "supportingInfo")


def unmitigated(plan: Plan, _: Clock) -> Iterator[Place]:
    """A risk is known, and nothing is done about it."""
    for risk in plan.of("RiskAssessment"):
        if risk.get("status") not in ("entered-in-error", "cancelled") and not risk.get(
            "mitigation"
        ):
            yield at(risk, "mitigation")


def open_barriers(plan: Plan, _: Clock) -> Iterator[Place]:
    """Something stands in the way of a goal that is still pursued."""
    live = {name(goal) for goal in plan.live_goals}
    for one in plan.of("Observation"):
        if code.BARRIER in codes(one.get("code")) and live & set(names(one.get("focus"))):
            yield at(one)


def no_crisis_plan(plan: Plan, clock: Clock) -> Iterator[Place]:
    """No crisis or backup plan, or none with a step, a number to call, and a recent look at it."""
    found = plan.part(code.CRISIS)
    if not found:
        yield at(plan.care_plan)
    for part in found:
        if not part.get("activity"):
            yield at(part, "activity")
        if not any(PHONE.search(said) for said in _reached(plan, part)):
            yield at(part, "description")
        begun = day(part.get("created")) or period(part.get("period"))[0]
        is_over = plan.care_plan.get("status") in ("completed", "revoked")
        if begun and not is_over and _is_old(begun, clock):
            yield at(part, "created")


def _is_old(begun: date, clock: Clock) -> bool:
    return months_after(begun, clock.limits["crisis_months"]) < clock.today


def _reached(plan: Plan, part: Resource) -> Iterator[str]:
    """Where a crisis plan may name a number: its words, its steps, and who takes them."""
    yield part.get("description", "")
    for activity in members(part.get("activity")):
        detail = activity.get("detail", {})
        yield detail.get("description", "")
        for step in (*plan.get(activity.get("reference")), detail):
            yield step.get("description", "")
            for helper in (*plan.get(step.get("owner")), *plan.get(step.get("performer"))):
                for one in members(helper.get("telecom")):
                    yield one.get("value", "")


def no_way_out(plan: Plan, _: Clock) -> Iterator[Place]:
    """Nothing says when the person no longer needs the plan."""
    if not any(part.get("description") for part in plan.part(frozenset({code.DISCHARGE}))):
        yield at(plan.care_plan)


def unfinished(plan: Plan, _: Clock) -> Iterator[Place]:
    """The person has left, and summary, aftercare, follow-up or the end of a goal is missing."""
    if plan.care_plan.get("status") != "completed" or _is_renewed(plan):
        return
    papers = plan.of("DocumentReference")
    if not any(code.DISCHARGE_SUMMARY in codes(one.get("type")) for one in papers):
        yield at(plan.care_plan, "supportingInfo")
    aftercare = plan.part(frozenset({code.DISCHARGE}))
    if not any(part.get("activity") for part in aftercare):
        yield at(aftercare[0] if aftercare else plan.care_plan, "activity")
    ended = period(plan.care_plan.get("period"))[1]
    later = [meets_on(one) for one in plan.of("Appointment")]
    if not any(on and (ended is None or on >= ended) for on in later):
        yield at(plan.care_plan, "activity")
    for goal in plan.goals:
        if goal.get("lifecycleStatus") not in code.ENDED_GOALS:
            yield at(goal, "lifecycleStatus")


def meets_on(appointment: Resource) -> date | None:
    """The day of an Appointment, or the first on which it is wished for."""
    wished = (period(one)[0] for one in members(appointment.get("requestedPeriod")))
    return day(appointment.get("start")) or next(wished, None)


def _is_renewed(plan: Plan) -> bool:
    return any(plan.name in names(other.get("replaces")) for other in plan.of("CarePlan"))


RULES = (
    Rule(
        "C41",
        "safety",
        no_diet,
        "R45",
        "Write down what the person may or must not eat, or that there is nothing to watch.",
    ),
    Rule(
        "C42",
        "safety",
        unmitigated,
        "R46 · 42 CFR 441.301(c)(2)(vi)",
        "Say what is done so that this risk does not come true.",
    ),
    Rule(
        "C43",
        "safety",
        open_barriers,
        "R46 R64",
        "Something stands in the way of a goal; talk about it at the next review.",
        ceiling="information",
    ),
    Rule(
        "C44",
        "safety",
        no_crisis_plan,
        "R43 R44 · 42 CFR 441.301(c)(2)(vi)",
        "Add a crisis or backup plan with at least one step and one number to call, and look at"
        " it once a year.",
    ),
    Rule(
        "C45",
        "discharge",
        no_way_out,
        "R47",
        "Say in a discharge plan how everybody will know that the plan is no longer needed.",
    ),
    Rule(
        "C46",
        "discharge",
        unfinished,
        "R47",
        "Finish the discharge: a summary, what happens afterwards, a day to follow up, and an end"
        " for every goal.",
    ),
)
