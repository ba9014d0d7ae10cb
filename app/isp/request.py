"""A request to look at the plan again, by whoever takes part in it. Pure."""

from datetime import datetime

from app.fhir.context import Resource
from app.fhir.errors import Unprocessable
from app.fhir.instant import to_text
from app.isp.codes import CLIENT_REQUEST, ISP, REVIEW
from app.isp.element import days_after, name

Reference = dict[str, str]


def review_request(
    plan: Resource, reason: str, requester: Reference, now: datetime, days: int
) -> Resource:
    """The Task that asks for a review of the plan within so many days.

    Raises Unprocessable for a plan that was entered in error.
    """
    if plan.get("status") == "entered-in-error":
        raise Unprocessable(
            "The plan was entered in error: there is nothing to review.",
            code="business-rule",
            expression=["CarePlan.status"],
        )
    today = now.date()
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "proposal",
        "code": {"coding": [{"system": ISP, "code": REVIEW}]},
        "focus": {"reference": name(plan)},
        "for": plan["subject"],
        "authoredOn": to_text(now),
        "requester": requester,
        "reasonCode": {"coding": [{"system": ISP, "code": CLIENT_REQUEST}], "text": reason},
        "restriction": {
            "period": {"start": today.isoformat(), "end": days_after(today, days).isoformat()}
        },
    }
