"""The demonstration as loaded: its resources, and the questions the tests ask of them."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

from app.isp.demonstration import bundles

Resource = dict[str, Any]
TODAY = date(2027, 5, 19)
CLIENTS = {
    "Patient/maria-alvarez": "CarePlan/maria-alvarez-isp",
    "Patient/theo-lindqvist": "CarePlan/theo-lindqvist-isp",
}


@cache
def versions(today: date = TODAY) -> list[list[Resource]]:
    return [[entry["resource"] for entry in bundle["entry"]] for bundle in bundles(today)]


@cache
def current(today: date = TODAY) -> dict[str, Resource]:
    return {name(one): one for bundle in versions(today) for one in bundle}


def name(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def references(element: Any) -> Iterator[str]:
    if isinstance(element, list):
        for item in element:
            yield from references(item)
    elif isinstance(element, dict):
        if isinstance(element.get("reference"), str):
            yield element["reference"]
        for value in element.values():
            yield from references(value)


def subject(resource: Resource) -> str | None:
    for element in ("subject", "patient", "for", "beneficiary", "securityContext"):
        if element in resource:
            return str(resource[element]["reference"])
    return None


def of(client: str, type_: str) -> list[Resource]:
    resources = [one for one in current().values() if one["resourceType"] == type_]
    if type_ in ("Provenance", "Appointment"):
        short = client.removeprefix("Patient/")
        return [one for one in resources if one["id"].startswith(short)]
    return [one for one in resources if subject(one) == client]


def codes(concepts: Any) -> set[str]:
    concepts = concepts if isinstance(concepts, list) else [concepts]
    return {coding["code"] for concept in concepts for coding in concept.get("coding", [])}


def extension(resource: Resource, url: str) -> list[dict[str, Any]]:
    found = [one for one in resource.get("extension", []) if one["url"].endswith(f"/{url}")]
    return [{part["url"]: part for part in one.get("extension", [])} for one in found]


def milestone_of(goal: Resource) -> str | None:
    for relation in extension(goal, "goal-relationship"):
        if codes(relation["type"]["valueCodeableConcept"]) == {"milestone"}:
            return str(relation["target"]["valueReference"]["reference"])
    return None
