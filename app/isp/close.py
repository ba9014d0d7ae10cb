"""What begins and ends with a plan: its goals, services, parts and what keeps it going. Pure.

Resources come back changed, to be written together with the plan they belong to.
"""

from collections.abc import Iterator
from datetime import date

from app.fhir.context import Resource
from app.isp import codes as code
from app.isp.element import codes, name
from app.isp.lifecycle import CURRENT, followed, listed, replaced
from app.isp.plan import Plan, assemble

NOT_CARRIED = "Not carried over into the plan that follows."


def beginning(plan: Plan) -> Iterator[Resource]:
    """What was agreed to and waited for the plan to begin: goals, services, parts."""
    for goal in plan.goals:
        if goal.get("lifecycleStatus") in ("proposed", "planned", "accepted"):
            yield {**goal, "lifecycleStatus": "active"}
    for service in plan.services:
        if not service.path and service.status == "draft":
            yield {**service.resource, "status": "active"}
    for part in plan.parts:
        if part.get("status") == "draft":
            yield {**part, "status": "active"}


def succeeded(plan: Plan, today: date) -> Iterator[Resource]:
    """The plans in force that this one replaces, completed, with what ends there."""
    kept = {one for own in plan.whole for one in listed(own)}
    kept |= {name(goal) for goal in plan.goals}
    moved_on = {target for goal in plan.goals for target in followed(goal)}
    for old in replaced(plan):
        earlier = assemble(plan.resources.values(), str(old["id"]))
        for one in ending(earlier, today):
            if name(one) in kept:
                continue
            is_dropped = one["resourceType"] == "Goal" and name(one) not in moved_on
            reason = {"lifecycleStatus": "cancelled", "statusReason": NOT_CARRIED}
            yield one | reason if is_dropped else one


def ending(plan: Plan, today: date) -> Iterator[Resource]:
    """The plan, its parts, live goals, services and open Tasks, each at its end."""
    for own in plan.whole:
        if own.get("status") in (*CURRENT, "draft"):
            yield {**own, "status": "completed"}
    for goal in plan.goals:
        if goal.get("lifecycleStatus") not in code.ENDED_GOALS:
            yield {**goal, "lifecycleStatus": "completed", "statusDate": today.isoformat()}
    for service in plan.services:
        if not service.path and service.is_live:
            status = "revoked" if service.status == "draft" else "completed"
            yield {**service.resource, "status": status}
    for task in plan.tasks:
        if task.get("status") in code.LIVE_TASKS:
            is_called_off = codes(task.get("code")) & code.PROCESS - {code.RENEWAL}
            yield {**task, "status": "cancelled" if is_called_off else "completed"}
