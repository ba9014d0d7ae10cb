"""The life of a plan: from which state it may move to which, and what must hold in each. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType

from app.fhir.context import Resource
from app.fhir.errors import Issue, Unprocessable
from app.isp.canonical import digest
from app.isp.codes import ISP, PLAN
from app.isp.element import codes, extensions, inner, name, names, period
from app.isp.plan import Plan, Resources
from app.isp.programme import is_same_programme
from app.isp.proposal import withdrawn
from app.isp.rules.agreement import outdated, unsigned
from app.isp.rules.review import unscheduled
from app.isp.rules.rule import Clock

CURRENT = ("active", "on-hold")

LEADS_TO = MappingProxyType(
    {
        "draft": ("active", "revoked", "entered-in-error"),
        "active": ("on-hold", "completed", "revoked", "entered-in-error"),
        "on-hold": ("active", "completed", "revoked", "entered-in-error"),
        "completed": ("entered-in-error",),
        "revoked": ("entered-in-error",),
        "entered-in-error": (),
        "unknown": ("draft", *CURRENT, "completed", "revoked", "entered-in-error"),
    }
)
"""The states that a plan may move to, by the one it is in."""


@dataclass(frozen=True, slots=True)
class Move:
    """A step in the life of a plan: its name and the state it leads to."""

    name: str
    leads_to: str


ACTIVATE = Move("activate", "active")
SUSPEND = Move("suspend", "on-hold")
REVOKE = Move("revoke", "revoked")


def is_isp(care_plan: Resource) -> bool:
    """Whether a CarePlan is an Individualized Service Plan, not a part of one or another plan."""
    return PLAN in codes(care_plan.get("category")) and "partOf" not in care_plan


def moved(care_plan: Resource, move: Move) -> Resource:
    """The plan in its new state. Raises Unprocessable where the move does not lead from its own."""
    if not is_isp(care_plan):
        raise Unprocessable(
            f"This is not an Individualized Service Plan: its category has no code {ISP}|{PLAN},"
            " or it is part of another.",
            code="business-rule",
            expression=["CarePlan.category"],
        )
    before = care_plan.get("status", "unknown")
    if move.leads_to not in LEADS_TO.get(before, ()):
        states = " or ".join(s for s, ends in LEADS_TO.items() if move.leads_to in ends)
        raise Unprocessable(
            f"${move.name}: only a plan that is {states}.",
            code="business-rule",
            expression=["CarePlan.status"],
        )
    return {**care_plan, "status": move.leads_to}


Holds = Callable[[Plan, Clock], Iterable[object]]


@dataclass(frozen=True, slots=True)
class Gate:
    """What must hold while a plan is in one of these states.

    `broken` yields where it does not, `element` is where the plan says so. A gate that does not
    stand is asked when the plan enters the state, and not again while it stays there.
    """

    rule: str
    states: tuple[str, ...]
    broken: Holds
    element: str
    sentence: str
    stands: bool = True


def broken(before: Plan | None, after: Plan, clock: Clock) -> Iterator[Issue]:
    """What a change breaks: what must hold of the plan now, and held before or was not asked.

    What time alone has broken, or somebody else before, is not held against who changes something
    else: such a plan could not be mended step by step.
    """
    if before is not None and not is_isp(before.care_plan):
        before = None
    yield from _illegal(before, after)
    if not is_isp(after.care_plan):
        return
    state = after.care_plan.get("status", "unknown")
    is_new = before is None or before.care_plan.get("status") != state
    asked = _as_signed(before, after)
    for gate in GATES:
        if state not in gate.states or not (is_new or gate.stands):
            continue
        was_broken = before is not None and not is_new and any(gate.broken(before, clock))
        if not was_broken and any(gate.broken(asked, clock)):
            said = f"{gate.rule}: {gate.sentence}"
            yield Issue("business-rule", said, (f"CarePlan.{gate.element}",))


def _illegal(before: Plan | None, after: Plan) -> Iterator[Issue]:
    """A step that leads nowhere; a plan that becomes somebody else's, or no plan at all."""
    if before is None:
        return
    was, now = before.care_plan, after.care_plan
    state, wanted = was.get("status", "unknown"), now.get("status", "unknown")
    if wanted != state and wanted not in LEADS_TO.get(state, ()):
        ends = ", ".join(LEADS_TO.get(state, ())) or "nothing"
        said = f"Status: from {state} a plan moves to {ends}; not to {wanted}."
        yield Issue("business-rule", said, ("CarePlan.status",))
    if names(was.get("subject")) != names(now.get("subject")):
        said = "Subject: a plan stays the plan of the same person."
        yield Issue("business-rule", said, ("CarePlan.subject",))
    if state in CURRENT and not is_isp(now):
        said = "Category: a plan in force stays an Individualized Service Plan of its own."
        yield Issue("business-rule", said, ("CarePlan.category",))


