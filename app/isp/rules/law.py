"""What only some laws ask for: meetings, choice, conflicts of interest, deadlines (C65-C72)."""

from collections.abc import Iterator

from app.isp import codes as code
from app.isp.actors import stands_for
from app.isp.element import codes, day, days_after, members, names, period
from app.isp.plan import Plan
from app.isp.rules.rule import Clock, Place, Rule, at

CHOICES = tuple(f"q{number}" for number in range(1, 8))
"""The questions of the eLTSS informed-choice form."""

WAIVER = "only-willing-provider"


def no_meeting(plan: Plan, _: Clock) -> Iterator[Place]:
    """The plan names no meeting with the person in which it was made."""
    if "encounter" not in plan.care_plan:
        yield at(plan.care_plan, "encounter")


def no_choice(plan: Plan, _: Clock) -> Iterator[Place]:
    """The person was not asked whether they chose, or not everything."""
    forms = [one for one in plan.supporting if "informed-choice" in one.get("questionnaire", "")]
    if not forms:
        yield at(plan.care_plan, "supportingInfo")
    for form in forms:
        answered = {one.get("linkId") for one in members(form.get("item")) if one.get("answer")}
        if not answered.issuperset(CHOICES):
            yield at(form, "item")


def conflicted(plan: Plan, _: Clock) -> Iterator[Place]:
    """Who writes the plan works for an organization that is paid to carry it out."""
    if WAIVER in codes(plan.care_plan.get("meta", {}).get("tag")):
        return
    authors = set(names(plan.care_plan.get("author")))
    homes = {org for one in authors for org in stands_for(plan, one) if org.startswith("Org")}
    for service in plan.live_services:
        for index, performer in enumerate(service.performers):
            is_other = performer not in authors and not service.is_natural
            if is_other and homes & stands_for(plan, performer):
                yield at(service.resource, service.below(f"performer[{index}]"))


def no_natural_support(plan: Plan, _: Clock) -> Iterator[Place]:
    """Neither unpaid support nor a word that there is none."""
    tasks = any(code.NATURAL_SUPPORT in codes(task.get("code")) for task in plan.supports)
    if tasks or any(service.is_natural for service in plan.live_services):
        return
    if not plan.observed(frozenset({code.NO_NATURAL_SUPPORT})):
        yield at(plan.care_plan, "supportingInfo")


def unwatched(plan: Plan, _: Clock) -> Iterator[Place]:
    """Nobody is named who watches over the plan."""
    is_managed = any("careManager" in one for one in plan.of("EpisodeOfCare"))
    if not is_managed and not any("owner" in task for task in plan.tasks_of(code.MONITOR)):
        yield at(plan.care_plan)


def uncopied(plan: Plan, clock: Clock) -> Iterator[Place]:
    """A member of the team was not given the plan."""
    given = {
        target
        for one in plan.of("Communication")
        if plan.name in names(one.get("about"))
        for target in names(one.get("recipient"))
    }
    for team, index, one in plan.members(clock.today):
        own = {own for member in names(one.get("member")) for own in stands_for(plan, member)}
        if plan.is_effective and not own & given:
            yield at(team, f"participant[{index}].member")


def tardy(plan: Plan, clock: Clock) -> Iterator[Place]:
    """The first plan was made too many days after the person came."""
    most = clock.limits["plan_days"]
    made = day(plan.care_plan.get("created")) or period(plan.care_plan.get("period"))[0]
    came = [period(one.get("period"))[0] for one in plan.of("EpisodeOfCare")]
    is_first = "replaces" not in plan.care_plan
    first = min((on for on in came if on), default=None)
    if is_first and made and first and made > days_after(first, most):
        yield at(plan.care_plan, "created")


def no_priority(plan: Plan, _: Clock) -> Iterator[Place]:
    """Which goal comes first is not said."""
    for goal in plan.live_goals:
        if "priority" not in goal:
            yield at(goal, "priority")


RULES = (
    Rule(
        "C65",
        "team",
        no_meeting,
        "42 CFR 441.301(c)(1)(i)-(ii)",
        "Link the planning meeting that the person led and to which they invited whom they chose.",
    ),
    Rule(
        "C66",
        "person",
        no_choice,
        "42 CFR 441.301(c)(1)(vii), (ix), (c)(2)(i)",
        "Ask the person all seven questions on choice: home, other places, services, providers.",
    ),
    Rule(
        "C67",
        "team",
        conflicted,
        "42 CFR 441.301(c)(1)(vi)",
        "Let somebody write the plan whose organization does not give its services, or tag the"
        " plan only-willing-provider.",
    ),
    Rule(
        "C68",
        "services",
        no_natural_support,
        "42 CFR 441.301(c)(2)(v)",
        "Add what family, friends and neighbors do unpaid, or write down that there is nobody.",
    ),
    Rule(
        "C69",
        "review",
        unwatched,
        "42 CFR 441.301(c)(2)(viii)",
        "Name who watches over the plan: the care manager, or the owner of a Task monitor-plan.",
    ),
    Rule(
        "C70",
        "agreement",
        uncopied,
        "42 CFR 441.301(c)(2)(x)",
        "Give this member of the team a copy, and record that you did.",
    ),
    Rule(
        "C71",
        "review",
        tardy,
        "12VAC35-105-660 · 42 CFR 483.440(c)(3) · 14 NYCRR 595.11",
        "Write the first plan within {plan_days} days after the person came; say why it took"
        " longer.",
    ),
    Rule(
        "C72",
        "goals",
        no_priority,
        "42 CFR 483.440(c)(4)",
        "Say which goal comes first: give each a priority.",
    ),
)
