"""The frame: what makes a CarePlan one person's one service plan (C01-C07, C16, C60)."""

from collections.abc import Iterator

from app.isp import codes as code
from app.isp.element import codes, members, name, names, period
from app.isp.plan import Plan
from app.isp.programme import is_same_programme
from app.isp.rules.rule import Clock, Place, Rule, at
from app.isp.service import Service


def framed(plan: Plan, _: Clock) -> Iterator[Place]:
    """Category, subject, start, author and title are there, and it is meant as a plan."""
    care_plan = plan.care_plan
    if not {code.ASSESS_PLAN, code.CARE_PLAN} <= codes(care_plan.get("category")):
        yield at(care_plan, "category")
    for element in ("subject", "author", "title"):
        if element not in care_plan:
            yield at(care_plan, element)
    if period(care_plan.get("period"))[0] is None:
        yield at(care_plan, "period.start")
    if care_plan.get("intent") != "plan":
        yield at(care_plan, "intent")


def templated(plan: Plan, _: Clock) -> Iterator[Place]:
    """Most goals read exactly like the template that the plan was made from."""
    canonicals = {url.split("|")[0] for url in plan.care_plan.get("instantiatesCanonical", ())}
    given = {
        goal.get("description", {}).get("text")
        for template in plan.of("PlanDefinition")
        if template.get("url") in canonicals
        for goal in members(template.get("goal"))
    }
    said = [goal.get("description", {}).get("text") for goal in plan.goals]
    if said and given and sum(text in given for text in said) >= 0.8 * len(said):
        yield at(plan.care_plan, "instantiatesCanonical")


def dropped_goals(plan: Plan, _: Clock) -> Iterator[Place]:
    """A goal is given up, and nothing says why."""
    for goal in plan.goals:
        is_dropped = goal.get("lifecycleStatus") in ("cancelled", "rejected", "on-hold")
        if is_dropped and not goal.get("statusReason"):
            yield at(goal, "statusReason")


def untraced(plan: Plan, _: Clock) -> Iterator[Place]:
    """The current version was not the first, and no Provenance says who made it, and why."""
    targets = {
        element.get("reference")
        for provenance in plan.of("Provenance")
        for element in members(provenance.get("target"))
    }
    for one in (plan.care_plan, *plan.goals, *(s.resource for s in plan.services if not s.path)):
        version = one.get("meta", {}).get("versionId", "1")
        own = name(one)
        if version != "1" and not {own, f"{own}/_history/{version}"} & targets:
            yield at(one, "meta.versionId")


def misplaced_parts(plan: Plan, _: Clock) -> Iterator[Place]:
    """A plan within the plan is about somebody else, contains the plan, or outlasts it."""
    start, end = period(plan.care_plan.get("period"))
    below = {plan.name, *map(name, plan.parts)}
    if below & set(names(plan.care_plan.get("partOf"))):
        yield at(plan.care_plan, "partOf")
    for part in plan.parts:
        if names(part.get("subject")) != names(plan.care_plan.get("subject")):
            yield at(part, "subject")
        begins, ends = period(part.get("period"))
        if (begins and start and begins < start) or (ends and end and ends > end):
            yield at(part, "period")


def second_plans(plan: Plan, _: Clock) -> Iterator[Place]:
    """Another plan of the same programme is active for the same person at the same time."""
    if plan.care_plan.get("status") != "active":
        return
    replaced = names(plan.care_plan.get("replaces"))
    for other in plan.of("CarePlan"):
        is_other = name(other) != plan.name and name(other) not in replaced
        is_own = code.PLAN in codes(other.get("category")) and "partOf" not in other
        if is_other and is_own and other.get("status") == "active":
            same = names(other.get("subject")) == names(plan.care_plan.get("subject"))
            if same and is_same_programme(other, plan.care_plan, plan.resources):
                yield at(other, "status")


def redundant(plan: Plan, _: Clock) -> Iterator[Place]:
    """Two providers give the same service at the same time."""
    earlier: dict[str, list[Service]] = {}
    for service in plan.live_services:
        for own in codes(service.element.get("code")):
            same = earlier.setdefault(own, [])
            if any(_overlap(one, service) and _differ(one, service) for one in same):
                yield at(service.resource, service.below("code"))
            same.append(service)


def _differ(one: Service, other: Service) -> bool:
    return bool(one.performers and other.performers) and not set(one.performers) & set(
        other.performers
    )


def _overlap(one: Service, other: Service) -> bool:
    starts_in = not (one.start and other.end) or one.start <= other.end
    ends_in = not (one.end and other.start) or other.start <= one.end
    return starts_in and ends_in


def undiagnosed(plan: Plan, _: Clock) -> Iterator[Place]:
    """No confirmed diagnosis with its severity; asked for only where a law does."""
    needs = {name(need) for need in plan.needs}
    for one in plan.get(plan.care_plan.get("addresses")):
        is_diagnosis = one["resourceType"] == "Condition" and name(one) not in needs
        if is_diagnosis and "severity" in one and "verificationStatus" in one:
            return
    yield at(plan.care_plan, "addresses")


def untemplated(plan: Plan, _: Clock) -> Iterator[Place]:
    """The plan names no template."""
    if not plan.care_plan.get("instantiatesCanonical"):
        yield at(plan.care_plan, "instantiatesCanonical")


RULES = (
    Rule(
        "C01",
        "frame",
        framed,
        "R1 R63",
        "Say what this plan is: both category codes (assess-plan and SNOMED 734163000), whose it"
        " is, the day it starts, the key worker as author, a title, and the intent plan.",
    ),
    Rule(
        "C02",
        "frame",
        templated,
        "R2 R35",
        "Put the goals into the person's own words: most of them read as in the template.",
        ceiling="information",
    ),
    Rule(
        "C03",
        "changes",
        dropped_goals,
        "R3 R27 R73",
        "Say why this goal was dropped or put on hold, and keep it: a goal is not deleted.",
    ),
    Rule(
        "C04",
        "changes",
        untraced,
        "R3 R73",
        "Record who changed this version and why (a Provenance that targets the version).",
    ),
    Rule(
        "C05",
        "frame",
        misplaced_parts,
        "R4",
        "Make this part be about the same person and lie within the plan's period.",
    ),
    Rule(
        "C06",
        "frame",
        second_plans,
        "R5 R56",
        "End one of the two: a person has one active plan in a programme, and everybody shares it.",
    ),
    Rule(
        "C07",
        "services",
        redundant,
        "R5",
        "Check whether both providers are needed: they give the same service at the same time.",
    ),
    Rule(
        "C16",
        "assessment",
        undiagnosed,
        "R9 R14 · OAC 5122-27-03",
        "Add the diagnosis, with its severity and how sure it is, to what the plan addresses.",
    ),
    Rule(
        "C60",
        "frame",
        untemplated,
        "R62",
        "Name the template of the plan, if it was made from one.",
        ceiling="information",
    ),
)
