"""A service or support of a plan, whether it stands in a ServiceRequest or in activity.detail."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.fhir.context import Resource
from app.isp import codes as code
from app.isp.element import codes, extensions, members, name, names, period

REASON = "request-statusReason"


@dataclass(frozen=True, slots=True)
class Service:
    """What somebody does for the person: who, how much, how long, why, for which goals.

    `path` is where it stands in its resource, "" for a resource of its own; `marks` are the codes
    of its category; `start` and `end` are the first and last day.
    """

    resource: Resource
    path: str
    element: dict[str, Any]
    status: str
    marks: frozenset[str]
    goals: tuple[str, ...]
    reasons: tuple[str, ...]
    performers: tuple[str, ...]
    start: date | None
    end: date | None

    @property
    def name(self) -> str:
        return name(self.resource)

    def below(self, element: str) -> str:
        """The path of one of its elements, in its resource."""
        return f"{self.path}.{element}" if self.path else element

    @property
    def is_live(self) -> bool:
        return self.status in (
            "draft",
            "active",
            "on-hold",
            "not-started",
            "scheduled",
            "in-progress",
        )

    @property
    def is_natural(self) -> bool:
        """Whether it is unpaid: family, friends, neighbours."""
        return bool(self.marks & {code.NATURAL_SUPPORT, code.UNFUNDED})

    @property
    def has_measure(self) -> bool:
        """Whether it says how much or how often."""
        given = self.element
        if any(key in given for key in ("quantity", "dailyAmount", "scheduledString")):
            return True
        if any(key.startswith("quantity") for key in given) or given.get("asNeededBoolean"):
            return True
        timing = given.get("occurrenceTiming") or given.get("scheduledTiming") or {}
        repeat = timing.get("repeat", {})
        return "code" in timing or "event" in timing or "frequency" in repeat or "count" in repeat


def of_request(request: Resource) -> Service:
    """The service that a ServiceRequest is."""
    start, end = _span(request, "occurrence")
    return Service(
        resource=request,
        path="",
        element=request,
        status=request.get("status", ""),
        marks=codes(request.get("category")),
        goals=tuple(pertains(request)),
        reasons=(*names(request.get("reasonReference")), *_words(request.get("reasonCode"))),
        performers=tuple(names(request.get("performer"))),
        start=start,
        end=end,
    )


def of_details(care_plan: Resource) -> Iterator[Service]:
    """The services that stand in the activities of a CarePlan themselves."""
    for index, activity in enumerate(members(care_plan.get("activity"))):
        detail = activity.get("detail")
        if isinstance(detail, dict):
            start, end = _span(detail, "scheduled")
            yield Service(
                resource=care_plan,
                path=f"activity[{index}].detail",
                element=detail,
                status=detail.get("status", ""),
                marks=codes(detail.get("code")),
                goals=tuple(names(detail.get("goal"))),
                reasons=(*names(detail.get("reasonReference")), *_words(detail.get("reasonCode"))),
                performers=tuple(names(detail.get("performer"))),
                start=start,
                end=end,
            )


def pertains(resource: Resource) -> list[str]:
    """The goals that a request or Task serves.

    http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal
    """
    found = extensions(resource, "resource-pertainsToGoal")
    return [target for one in found for target in names(one.get("valueReference"))]


def _words(concepts: Any) -> list[str]:
    return [one.get("text", "coded") for one in members(concepts)]


def _span(element: dict[str, Any], stem: str) -> tuple[date | None, date | None]:
    timing = element.get(f"{stem}Timing") or {}
    bounds = timing.get("repeat", {}).get("boundsPeriod")
    return period(bounds or element.get(f"{stem}Period"))
