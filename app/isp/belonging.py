"""What belongs to a plan: it, what it leads to, and what was written about it. Pure."""

from collections.abc import Iterable, Iterator

from app.fhir.context import Resource
from app.fhir.references import walk
from app.isp.element import name, names
from app.isp.plan import Plan, Resources

ABOUT = (
    "Provenance",
    "Observation",
    "DocumentReference",
    "Communication",
    "QuestionnaireResponse",
    "Contract",
    "DeviceRequest",
)
"""Types that belong to a plan when they point to it, its parts, goals or services."""

SAFETY = ("NutritionOrder", "AllergyIntolerance")
"""Types that belong to every plan of the person."""


def belonging(plan: Plan) -> Resources:
    """Everything that belongs to the plan, as far as it was given; the plan first."""
    core = dict.fromkeys(name(one) for one in _core(plan))
    about = [one for kind in ABOUT for one in plan.of(kind) if _leads(one) & core.keys()]
    found = reached(plan, [*core, *(name(one) for one in about)])
    return tuple(plan.resources[own] for own in found)


def mentioned(resources: Iterable[Resource]) -> set[str]:
    """The Type/id of everything they refer to."""
    return {target for one in resources for target in _leads(one)}


def _core(plan: Plan) -> Iterator[Resource]:
    services = (plan.resources.get(service.name) for service in plan.services)
    yield from plan.whole
    yield from plan.goals
    yield from (one for one in services if one)
    yield from (*plan.tasks, *plan.teams, *plan.needs, *plan.supporting)
    for kind in SAFETY:
        yield from plan.of(kind)


def reached(plan: Plan, begin: Iterable[str]) -> dict[str, None]:
    """All that references lead to from there; not other plans, nor what belongs to them."""
    found, fresh = dict[str, None](), [own for own in begin if own in plan.resources]
    whole = {name(one) for one in plan.whole}
    while fresh:
        found |= dict.fromkeys(fresh)
        ahead = (target for own in fresh for target in sorted(_leads(plan.resources[own])))
        fresh = [
            target
            for target in dict.fromkeys(ahead)
            if target in plan.resources
            and target not in found
            and (target in whole or not target.startswith("CarePlan/"))
        ]
    return found


def _leads(resource: Resource) -> set[str]:
    return {target for element in walk(resource) for target in names(element)}
