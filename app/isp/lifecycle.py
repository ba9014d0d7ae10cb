"""The life of a plan: from which state it may move to which, and what must hold first. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from app.fhir.context import Resource
from app.fhir.errors import Issue, Unprocessable
from app.fhir.instant import to_text
from app.isp.codes import ISP
from app.isp.element import name, names, period
from app.isp.plan import Plan, Resources
from app.isp.rules.agreement import outdated, unsigned
from app.isp.rules.review import unscheduled
from app.isp.rules.rule import Clock

CURRENT = ("active", "on-hold")


@dataclass(frozen=True, slots=True)
class Move:
    """A step in the life of a plan: its name, the states it leads from, and the one it leads to."""

    name: str
    leads_from: frozenset[str]
    leads_to: str


ACTIVATE = Move("activate", frozenset({"draft", "on-hold"}), "active")
SUSPEND = Move("suspend", frozenset({"active"}), "on-hold")
REVOKE = Move("revoke", frozenset({"draft", "active", "on-hold"}), "revoked")


def moved(care_plan: Resource, move: Move) -> Resource:
    """The plan in its new state. Raises Unprocessable where the move does not lead from its own."""
    if care_plan.get("status") not in move.leads_from:
        states = " or ".join(sorted(move.leads_from))
        raise Unprocessable(
            f"${move.name}: only a plan that is {states}.",
            code="business-rule",
            expression=["CarePlan.status"],
        )
    return {**care_plan, "status": move.leads_to}


def check_active(plan: Plan, clock: Clock) -> None:
    """Raises Unprocessable with everything that a plan lacks to be active."""
    active = replace(plan, care_plan={**plan.care_plan, "status": "active"})
    issues = [
        Issue("business-rule", f"{check}: {sentence}", (f"CarePlan.{element}",))
        for check, holds_not, element, sentence in GATES
        if holds_not(active, clock)
    ]
    if issues:
        raise Unprocessable("The plan cannot be active yet.", issues=issues)


def _is_unsigned(plan: Plan, clock: Clock) -> bool:
    return any(unsigned(plan, clock))


def _is_outdated(plan: Plan, clock: Clock) -> bool:
    return any(outdated(plan, clock))


def _is_unscheduled(plan: Plan, clock: Clock) -> bool:
    return any(unscheduled(plan, clock))


def _is_expired(plan: Plan, clock: Clock) -> bool:
    end = period(plan.care_plan.get("period"))[1]
    return end is None or end < clock.today


def _is_without_team(plan: Plan, _: Clock) -> bool:
    return not any(team.get("status") == "active" for team in plan.teams)


def _is_one_of_two(plan: Plan, _: Clock) -> bool:
    return bool(rivals(plan))


Gate = tuple[str, Callable[[Plan, Clock], bool], str, str]

GATES: tuple[Gate, ...] = (
    ("C30", _is_unsigned, "status", "the person, or who stands for them, signs first or refuses."),
    ("C50", _is_outdated, "status", "the plan changed since it was signed; ask for signatures."),
    ("C54", _is_expired, "period.end", "the plan has no end, or its end is past."),
    ("C24", _is_without_team, "careTeam", "the plan has no team that is active."),
    ("C53", _is_unscheduled, "period", "no review of the plan is scheduled in time."),
    ("One plan", _is_one_of_two, "status", "another plan of the same programme is in force."),
)
"""The check, whether it fails, the element of the plan, and what it says."""


def rivals(plan: Plan) -> Resources:
    """The other plans in force of the same person and programme, but for what this one replaces."""
    replaced, own = set(names(plan.care_plan.get("replaces"))), {name(one) for one in plan.whole}
    return tuple(
        one
        for one in plan.of("CarePlan")
        if one.get("status") in CURRENT
        and "partOf" not in one
        and name(one) not in own | replaced
        and _is_same_programme(one, plan.care_plan)
    )


def _is_same_programme(one: Resource, other: Resource) -> bool:
    """Plans are of different programmes where each rests on an episode of care of its own."""
    programmes = [_episodes(one), _episodes(other)]
    return not all(programmes) or bool(programmes[0] & programmes[1])


def _episodes(care_plan: Resource) -> set[str]:
    targets = names(care_plan.get("supportingInfo"))
    return {target for target in targets if target.startswith("EpisodeOfCare/")}


def replaced(plan: Plan) -> Iterable[str]:
    """The ids of the plans in force that this one replaces: they are completed by it."""
    for one in plan.get(plan.care_plan.get("replaces")):
        if one.get("status") in CURRENT:
            yield str(one["id"])


def witness(
    care_plan: Resource, activity: str, who: dict[str, str], reason: str | None, now: datetime
) -> Resource:
    """The Provenance of the version that a move makes of this one."""
    version = int(care_plan["meta"]["versionId"]) + 1
    made: Resource = {
        "resourceType": "Provenance",
        "target": [{"reference": f"{name(care_plan)}/_history/{version}"}],
        "recorded": to_text(now),
        "activity": {"coding": [{"system": ISP, "code": activity}]},
        "agent": [{"who": who}],
    }
    return made | ({"reason": [{"text": reason}]} if reason else {})
