"""A goal gives way to another one, and the trace of it stays. Pure."""

from collections.abc import Iterator

from app.fhir.context import Resource
from app.isp import codes as code
from app.isp.act import Act, provenance, refuse
from app.isp.element import extensions, inner, members, name, names
from app.isp.plan import Resources

RELATIONSHIP = "http://hl7.org/fhir/StructureDefinition/goal-relationship"


def relation(kind: str, target: str) -> Resource:
    """The extension that says how a goal relates to another: milestone, successor, replacement.

    https://hl7.org/fhir/R4/extension-goal-relationship.html
    """
    coding = {"system": f"{code.HL7}/goal-relationship-type", "code": kind}
    return {
        "url": RELATIONSHIP,
        "extension": [
            {"url": "type", "valueCodeableConcept": {"coding": [coding]}},
            {"url": "target", "valueReference": {"reference": target}},
        ],
    }


def replaced_goal(
    old: Resource, wanted: Resource, known: Resources, reason: str, act: Act
) -> list[Resource]:
    """The new goal, the old one cancelled, and all that served it serving the new one.

    `known` are the resources of the person. Raises Unprocessable for a goal that has ended, and for
    a new one that is about somebody else.
    """
    if old.get("lifecycleStatus") in code.ENDED_GOALS:
        said = "a goal that has ended is not replaced; write a new one."
        raise refuse("Goal", said, "Goal.lifecycleStatus")
    if names(wanted.get("subject")) != names(old["subject"]):
        raise refuse("Subject", "the new goal is about the same person.", "Goal.subject")
    new = _new(old, wanted, act)
    cancelled = {
        **old,
        "lifecycleStatus": "cancelled",
        "statusDate": act.today.isoformat(),
        "statusReason": reason,
    }
    moved = list(_led_to(name(old), name(new), known))
    return [new, cancelled, *moved, provenance(act, "replace", [new, cancelled, *moved], reason)]


def _new(old: Resource, wanted: Resource, act: Act) -> Resource:
    kept = {key: value for key, value in wanted.items() if key not in ("id", "meta")}
    steps = [one for one in extensions(old, "goal-relationship") if _is_step(one)]
    own = [] if any(map(_is_step, extensions(wanted, "goal-relationship"))) else steps
    made = {"addresses": old["addresses"]} if "addresses" in old else {}
    made |= {"startDate": act.today.isoformat(), "subject": old["subject"]}
    made |= kept | {"resourceType": "Goal", "id": act.new_id()}
    made.setdefault("lifecycleStatus", old["lifecycleStatus"])
    more = [*members(wanted.get("extension")), *own, relation("replacement", name(old))]
    return made | {"extension": more}


def _is_step(extension: Resource) -> bool:
    return "milestone" in str(inner(extension, "type").get("valueCodeableConcept"))


def _led_to(old: str, new: str, known: Resources) -> Iterator[Resource]:
    """Plans list the new goal beside the old one; services and steps lead to it instead."""
    for one in known:
        if one["resourceType"] == "CarePlan" and old in names(one.get("goal")):
            if one.get("status") in ("draft", "active", "on-hold"):
                yield {**one, "goal": [*one["goal"], {"reference": new}]}
        elif _serves(one, old) and _is_live(one):
            yield {**one, "extension": [_moved(each, old, new) for each in one["extension"]]}


def _serves(one: Resource, goal: str) -> bool:
    if one["resourceType"] == "Goal":
        steps = filter(_is_step, extensions(one, "goal-relationship"))
        return any(goal in names(inner(s, "target").get("valueReference")) for s in steps)
    pertaining = extensions(one, "resource-pertainsToGoal")
    return any(goal in names(each.get("valueReference")) for each in pertaining)


def _is_live(one: Resource) -> bool:
    live = code.LIVE_GOALS | code.LIVE_REQUESTS | code.LIVE_TASKS
    return one.get("lifecycleStatus", one.get("status")) in live


def _moved(extension: Resource, old: str, new: str) -> Resource:
    if extension.get("url", "").endswith("resource-pertainsToGoal"):
        is_old = old in names(extension.get("valueReference"))
        return {**extension, "valueReference": {"reference": new}} if is_old else extension
    if _is_step(extension) and old in names(inner(extension, "target").get("valueReference")):
        return relation("milestone", new)
    return extension
