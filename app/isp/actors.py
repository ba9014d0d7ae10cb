"""Who is who: a PractitionerRole is a practitioner, and stands for an organization."""

from collections.abc import Iterable

from app.isp.element import names
from app.isp.plan import Plan


def selves(plan: Plan, actor: str) -> set[str]:
    """The actor, and for a PractitionerRole its practitioner."""
    role = plan.resources.get(actor, {}) if actor.startswith("PractitionerRole/") else {}
    return {actor, *names(role.get("practitioner"))}


def stands_for(plan: Plan, actor: str) -> set[str]:
    """The actor, and for a PractitionerRole its practitioner and organization."""
    role = plan.resources.get(actor, {}) if actor.startswith("PractitionerRole/") else {}
    return {*selves(plan, actor), *names(role.get("organization"))}


def is_among(plan: Plan, actor: str, people: Iterable[str]) -> bool:
    """Whether the actor is one of these, in whatever role, or one of these stands for the actor."""
    own = selves(plan, actor)
    return any(own & selves(plan, one) or actor in stands_for(plan, one) for one in people)
