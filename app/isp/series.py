"""The progress of a goal as numbers: from baseline to target, with its small steps. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.fhir.context import Resource
from app.isp.element import codes, day, extensions, inner, members, name, names

OVER = frozenset({"entered-in-error", "cancelled", "unknown"})


@dataclass(frozen=True, slots=True)
class Point:
    """A value on a day; `source` is the Observation (Type/id), "" where the goal itself says it."""

    day: date
    value: Decimal
    source: str = ""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A small step towards the goal: `value` where it is counted in the same unit."""

    goal: str
    text: str
    due: date | None
    value: Decimal | None
    status: str


@dataclass(frozen=True, slots=True)
class Series:
    """What is counted, from where to where and until when, and what was measured, by day."""

    goal: str
    text: str
    measure: str
    unit: str
    baseline: Point | None
    target: Decimal | None
    due: date | None
    points: tuple[Point, ...]
    milestones: tuple[Milestone, ...]

    @property
    def begin(self) -> Point | None:
        """Where it began: the baseline, or what was measured first."""
        return self.baseline or next(iter(self.points), None)

    @property
    def latest(self) -> Point | None:
        """What was measured last; the baseline does not count."""
        return self.points[-1] if self.points else None

    @property
    def trend(self) -> str:
        """reached, toward, steady or away, by the last measurement; unknown without one."""
        begin, latest = self.begin, self.latest
        if begin is None or latest is None or self.target is None:
            return "unknown"
        is_rising = self.target >= begin.value
        if latest.value == self.target or (latest.value > self.target) == is_rising:
            return "reached"
        before = self.points[-2].value if len(self.points) > 1 else begin.value
        if latest.value == before:
            return "steady"
        return "toward" if (latest.value > before) == is_rising else "away"


def series(goal: Resource, resources: Mapping[str, Resource]) -> Series:
    """The series of the first target of the goal that holds a number, or of its measure alone."""
    return every(goal, resources)[0]


def every(goal: Resource, resources: Mapping[str, Resource]) -> list[Series]:
    """A series for each target of the goal that holds a number; of its measure where none does."""
    targets = members(goal.get("target"))
    counted = [one for one in targets if _target(one, None) is not None]
    wanted = counted or targets[:1] or [{}]
    return [_series(goal, at, wanted, resources) for at in range(len(wanted))]


def _series(
    goal: Resource, at: int, targets: list[dict[str, Any]], resources: Mapping[str, Resource]
) -> Series:
    target, units = targets[at], _units(targets[at])
    baseline = _baseline(goal, units if at else set())
    seen = [o for o in resources.values() if o["resourceType"] == "Observation"]
    steps = _milestones(goal, units, resources.values())
    return Series(
        goal=name(goal),
        text=str(goal.get("description", {}).get("text", "")),
        measure=_said(target.get("measure")),
        unit=_unit(target),
        baseline=baseline,
        target=_target(target, baseline),
        due=day(target.get("dueDate")),
        points=tuple(_points(goal, units, (o for o in seen if _meant(o, targets) == at))),
        milestones=tuple(one for one in steps if at == 0 or one.value is not None),
    )


def _meant(observation: Resource, targets: list[dict[str, Any]]) -> int | None:
    """The target that an Observation measures: by its unit, and of several such by its code."""
    fitting = [at for at, one in enumerate(targets) if _point(observation, _units(one))]
    same = (at for at in fitting if _is_same(observation.get("code"), targets[at].get("measure")))
    return next(same, fitting[0] if fitting else None)


def _is_same(code: Any, measure: Any) -> bool:
    return bool(codes(code) & codes(measure)) or bool(_said(code) and _said(code) == _said(measure))


def _said(concept: Any) -> str:
    codings = (one.get("display") for one in members((concept or {}).get("coding")))
    return str((concept or {}).get("text") or next(filter(None, codings), ""))


def _decimal(value: Any) -> Decimal | None:
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else None


