"""Activities that a plan describes itself become resources of their own. Pure.

Many systems send CarePlan.activity.detail; who gives a service, and how it goes, is told by a
ServiceRequest or a Task. https://hl7.org/fhir/us/eltss/ forbids the detail.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.fhir.context import Resource
from app.isp.act import Act, provenance, refuse
from app.isp.element import members, name, names
from app.isp.lifecycle import CURRENT
from app.isp.plan import Plan

LAY = ("Patient/", "RelatedPerson/")
PERTAINS = "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal"
REQUEST_STATUS = {
    "not-started": "draft",
    "scheduled": "active",
    "in-progress": "active",
    "on-hold": "on-hold",
    "completed": "completed",
    "cancelled": "revoked",
    "stopped": "revoked",
    "unknown": "unknown",
    "entered-in-error": "entered-in-error",
}
"""https://hl7.org/fhir/R4/valueset-care-plan-activity-status.html to request-status."""
TASK_STATUS = REQUEST_STATUS | {
    "not-started": "requested",
    "scheduled": "accepted",
    "in-progress": "in-progress",
    "cancelled": "cancelled",
    "stopped": "failed",
    "unknown": "requested",
}
ALIKE = ("code", "reasonCode", "reasonReference", "performer")


def normalized(plan: Plan, act: Act) -> list[Resource]:
    """The plan with references in place of details, and what they lead to.

    Raises Unprocessable for a plan without details, or one that is over.
    """
    care_plan, activities, made = plan.care_plan, [], list[Resource]()
    if care_plan.get("status") not in (*CURRENT, "draft"):
        raise refuse("Status", "a plan that is over stays as it was.", "CarePlan.status")
    for activity in members(care_plan.get("activity")):
        detail = activity.get("detail")
        if not isinstance(detail, dict):
            activities.append(activity)
            continue
        one = _resource(care_plan, detail) | {"id": act.new_id()}
        made.append(one)
        kept = {key: value for key, value in activity.items() if key != "detail"}
        activities.append({**kept, "reference": {"reference": name(one)}})
    if not made:
        raise refuse("Nothing to do", "no activity has a detail.", "CarePlan.activity.detail")
    own = {**care_plan, "activity": activities}
    return [own, *made, provenance(act, "normalize", [own, *made])]


def _resource(care_plan: Resource, detail: Resource) -> Resource:
    lay = [one for one in names(detail.get("performer")) if one.startswith(LAY)]
    is_task = detail.get("kind") == "Task" or (lay and len(lay) == len(detail["performer"]))
    made = _task(care_plan, detail) if is_task else _request(care_plan, detail)
    extensions = [
        *members(detail.get("extension")),
        *({"url": PERTAINS, "valueReference": goal} for goal in members(detail.get("goal"))),
    ]
    return made | ({"extension": extensions} if extensions else {})


def _request(care_plan: Resource, detail: Resource) -> Resource:
    made: Resource = {
        "resourceType": "ServiceRequest",
        "status": REQUEST_STATUS[detail["status"]],
        "intent": "plan",
        "subject": care_plan["subject"],
        "basedOn": [{"reference": name(care_plan)}],
    }
    made |= {key: detail[key] for key in ALIKE if key in detail}
    if "code" not in made and "description" in detail:
        made["code"] = {"text": detail["description"]}
    elif "description" in detail:
        made["note"] = [{"text": detail["description"]}]
    if detail.get("doNotPerform"):
        made["doNotPerform"] = True
    if "location" in detail:
        made["locationReference"] = [detail["location"]]
    return made | dict(_occurrence(detail)) | dict(_quantity(detail))


def _occurrence(detail: Resource) -> Iterator[tuple[str, Any]]:
    for kind in ("Timing", "Period"):
        if f"scheduled{kind}" in detail:
            yield f"occurrence{kind}", detail[f"scheduled{kind}"]
    if "scheduledString" in detail:
        yield "occurrenceTiming", {"code": {"text": detail["scheduledString"]}}


def _quantity(detail: Resource) -> Iterator[tuple[str, Any]]:
    if "quantity" in detail:
        yield "quantityQuantity", detail["quantity"]
    elif "dailyAmount" in detail:
        daily = {"value": 1, "unit": "day", "system": "http://unitsofmeasure.org", "code": "d"}
        yield "quantityRatio", {"numerator": detail["dailyAmount"], "denominator": daily}


def _task(care_plan: Resource, detail: Resource) -> Resource:
    made: Resource = {
        "resourceType": "Task",
        "status": TASK_STATUS[detail["status"]],
        "intent": "plan",
        "for": care_plan["subject"],
        "basedOn": [{"reference": name(care_plan)}],
    }
    made |= {key: detail[key] for key in ("code", "description") if key in detail}
    made |= _single(detail, (("performer", "owner"), ("reasonReference", "reasonReference")))
    made |= _single(detail, (("reasonCode", "reasonCode"),))
    if "scheduledPeriod" in detail:
        made["restriction"] = {"period": detail["scheduledPeriod"]}
    return made


def _single(detail: Resource, pairs: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
    """The first of what a detail may repeat and a Task may not."""
    return {to: members(detail[of])[0] for of, to in pairs if members(detail.get(of))}
