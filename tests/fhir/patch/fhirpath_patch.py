"""A FHIRPath Patch, and what it patches, in few words."""

from typing import Any

from app.fhir.patch.fhirpath_patch import fhirpath_patch

Json = dict[str, Any]


def part(name: str, **value: Any) -> Json:
    return {"name": name, **value}


def op(type_: str, path: str, *value: Json, **numbers: int) -> Json:
    """One operation; a keyword is a name with an integer, `value` are parts ready made."""
    parts = [part("type", valueCode=type_), part("path", valueString=path), *value]
    parts += [part(name, valueInteger=number) for name, number in numbers.items()]
    return {"name": "operation", "part": parts}


def name(text: str) -> Json:
    return part("name", valueString=text)


def value(**given: Any) -> Json:
    return part("value", **given)


def person(**elements: Any) -> Json:
    return {"resourceType": "Patient", "id": "p", **elements}


def applied(before: Json, *operations: Json) -> Json:
    patch: Json = {"resourceType": "Parameters"}
    return fhirpath_patch(before, patch | ({"parameter": [*operations]} if operations else {}))


def order(*values: str) -> Json:
    return person(identifier=[{"value": each} for each in values])


CONTACT = {"name": {"text": "A"}, "gender": "male"}