def _detail(target: Mapping[str, Any]) -> Mapping[str, Any]:
    """The Quantity of a target, of a range its end that says the unit."""
    limits = target.get("detailRange", {})
    found: Any = target.get("detailQuantity") or limits.get("high") or limits.get("low") or {}
    return found if isinstance(found, dict) else {}


def _unit(target: Mapping[str, Any]) -> str:
    detail = _detail(target)
    return str(detail.get("unit") or detail.get("code") or "")


def _units(target: Mapping[str, Any]) -> set[str]:
    detail = _detail(target)
    return {str(detail[key]) for key in ("unit", "code") if key in detail}


def _target(target: Mapping[str, Any], baseline: Point | None) -> Decimal | None:
    """The number to be reached: of a range the end that is met first."""
    if "detailRange" in target:
        low, high = (
            _decimal(target["detailRange"].get(end, {}).get("value")) for end in ("low", "high")
        )
        if low is None or (high is not None and baseline and baseline.value > high):
            return high
        return low
    return _decimal(target.get("detailInteger", _detail(target).get("value")))


def _baseline(goal: Resource, units: set[str]) -> Point | None:
    """Where the person stood, in one of these units where there are any."""
    for one in extensions(goal, "goal-baseline"):
        quantity = inner(one, "value").get("valueQuantity", {})
        if units and not units & {quantity.get("unit"), quantity.get("code")}:
            continue
        value = _decimal(quantity.get("value"))
        on = day(inner(one, "date").get("valueDate")) or day(goal.get("startDate"))
        seen = names(inner(one, "observation").get("valueReference"))
        if value is not None and on is not None:
            return Point(on, value, seen[0] if seen else "")
    return None


def _points(goal: Resource, units: set[str], seen: Iterable[Resource]) -> Iterator[Point]:
    """What was measured of the goal, the oldest first; of one day what was written last."""
    own, linked = name(goal), set(names(goal.get("outcomeReference")))
    found: dict[date, Point] = {}
    for one in sorted(seen, key=lambda o: str(o.get("meta", {}).get("lastUpdated", ""))):
        is_own = name(one) in linked or own in names(one.get("focus"))
        point = _point(one, units)
        if is_own and point is not None and one.get("status") not in OVER:
            found[point.day] = point
    yield from (found[on] for on in sorted(found))


def _point(observation: Resource, units: set[str]) -> Point | None:
    quantity = observation.get("valueQuantity", {})
    own = {str(quantity[key]) for key in ("unit", "code") if key in quantity}
    value = _decimal(observation.get("valueInteger", quantity.get("value")))
    on = day(observation.get("effectiveDateTime") or observation.get("effectiveInstant"))
    on = on or day(observation.get("effectivePeriod", {}).get("start"))
    if value is None or on is None or (units and own and not units & own):
        return None
    return Point(on, value, name(observation))


def _milestones(
    goal: Resource, units: set[str], resources: Iterable[Resource]
) -> Iterator[Milestone]:
    """The goals that call themselves a milestone of this one, the earliest due first."""
    found = [one for one in resources if one["resourceType"] == "Goal" and _is_step(one, goal)]
    made = (_milestone(one, units) for one in found)
    yield from sorted(made, key=lambda one: (one.due or date.max, one.goal))


def _milestone(goal: Resource, units: set[str]) -> Milestone:
    target = next(iter(members(goal.get("target"))), {})
    is_same = not units or bool(_units(target) & units)
    return Milestone(
        goal=name(goal),
        text=str(goal.get("description", {}).get("text", "")),
        due=day(target.get("dueDate")),
        value=_target(target, None) if is_same else None,
        status=str(goal.get("lifecycleStatus", "")),
    )


def _is_step(goal: Resource, towards: Resource) -> bool:
    return any(
        "milestone" in codes(inner(one, "type").get("valueCodeableConcept"))
        and name(towards) in names(inner(one, "target").get("valueReference"))
        for one in extensions(goal, "goal-relationship")
    )
