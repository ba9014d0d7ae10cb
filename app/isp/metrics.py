"""Figures on how plans are kept: counted over whatever is given, and naming nobody. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from app.fhir.context import Resource
from app.isp.codes import EFFECTIVE, LIVE_GOALS
from app.isp.element import choice, codes, day, last_day, members, name, names, period
from app.isp.rules.goals import ENDS_WELL, MEASURABLE
from app.isp.service import of_request

MEASURE = "https://isp-fhir.example/Measure/isp"
ENDED = frozenset({"completed", "cancelled"})
CURRENT = EFFECTIVE - {"completed"}


@dataclass(frozen=True, slots=True)
class Span:
    """What the figures are about: from the first day to the last; and the day they are made."""

    start: date
    end: date
    today: date

    def holds(self, on: date | None) -> bool:
        """Whether a day lies within."""
        return on is not None and self.start <= on <= self.end


@dataclass(frozen=True, slots=True)
class Figure:
    """So many of so many; or a median in days over so many, where `days` is given."""

    code: str
    text: str
    part: int
    of: int
    days: float | None = None


def figures(by_type: Mapping[str, Sequence[Resource]], span: Span) -> list[Figure]:
    """The five figures, of CarePlans, Goals, review Tasks, Provenances, ServiceRequests, needs."""
    goals, tasks = by_type.get("Goal", ()), by_type.get("Task", ())
    plans = [one for one in by_type.get("CarePlan", ()) if _is_current(one)]
    live = [one for one in goals if one.get("lifecycleStatus") in LIVE_GOALS]
    due = [one for one in tasks if _is_due(one, span)]
    ended = [one for one in goals if _has_ended(one, span)]
    signed = {target for one in by_type.get("Provenance", ()) for target in _signed(one)}
    return [
        _share("reviews-on-time", "Reviews held by the day they were due", due, _is_on_time),
        _share("goals-measurable", "Goals with measure, value and day", live, is_measurable),
        _share(
            "plans-signed", "Plans in force that are signed", plans, lambda o: name(o) in signed
        ),
        _share("goals-achieved", "Goals that ended well", ended, _ended_well),
        _waits(by_type.get("Condition", ()), by_type.get("ServiceRequest", ()), span),
    ]


def is_measurable(goal: Resource) -> bool:
    """Whether every target of a goal says what is measured, to which value, by which day (C12)."""
    targets = members(goal.get("target"))
    return bool(targets) and all(_is_complete(one) for one in targets)


def _is_complete(target: Resource) -> bool:
    details = {key.removeprefix("detail") for key in choice(target, "detail")}
    return "measure" in target and bool(details & MEASURABLE) and bool(choice(target, "due"))


def _share(
    code: str, text: str, among: Iterable[Resource], is_met: Callable[[Resource], bool]
) -> Figure:
    met = [is_met(one) for one in among]
    return Figure(code, text, sum(met), len(met))


def _is_current(plan: Resource) -> bool:
    return plan.get("status") in CURRENT and "partOf" not in plan


def _due(task: Resource) -> date | None:
    return period(task.get("restriction", {}).get("period"))[1]


def _is_due(task: Resource, span: Span) -> bool:
    """A review whose last day has come, and that was not called off."""
    due = _due(task)
    is_wanted = task.get("status") not in ("cancelled", "entered-in-error")
    return is_wanted and span.holds(due) and due is not None and due <= span.today


def _is_on_time(task: Resource) -> bool:
    done = last_day(task.get("executionPeriod", {}).get("end")) or day(task.get("lastModified"))
    due = _due(task)
    return task.get("status") == "completed" and bool(done and due and done <= due)


def _has_ended(goal: Resource, span: Span) -> bool:
    return goal.get("lifecycleStatus") in ENDED and span.holds(day(goal.get("statusDate")))


def _ended_well(goal: Resource) -> bool:
    return bool(codes(goal.get("achievementStatus")) & ENDS_WELL)


def _signed(provenance: Resource) -> Iterator[str]:
    if provenance.get("signature"):
        yield from names(provenance.get("target"))


def _waits(needs: Iterable[Resource], requests: Iterable[Resource], span: Span) -> Figure:
    """From the day a need was written down to the first day of the first service for it."""
    first: dict[str, date] = {}
    for service in (of_request(one) for one in requests):
        if service.start:
            first |= {
                need: min(service.start, first.get(need, date.max)) for need in service.reasons
            }
    began = [
        (first[name(one)] - written).days
        for one in needs
        if (written := day(one.get("recordedDate"))) and span.holds(first.get(name(one)))
    ]
    days = float(median(began)) if began else None
    return Figure("days-to-service", "Days from need to service", len(began), len(began), days)


def report(found: Iterable[Figure], span: Span, made: str) -> Resource:
    """The MeasureReport of the figures. https://hl7.org/fhir/R4/measurereport.html"""
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": MEASURE,
        "date": made,
        "period": {"start": span.start.isoformat(), "end": span.end.isoformat()},
        "group": [_group(one) for one in found],
    }


def _group(figure: Figure) -> Resource:
    coding = {"system": f"{MEASURE}/group", "code": figure.code}
    made: Resource = {"code": {"coding": [coding], "text": figure.text}}
    if figure.code == "days-to-service":
        made["population"] = [_population("measure-population", figure.of)]
        return made | _score(figure.days, "days", "d")
    made["population"] = [
        _population("numerator", figure.part),
        _population("denominator", figure.of),
    ]
    return made | _score(round(100 * figure.part / figure.of, 1) if figure.of else None, "%", "%")


def _population(code: str, count: int) -> Resource:
    system = "http://terminology.hl7.org/CodeSystem/measure-population"
    return {"code": {"coding": [{"system": system, "code": code}]}, "count": count}


def _score(value: float | None, unit: str, code: str) -> Resource:
    if value is None:
        return {}
    system = "http://unitsofmeasure.org"
    return {"measureScore": {"value": value, "unit": unit, "system": system, "code": code}}
