import json
import re
from collections.abc import Iterator
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from app.fhir import fhirpath
from app.fhir.registry import TYPES, parameters
from tests.official import conformance_examples, examples

CONFORMANCE_SAMPLES = {
    "StructureDefinition": 60,
    "ValueSet": 150,
    "CodeSystem": 150,
    "SearchParameter": 200,
    "OperationDefinition": 12,
}
"""Every n-th of the package's own resources, to keep the oracle's time bounded."""

PLAN: dict[str, Any] = {
    "resourceType": "CarePlan",
    "contained": [{"resourceType": "Patient", "id": "p"}, {"resourceType": "Group", "id": "g"}],
    "status": "active",
    "subject": {"reference": "#p"},
    "author": {"type": "Practitioner", "identifier": {"value": "7"}},
    "activity": [
        {"detail": {"status": "completed", "scheduledPeriod": {"start": "2026-01-01"}}},
        {"detail": {"status": "scheduled", "scheduledString": "weekly"}},
        {"reference": {"reference": "http://other.example/fhir/Task/1/_history/2"}},
    ],
}


def test_every_parameter_finds_on_the_official_examples_what_the_oracle_finds() -> None:
    compared = 0
    for resource in samples():
        for parameter in parameters(resource["resourceType"]).values():
            found = fhirpath.compile(parameter.expression)(resource)
            assert values(found) == oracle(parameter.expression, resource), parameter
            compared += bool(found)
    assert compared > 500


def samples() -> Iterator[dict[str, Any]]:
    yield from examples()
    for kind, every in CONFORMANCE_SAMPLES.items():
        yield from conformance_examples(kind, every)


def values(found: fhirpath.Elements) -> list[str]:
    return sorted({json.dumps(value, sort_keys=True, default=float) for _, value in found})


COMPILED: dict[str, Any] = {}


def oracle(expression: str, resource: dict[str, Any]) -> list[str]:
    """What fhirpathpy finds, asked in its own terms.

    It lacks resolve(), so the reference itself is asked; it takes `as` only of one element, as
    FHIRPath says and R4 does not; and it does not know that every resource is a Resource.
    """
    contained = resource.get("contained", [])
    for type_ in TYPES:
        ids = " | ".join(f"'#{one['id']}'" for one in contained if one["resourceType"] == type_)
        by_text = f"reference.startsWith('{type_}/') or type = '{type_}'"
        by_text += f" or (reference in ({ids}))" if ids else ""
        expression = expression.replace(f"resolve() is {type_}", by_text)
    expression = re.sub(r" as (\w+)", r".ofType(\1)", expression).replace(".as(", ".ofType(")
    if expression.startswith("Resource."):
        expression = expression.replace("Resource", resource["resourceType"], 1)
    if expression not in COMPILED:
        COMPILED[expression] = fhirpathpy.compile(expression, models["r4"])
    found = COMPILED[expression](json.loads(json.dumps(resource, default=float)))
    return sorted({json.dumps(value, sort_keys=True, default=float) for value in found})


@pytest.mark.parametrize("type_", TYPES)
def test_every_expression_of_the_registry_compiles(type_: str) -> None:
    for parameter in parameters(type_).values():
        fhirpath.compile(parameter.expression)
        for component in parameter.components:
            fhirpath.compile_relative(component.expression)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("CarePlan.status", [("code", "active")]),
        ("Resource.language", []),
        ("Goal.lifecycleStatus", []),
        ("CarePlan.activity.detail.status", [("code", "completed"), ("code", "scheduled")]),
        (
            "CarePlan.activity.detail.scheduled",
            [("Period", {"start": "2026-01-01"}), ("string", "weekly")],
        ),
        ("(CarePlan.activity.detail.scheduled as string)", [("string", "weekly")]),
        ("CarePlan.activity.detail.scheduled.ofType(Timing)", []),
        ("CarePlan.activity[1].detail.status", [("code", "scheduled")]),
        ("CarePlan.activity[9].detail.status", []),
        ("CarePlan.activity.first().detail.status", [("code", "completed")]),
        ("CarePlan.activity.detail.where(status = 'scheduled').status", [("code", "scheduled")]),
        ("CarePlan.subject.where(resolve() is Patient)", [("Reference", {"reference": "#p"})]),
        ("CarePlan.subject.where(resolve() is Group)", []),
        ("CarePlan.author.where(resolve() is Practitioner)", [("Reference", PLAN["author"])]),
        (
            "CarePlan.activity.reference.where(resolve() is Task)",
            [("Reference", PLAN["activity"][2]["reference"])],
        ),
        ("CarePlan.status | CarePlan.status", [("code", "active")]),
        ("CarePlan.status.exists() and CarePlan.status != false", [("boolean", True)]),
        ("CarePlan.title.exists() and CarePlan.title != false", [("boolean", False)]),
        (
            "CarePlan.contained",
            [("Patient", PLAN["contained"][0]), ("Group", PLAN["contained"][1])],
        ),
    ],
)
def test_an_expression_finds_typed_elements(expression: str, found: fhirpath.Elements) -> None:
    assert fhirpath.compile(expression)(PLAN) == found


def test_a_primitive_with_only_extensions_is_left_out() -> None:
    patient = {
        "resourceType": "Patient",
        "name": [{"given": [None, "Ada"], "_given": [{"extension": []}, None]}],
        "_birthDate": {"extension": []},
    }
    assert fhirpath.compile("Patient.name.given")(patient) == [("string", "Ada")]
    assert fhirpath.compile("Patient.birthDate")(patient) == []


def test_a_specialised_type_is_also_of_the_general_type() -> None:
    condition = {"resourceType": "Condition", "onsetAge": {"value": 7}}
    assert fhirpath.compile("Condition.onset.as(Quantity)")(condition) == [("Age", {"value": 7})]


def test_a_component_starts_at_its_element() -> None:
    element = ("Observation.component", {"code": {"text": "x"}, "valueQuantity": {"value": 1}})
    value = fhirpath.compile_relative("value.as(Quantity)")
    assert value(element, {"resourceType": "Observation"}) == [("Quantity", {"value": 1})]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "CarePlan.",
        "CarePlan.status.",
        "CarePlan.repeat(x)",
        "CarePlan.status +",
        "(CarePlan",
        "a[b]",
        "%x",
    ],
)
def test_what_is_outside_the_subset_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"FHIRPath|invalid literal"):
        fhirpath.compile(expression)
