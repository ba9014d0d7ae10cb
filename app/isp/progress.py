"""Progress on a goal: one measurement and one word become an Observation and a new Goal. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.fhir.context import Resource
from app.fhir.errors import Unprocessable
from app.fhir.instant import to_text
from app.isp.codes import HL7, SOCIAL
from app.isp.element import codes, day, last_day, members, name

ACHIEVEMENT = frozenset(
    {
        "in-progress",
        "improving",
        "worsening",
        "no-change",
        "achieved",
        "sustaining",
        "not-achieved",
        "no-progress",
        "not-attainable",
    }
)
"""https://hl7.org/fhir/R4/valueset-goal-achievement.html"""

Reference = dict[str, str]


@dataclass(frozen=True, slots=True)
class Progress:
    """What somebody tells about a goal; `measure` is a Quantity or a whole number.

    `of` is the text or a code of what was measured, where the goal has several targets.

    `effective` is a FHIR date or dateTime; `performer` and `author` are References, who measured
    and who wrote the note.
    """

    status: str
    measure: Any
    effective: str
    note: str | None
    now: datetime
    performer: Reference | None = None
    author: Reference | None = None
    of: str | None = None


def observation(goal: Resource, progress: Progress, id_: str) -> Resource:
    """The Observation of what the goal measures. Raises Unprocessable where it measures nothing."""
    target = _target(goal, progress)
    made: Resource = {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "category": [{"coding": [{"system": f"{HL7}/observation-category", "code": SOCIAL}]}],
        "code": target["measure"],
        "subject": goal["subject"],
        "focus": [{"reference": name(goal)}],
        "effectiveDateTime": progress.effective,
    }
    if progress.performer:
        made["performer"] = [progress.performer]
    return made | _value(progress.measure, target)


def progressed(goal: Resource, progress: Progress, outcome: str | None) -> Resource:
    """The next version of the goal; `outcome` is the Observation, Type/id.

    Raises Unprocessable when the goal is not active, or the day has not come yet.
    """
    if goal.get("lifecycleStatus") != "active":
        raise _refusal("Progress is recorded on an active goal.", "Goal.lifecycleStatus")
    today, on = progress.now.date(), last_day(progress.effective)
    if (day(progress.effective) or today) > today:
        raise _refusal("The day of the progress lies ahead.", "Goal.statusDate")
    since = last_day(goal.get("statusDate"))
    latest = max(one for one in (min(on or today, today), since) if one)
    coding = {"system": f"{HL7}/goal-achievement", "code": progress.status}
    made = {**goal, "achievementStatus": {"coding": [coding]}, "statusDate": latest.isoformat()}
    if progress.note:
        made["note"] = [*members(goal.get("note")), _note(progress, progress.note)]
    if outcome:
        made["outcomeReference"] = [*members(goal.get("outcomeReference")), {"reference": outcome}]
    return made


def _note(progress: Progress, text: str) -> dict[str, Any]:
    by = {"authorReference": progress.author} if progress.author else {}
    return {**by, "time": to_text(progress.now), "text": text}


def _target(goal: Resource, progress: Progress) -> dict[str, Any]:
    """The target that this measures: the one it names, the only one, or that of the same unit."""
    targets = [one for one in members(goal.get("target")) if "measure" in one]
    if progress.of is not None:
        targets = [one for one in targets if _is_named(one["measure"], progress.of)]
    if len(targets) > 1:
        own = _unit(progress.measure)
        targets = [one for one in targets if own & _unit(one.get("detailQuantity"))]
    if len(targets) != 1:
        raise _refusal(
            "The goal does not say what this measures (C12): give it one target with a measure,"
            " send a Quantity in the unit of one, or name it in `of`.",
            "Goal.target",
        )
    return targets[0]


def _is_named(measure: Any, wanted: str) -> bool:
    """Whether this is how the measure is called, or one of its codes."""
    said = {measure.get("text"), *(one.get("display") for one in members(measure.get("coding")))}
    return wanted in said | codes(measure)


def _unit(quantity: Any) -> set[str]:
    given = quantity if isinstance(quantity, dict) else {}
    return {str(given[key]) for key in ("code", "unit") if key in given}


def _value(measure: Any, target: dict[str, Any]) -> dict[str, Any]:
    """The value of the Observation, in the unit of the target, which a bare number takes."""
    wanted = target.get("detailQuantity")
    if wanted is None:
        return {"valueQuantity" if isinstance(measure, dict) else "valueInteger": measure}
    given = measure if isinstance(measure, dict) else {"value": measure}
    units, own = _unit(given), _unit(wanted)
    if units and own and not units & own:
        raise _refusal(
            "Measure in the unit of the target, or the series cannot be read.",
            "Goal.target.detail",
        )
    unit = {key: wanted[key] for key in ("unit", "system", "code") if key in wanted}
    return {"valueQuantity": given if units else {**given, **unit}}


def _refusal(diagnostics: str, expression: str) -> Unprocessable:
    return Unprocessable(diagnostics, code="business-rule", expression=[expression])
