"""The team: the person, a key worker, everybody with a role (C37, C40, C47, C48)."""

from collections.abc import Iterator
from datetime import date

from app.isp import codes as code
from app.isp.element import codes, names
from app.isp.plan import Plan
from app.isp.rules.rule import Clock, Place, Rule, at

SMALLEST = 3
"""The person, a key worker, and one more."""

LAY = ("Patient/", "RelatedPerson/")


def key_workers(plan: Plan, today: date) -> set[str]:
    """Who holds the threads: by the local code, or else the care coordinators.

    Of several coordinators the author of the plan is the one.
    """
    found: dict[str, set[str]] = {code.KEY_WORKER: set(), code.CARE_COORDINATOR: set()}
    for _, _, one in plan.members(today):
        for kind in found.keys() & codes(one.get("role")):
            found[kind].update(names(one.get("member")))
    candidates = found[code.KEY_WORKER] or found[code.CARE_COORDINATOR]
    return candidates & set(names(plan.care_plan.get("author"))) or candidates


def no_key_worker(plan: Plan, clock: Clock) -> Iterator[Place]:
    """Nobody, or more than one, is the key worker."""
    if plan.teams and len(key_workers(plan, clock.today)) != 1:
        yield at(plan.teams[0], "participant.role")


def roleless_family(plan: Plan, clock: Clock) -> Iterator[Place]:
    """A relative is on the team, and nothing says what for."""
    for team, index, one in plan.members(clock.today):
        is_relative = any(m.startswith("RelatedPerson/") for m in names(one.get("member")))
        if is_relative and not one.get("role"):
            yield at(team, f"participant[{index}].role")


def no_team(plan: Plan, clock: Clock) -> Iterator[Place]:
    """No active team of the person, the key worker and at least one more."""
    if not plan.care_plan.get("careTeam"):
        yield at(plan.care_plan, "careTeam")
    for team in plan.teams:
        if team.get("status") != "active" and plan.is_current:
            yield at(team, "status")
    inside = {m for _, _, one in plan.members(clock.today) for m in names(one.get("member"))}
    is_with_them = set(names(plan.care_plan.get("subject"))) <= inside
    if plan.teams and not (is_with_them and len(inside) >= SMALLEST):
        yield at(plan.teams[0], "participant")


def one_discipline(plan: Plan, clock: Clock) -> Iterator[Place]:
    """All who work with the person see them with the same eyes."""
    seen = {
        concept.get("text") or ",".join(sorted(codes(concept)))
        for _, _, one in plan.members(clock.today)
        if not any(member.startswith(LAY) for member in names(one.get("member")))
        for concept in one.get("role", ())
    }
    if plan.teams and len(seen) < 2:
        yield at(plan.teams[0], "participant.role")


RULES = (
    Rule(
        "C37",
        "team",
        no_key_worker,
        "R50",
        "Name exactly one key worker on the team (role 768820003 or key-worker).",
    ),
    Rule(
        "C40",
        "team",
        roleless_family,
        "R41 R54",
        "Say what this relative does on the team.",
    ),
    Rule(
        "C47",
        "team",
        no_team,
        "R48 R49 · 42 CFR 441.301(c)(1)(i)",
        "Link an active care team with the person, the key worker and at least one more.",
    ),
    Rule(
        "C48",
        "team",
        one_discipline,
        "R53",
        "Consider a second discipline on the team: therapy, work, school, medicine, peers.",
    ),
)
