"""The resources of a plan: out of a Bundle, or out of stored rows; with references they share."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from app.fhir.context import Resource
from app.fhir.errors import BadRequest, Issue, Unprocessable
from app.fhir.references import walk
from app.fhir.registry import is_type
from app.fhir.validation.structure import validate
from app.isp import codes as code
from app.isp.element import codes, name, names


def of_bodies(
    bodies: Iterable[str], base_url: str, parse: Callable[[str], Any] = orjson.loads
) -> list[Resource]:
    """The stored resources, with every reference to this server made relative.

    For judging only: what orjson reads has no exact decimals, and must not be sent or stored.
    """
    found: list[Resource] = []
    for body in bodies:
        resource = parse(body)
        if base_url in body:
            for element in walk(resource):
                element["reference"] = element["reference"].removeprefix(f"{base_url}/")
        found.append(resource)
    return found


def of_bundle(bundle: Any) -> list[Resource]:
    """The resources of a Bundle as drafted; references by fullUrl become Type/id.

    Changes the resources in place. Raises BadRequest for what is no Bundle of resources, and
    Unprocessable with all issues where one of them is not valid.
    """
    entries = _entries(bundle)
    issues, targets = [], {}
    for index, entry in enumerate(entries):
        resource, url = entry["resource"], str(entry.get("fullUrl", f"entry-{index}"))
        resource.setdefault("id", re.split("[:/]", url)[-1])
        targets[url] = name(resource)
        issues += [_within(index, one) for one in validate(resource, resource["resourceType"])]
    if any(one.severity in ("error", "fatal") for one in issues):
        raise Unprocessable("The Bundle holds resources that are not valid.", issues=issues)
    for entry in entries:
        for element in walk(entry["resource"]):
            given = element["reference"]
            element["reference"] = targets.get(given, given)
    return [entry["resource"] for entry in entries]


def _entries(bundle: Any) -> list[dict[str, Any]]:
    is_bundle = isinstance(bundle, dict) and bundle.get("resourceType") == "Bundle"
    entries = bundle.get("entry", []) if is_bundle else None
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        raise BadRequest("Send the plan as a Bundle of resources.", expression=["Bundle.entry"])
    return entries


def _is_entry(entry: Any) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and is_type(str(resource.get("resourceType")))


def _within(index: int, issue: Issue) -> Issue:
    paths = (one.partition(".") for one in issue.expression)
    places = tuple(f"Bundle.entry[{index}].resource{dot}{path}" for _, dot, path in paths)
    return Issue(issue.code, issue.diagnostics, places, issue.severity)


def root(resources: Iterable[Resource]) -> str:
    """The id of the one plan among them that is neither part of another nor replaced by one.

    Raises Unprocessable where there is none, or more than one.
    """
    plans = [one for one in resources if one["resourceType"] == "CarePlan"]
    replaced = {target for one in plans for target in names(one.get("replaces"))}
    found = [one for one in plans if "partOf" not in one and name(one) not in replaced]
    own = [one for one in found if code.PLAN in codes(one.get("category"))] or found
    if len(own) != 1:
        raise Unprocessable(
            f"There are {len(own)} plans in the Bundle that are part of no other; send one.",
            expression=["Bundle.entry"],
        )
    return str(own[0]["id"])
