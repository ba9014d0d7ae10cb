"""A new plan for the next year: what goes on is carried over, and says where it is from. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.fhir.context import Resource
from app.fhir.errors import Unprocessable
from app.fhir.instant import to_text
from app.isp.act import Act, provenance, refuse
from app.isp.element import days_after, members, months_after, name, names, period
from app.isp.lifecycle import CURRENT
from app.isp.plan import Plan
from app.isp.replace import relation
from app.isp.rules.person import assessed, assessments
from app.isp.schedule import Limits, missing

LEFT_BEHIND = frozenset({"id", "meta", "text", "identifier", "implicitRules"})
"""Elements of one resource that are not those of its copy."""
OF_ITS_TIME = frozenset({"statusDate", "statusReason", "note", "outcomeCode", "outcomeReference"})
"""What happened under the old plan."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """The first day of the new plan, and the goals to carry over (Type/id); None carries all."""

    start: date | None
    goals: Collection[str] | None


def renewed(plan: Plan, asked: Renewal, limits: Limits, act: Act) -> list[Resource]:
    """The draft that replaces the plan, with its goals, services, parts, Tasks and Provenance.

    Raises Unprocessable for a plan that is not in force, or that a draft follows already, and for a
    goal that cannot be carried over.
    """
    _check(plan, asked)
    carried = [one for one in plan.live_goals if asked.goals is None or name(one) in asked.goals]
    going = _going(plan, {name(one) for one in carried})
    places = {
        name(one): f"{one['resourceType']}/{act.new_id()}"
        for one in (plan.care_plan, *carried, *going, *_parts(plan))
    }
    time = _time(plan, asked, limits)
    own = _plan(plan, places, time, act)
    made = [
        own,
        *(_goal(one, places, time) for one in carried),
        *(_request(one, places, time, act) for one in going),
        *(_part(one, plan, places, time, act) for one in _parts(plan)),
    ]
    tasks = list(missing(own, [], limits, act.now))
    return [*made, *tasks, provenance(act, "renew", made)]


def _check(plan: Plan, asked: Renewal) -> None:
    if plan.care_plan.get("status") not in CURRENT:
        raise refuse("Status", "only a plan in force is renewed.", "CarePlan.status")
    for one in plan.of("CarePlan"):
        if one.get("status") in ("draft", *CURRENT) and plan.name in names(one.get("replaces")):
            raise refuse("Chain", f"{name(one)} follows the plan already.", "CarePlan.replaces")
    unknown = set(asked.goals or ()) - {name(one) for one in plan.live_goals}
    if unknown:
        listed = ", ".join(sorted(unknown))
        raise Unprocessable(
            f"Not a goal of the plan that goes on: {listed}.",
            code="business-rule",
            expression=["Parameters.parameter.where(name = 'goal')"],
        )
    start, end = period(plan.care_plan.get("period"))
    if asked.start and start and asked.start <= start:
        raise refuse("Period", "the new plan starts after the old one.", "CarePlan.period.start")
    if asked.start is None and end is None:
        raise refuse("C54", "the plan has no end; say when the new one starts.", "CarePlan.period")


def _time(plan: Plan, asked: Renewal, limits: Limits) -> dict[str, str]:
    """The period of the new plan: from the day after the old one, for as long as a plan may run."""
    end = period(plan.care_plan.get("period"))[1]
    start = asked.start or days_after(end or date.min, 1)
    last = days_after(months_after(start, limits["plan_months"]), -1)
    return {"start": start.isoformat(), "end": last.isoformat()}


def _going(plan: Plan, goals: set[str]) -> list[Resource]:
    """Services, and what family and friends do, that serve a goal carried over, or none at all."""
    serving = [one.resource for one in plan.live_services if not one.path]
    return [
        one for one in (*serving, *plan.supports) if not (aims := set(_aims(one))) or aims & goals
    ]


def _aims(one: Resource) -> Iterator[str]:
    for each in members(one.get("extension")):
        if str(each.get("url", "")).endswith("resource-pertainsToGoal"):
            yield from names(each.get("valueReference"))


def _parts(plan: Plan) -> list[Resource]:
    return [one for one in plan.parts if one.get("status") in ("draft", *CURRENT)]


def _outdated(plan: Plan) -> set[str]:
    """The assessments that the old plan was made from: a new plan begins with a fresh one (C17)."""
    start = period(plan.care_plan.get("period"))[0] or date.max
    return {name(one) for one in assessments(plan) if (assessed(one) or date.min) <= start}


def _plan(plan: Plan, places: Mapping[str, str], time: Mapping[str, str], act: Act) -> Resource:
    made = _copy(plan.care_plan, places) | {"status": "draft", "period": time}
    made |= {"replaces": [{"reference": plan.name}], "created": act.today.isoformat()}
    goals = [{"reference": to} for to in places.values() if to.startswith("Goal/")]
    return _without_empty(made | _still(made, plan, places) | {"goal": goals})


def _still(made: Resource, plan: Plan, places: Mapping[str, str]) -> Resource:
    """What a plan or part rests on and holds that has not ended with the year."""
    needs, outdated = {name(one) for one in plan.needs}, _outdated(plan)
    rests = members(made.get("supportingInfo"))
    return {
        "addresses": [one for one in members(made.get("addresses")) if _is_open(one, plan, needs)],
        "supportingInfo": [one for one in rests if not outdated & set(names(one))],
        "activity": [one for one in members(made.get("activity")) if _is_carried(one, places)],
    }


def _is_open(reference: Resource, plan: Plan, needs: set[str]) -> bool:
    """A need that is still one; a condition that is no need stays as it was."""
    [target] = names(reference) or [""]
    one = plan.resources.get(target, {})
    is_need = "assessed-need" in str(one.get("category"))
    return not is_need or target in needs


def _is_carried(activity: Resource, places: Mapping[str, str]) -> bool:
    """An activity of its own, or one that a copy, or something else than a request, stands for."""
    targets = names(activity.get("reference"))
    kinds = ("ServiceRequest/", "Task/")
    return all(one in places.values() or not one.startswith(kinds) for one in targets)


def _goal(goal: Resource, places: Mapping[str, str], time: Mapping[str, str]) -> Resource:
    made = {key: value for key, value in _copy(goal, places).items() if key not in OF_ITS_TIME}
    steps = [one for one in members(made.get("extension")) if _leads_on(one, places)]
    made |= {"lifecycleStatus": "proposed", "startDate": time["start"]}
    return made | {"extension": [*steps, relation("successor", name(goal))]}


def _leads_on(extension: Resource, places: Mapping[str, str]) -> bool:
    """A relation to a goal that is carried over too; any other extension."""
    if not str(extension.get("url", "")).endswith("goal-relationship"):
        return True
    parts = members(extension.get("extension"))
    targets = [target for part in parts for target in names(part.get("valueReference"))]
    return all(target in places.values() for target in targets)


def _request(
    one: Resource, places: Mapping[str, str], time: Mapping[str, str], act: Act
) -> Resource:
    made = _copy(one, places) | {"authoredOn": to_text(act.now)}
    made.pop("note", None)
    if one["resourceType"] == "Task":
        made |= {"status": "requested"}
        for key in ("executionPeriod", "lastModified", "businessStatus", "output"):
            made.pop(key, None)
        return made | {"restriction": {**made.get("restriction", {}), "period": time}}
    made |= {"status": "draft", "replaces": [{"reference": name(one)}]}
    timing = made.get("occurrenceTiming")
    if isinstance(timing, dict) and "repeat" in timing:
        repeat = {k: v for k, v in timing["repeat"].items() if not k.startswith("bounds")}
        return made | {"occurrenceTiming": {**timing, "repeat": {**repeat, "boundsPeriod": time}}}
    return made | ({"occurrencePeriod": time} if "occurrencePeriod" in made else {})


def _part(
    one: Resource, plan: Plan, places: Mapping[str, str], time: Mapping[str, str], act: Act
) -> Resource:
    made = _copy(one, places) | {"status": "draft", "created": act.today.isoformat()}
    made |= _still(made, plan, places)
    return _without_empty(made | ({"period": time} if "period" in made else {}))


def _copy(one: Resource, places: Mapping[str, str]) -> Resource:
    """A resource of its own, whose references lead to copies, and to no goal left behind."""
    kept = {key: _led(value, places) for key, value in one.items() if key not in LEFT_BEHIND}
    return _without_empty(kept) | {"id": places[name(one)].partition("/")[2]}


def _led(value: Any, places: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_led(item, places) for item in value if not _is_left_behind(item, places)]
    if not isinstance(value, dict):
        return value
    return {
        key: places.get(item, item)
        if key == "reference" and isinstance(item, str)
        else _led(item, places)
        for key, item in value.items()
    }


def _is_left_behind(item: Any, places: Mapping[str, str]) -> bool:
    """Whether one of several, be it an extension, leads to a goal that is not carried over."""
    given = [item, item.get("valueReference")] if isinstance(item, dict) else []
    return any(one.startswith("Goal/") and one not in places for one in names(given))


def _without_empty(made: Resource) -> Resource:
    return {key: value for key, value in made.items() if value != []}