def _as_signed(before: Plan | None, after: Plan) -> Plan:
    """The plan, under the version before where this one changes nothing that is signed."""
    if before is None or digest(before.care_plan) != digest(after.care_plan):
        return after
    version = before.care_plan.get("meta", {}).get("versionId")
    meta = {**after.care_plan.get("meta", {}), "versionId": version}
    return replace(after, care_plan={**after.care_plan, "meta": meta})


def _expired(plan: Plan, clock: Clock) -> Iterator[str]:
    end = period(plan.care_plan.get("period"))[1]
    if end is None or end < clock.today:
        yield "period.end"


def _without_team(plan: Plan, _: Clock) -> Iterator[str]:
    if not any(team.get("status") == "active" for team in plan.teams):
        yield "careTeam"


def rivals(plan: Plan, _: Clock) -> Resources:
    """The other plans in force of the same person and programme."""
    own = {name(one) for one in plan.whole}
    return tuple(
        one
        for one in plan.of("CarePlan")
        if one.get("status") in CURRENT
        and is_isp(one)
        and name(one) not in own
        and is_same_programme(one, plan.care_plan, plan.resources)
    )


def _lost_goals(plan: Plan, _: Clock) -> Iterator[str]:
    """The goals that the plan names and that are not there."""
    return (
        one for own in plan.whole for one in names(own.get("goal")) if one not in plan.resources
    )


def _replaced_twice(plan: Plan, _: Clock) -> Iterator[str]:
    """Another plan follows the same one, or the plan follows itself."""
    earlier = set(names(plan.care_plan.get("replaces")))
    for other in plan.of("CarePlan"):
        is_live = other.get("status") in (*CURRENT, "completed") and name(other) != plan.name
        if is_live and earlier & set(names(other.get("replaces"))):
            yield name(other)
    yield from ("replaces" for one in _forerunners(plan) if one == plan.name)


def _forerunners(plan: Plan) -> Iterator[str]:
    """The plans that this one goes back to; its own name where they go round in a circle."""
    found, seen = set(names(plan.care_plan.get("replaces"))), set[str]()
    while found:
        yield from sorted(found)
        seen |= found
        found = {
            target for one in found for target in names(plan.resources.get(one, {}).get("replaces"))
        } - seen


def left_open(plan: Plan, _: Clock) -> Iterator[Resource]:
    """The goals and services that go on though no plan holds them any more."""
    heirs = [one for one in plan.of("CarePlan") if plan.name in names(one.get("replaces"))]
    moved_on = {target for heir in heirs for target in listed(heir)}
    succeeded = {target for goal in plan.of("Goal") for target in followed(goal)}
    for goal in plan.live_goals:
        if not {name(goal)} & (moved_on | succeeded):
            yield goal
    for service in plan.live_services:
        based = {name(heir) for heir in heirs} & set(names(service.element.get("basedOn")))
        if not service.path and not based and service.name not in moved_on:
            yield service.resource


def listed(care_plan: Resource) -> Iterator[str]:
    """The goals and activities that a plan names."""
    yield from names(care_plan.get("goal"))
    for activity in care_plan.get("activity", ()):
        yield from names(activity.get("reference"))


def followed(goal: Resource) -> Iterator[str]:
    """The goals that this one succeeds or replaces."""
    for one in extensions(goal, "goal-relationship"):
        if codes(inner(one, "type").get("valueCodeableConcept")) & {"successor", "replacement"}:
            yield from names(inner(one, "target").get("valueReference"))


GATES: tuple[Gate, ...] = (
    Gate(
        "C30",
        ("active",),
        unsigned,
        "status",
        "the person, or who stands for them, signs first or refuses.",
    ),
    Gate(
        "C50",
        ("active",),
        outdated,
        "status",
        "the plan changed since it was signed; ask for signatures.",
        stands=False,
    ),
    Gate(
        "Proposed",
        ("active",),
        withdrawn,
        "status",
        "the plan was taken back from those who sign it; propose it again, or have it signed.",
        stands=False,
    ),
    Gate("C54", ("active",), _expired, "period.end", "the plan has no end, or its end is past."),
    Gate("C24", ("active",), _without_team, "careTeam", "the plan has no team that is active."),
    Gate("C53", ("active",), unscheduled, "period", "no review of the plan is scheduled in time."),
    Gate(
        "C03",
        CURRENT,
        _lost_goals,
        "goal",
        "a goal of a plan in force is cancelled with a reason, not deleted.",
    ),
    Gate(
        "One plan",
        CURRENT,
        rivals,
        "status",
        "another plan of the same programme is in force; complete it at once, or revoke this one.",
    ),
    Gate(
        "Chain",
        (*CURRENT, "completed"),
        _replaced_twice,
        "replaces",
        "a plan follows one that has no other successor, and never itself.",
    ),
    Gate(
        "Ended",
        ("completed",),
        left_open,
        "status",
        "a goal or service goes on; end it, or take it over into the plan that replaces this one.",
        stands=False,
    ),
)


def replaced(plan: Plan) -> Iterable[Resource]:
    """The plans in force that this one replaces: they are completed by it."""
    return (one for one in plan.get(plan.care_plan.get("replaces")) if one["status"] in CURRENT)
