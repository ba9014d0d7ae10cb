"""Ours against fhir.resources: where they agree, and every place where they differ on purpose."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from app.fhir.json import Number
from app.fhir.model import second_opinion
from app.fhir.registry import TYPES, ElementDefinition, structure, value_set
from app.fhir.validation.primitives import PRIMITIVES
from app.fhir.validation.structure import validate
from tests.official import examples

Json = dict[str, Any]

R4B_ONLY = {
    # R4B added the types CodeableReference and RatioRange, and dropped Meta as a value.
    "Extension": {"valueMeta", "valueCodeableReference", "valueRatioRange"},
    "ElementDefinition": {
        f"{stem}{type_}"
        for stem in ("defaultValue", "fixed", "pattern")
        for type_ in ("Meta", "CodeableReference", "RatioRange")
    },
    "ElementDefinition.example": {"valueMeta", "valueCodeableReference", "valueRatioRange"},
    # R4B lets a plan be about a canonical.
    "PlanDefinition": {"subjectCanonical"},
    "PlanDefinition.action": {"subjectCanonical"},
}
"""The JSON names that only one of R4 and R4B has."""

R4B_TARGETS = {
    ("Group.member", "entity"): {"RelatedPerson"},
    ("Observation", "subject"): {
        "Medication",
        "Organization",
        "Practitioner",
        "Procedure",
        "Substance",
    },
}
"""The types to which a reference may point in R4B and not in R4."""

R4B_EXAMPLES = {
    ("CapabilityStatement", "example"): "fhirVersion 4.3.0 is not a version R4 knows",
    ("StructureDefinition", "Element"): "fhirVersion 4.3.0 is not a version R4 knows",
    ("CompartmentDefinition", "patient"): "names resource types that R4 does not have",
    ("Bundle", "54f808cf-d159-4c9b-accb-c33eb20f0ecc"): "holds a SubscriptionStatus",
}
"""The official examples that are R4B and not R4."""

EXAMPLES = [one for one in examples() if (one["resourceType"], one.get("id")) not in R4B_EXAMPLES]


@pytest.mark.parametrize("example", examples(), ids=lambda one: one["resourceType"])
def test_an_official_example_is_valid_for_both(example: Json) -> None:
    type_ = example["resourceType"]
    assert second_opinion(example) == []
    is_r4 = (type_, example.get("id")) not in R4B_EXAMPLES
    assert (validate(example, type_) == []) is is_r4


@pytest.mark.parametrize("type_", TYPES)
def test_r4_and_the_r4b_models_differ_only_where_listed(type_: str) -> None:
    for name, fields in models(type_, type_, set()):
        ours = {
            json_name: (element, of)
            for element in structure(name).values()
            for json_name, of in element.names.items()
        }
        assert set(ours) ^ set(fields) == R4B_ONLY.get(name, set()), name
        for json_name in set(ours) & set(fields):
            compare(name, json_name, *ours[json_name], fields[json_name])


def models(type_: str, model: str, seen: set[str]) -> Iterator[tuple[str, Mapping[str, FieldInfo]]]:
    """Every type reachable from this one, with the fields of its R4B model."""
    seen.add(type_)
    described = get_fhir_model_class(model).model_fields.items()
    fields = {f.alias or name: f for name, f in described if "element_property" in extra(f)}
    fields.pop("fhir_comments", None)  # an invention of the library, from DSTU2
    yield type_, fields
    for element in structure(type_).values():
        for name, of in element.names.items():
            if of not in PRIMITIVES and of not in {*seen, "Resource"} and name in fields:
                found = re.search(r"(\w+)Type\b", str(fields[name].annotation))
                assert found
                yield from models(of, found[1], seen)


def extra(field: FieldInfo) -> Json:
    found = field.json_schema_extra
    return found if isinstance(found, dict) else {}


def compare(type_: str, name: str, element: ElementDefinition, of: str, field: FieldInfo) -> None:
    told = extra(field)
    if len(element.names) == 1:
        assert element.required == (field.is_required() or "element_required" in told), name
    assert element.many == ("List" in str(field.annotation)), name
    if of == "Reference":
        theirs = set(told.get("enum_reference_types") or ()) - {"Resource"}
        assert theirs - set(element.targets) == R4B_TARGETS.get((type_, name), set())
        assert set(element.targets) <= theirs
    codes = set(told.get("enum_values") or ())
    if element.codes and of == "code" and codes and "+" not in codes:
        assert codes == {code for some in value_set(element.codes).values() for code in some}, name


PLAN: Json = {
    "resourceType": "CarePlan",
    "id": "p",
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/1"},
    "period": {"start": "2026-01-01"},
    "goal": [{"reference": "Goal/1"}],
    "activity": [{"detail": {"status": "scheduled", "scheduledString": "weekly"}}],
}


def changed(path: str, value: Any) -> Json:
    """The plan with another value at "a.0.b"."""
    plan = copy.deepcopy(PLAN)
    *above, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    at: Any = plan
    for step in above:
        at = at[step]
    at[last] = value
    return plan


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("bogus", 1),
        ("activity.0.detail.bogus", "x"),
        ("status", 5),
        ("status", ""),
        ("status", "two  spaces"),
        ("id", "a_b"),
        ("title", {"text": "x"}),
        ("title", ""),
        ("created", "2026-13-01"),
        ("created", "2026-02-30"),
        ("created", "yesterday"),
        ("period.start", "2026-01-01T10:00:00"),
        ("period", "2026"),
        ("activity", {"detail": {"status": "scheduled"}}),
        ("activity.0.detail.doNotPerform", "perhaps"),
        ("activity.0.detail", {"description": "no status"}),
        ("activity.0.detail.scheduledPeriod", {"start": "2026"}),
        ("activity.0.detail.quantity", {"value": "five"}),
        ("goal.0", "Goal/1"),
        ("goal", "Goal/1"),
        ("note", [{"time": "2026-01-01"}]),
        ("meta", {"lastUpdated": "2026-01-01"}),
    ],
)
def test_a_fault_is_found_by_both(path: str, value: Any) -> None:
    plan = changed(path, value)
    assert second_opinion(plan) != []
    assert validate(plan, "CarePlan") != []


@pytest.mark.parametrize("name", ["status", "intent", "subject"])
def test_a_missing_required_element_is_found_by_both(name: str) -> None:
    plan = {key: value for key, value in PLAN.items() if key != name}
    assert second_opinion(plan) != []
    [issue] = validate(plan, "CarePlan")
    assert (issue.code, issue.expression) == ("required", (f"CarePlan.{name}",))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status", "bogus"),  # a required binding
        ("activity.0.detail.status", "bogus"),
        ("id", "x" * 65),
        ("goal", []),
        ("subject", None),
        ("period", {}),
        ("subject.reference", "Goal/1"),  # a target type
        ("subject.reference", "somebody"),
        ("subject.reference", "#nobody"),
        ("activity.0.reference", {"reference": "Task/1"}),  # cpl-3
        ("period.end", "2025-12-31"),  # per-1
        ("text", {"status": "generated", "div": "<div><script>x</script></div>"}),
        ("contained", [{"resourceType": "Basic", "id": "b", "code": {"text": "x"}}]),
        ("extension", [{"url": "http://example.org"}]),
        ("activity.0.detail.doNotPerform", "true"),  # they coerce
        ("title", "with \u0007"),
    ],
)
def test_a_fault_is_found_by_us_alone(path: str, value: Any) -> None:
    plan = changed(path, value)
    assert second_opinion(plan) == []
    assert validate(plan, "CarePlan") != []


SCALARS: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    Number("1.5"),
    2**40,
    "",
    " ",
    "x",
    "a b",
    "2026-02-30",
    "2026",
    "#",
)
OTHERS: tuple[Any, ...] = (
    [],
    {},
    [None],
    ["x"],
    [{}],
    {"x": 1},
    {"reference": "Patient/1"},
    {"value": 1},
)
JUNK: st.SearchStrategy[Any] = st.sampled_from((*SCALARS, *OTHERS))


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(EXAMPLES), st.randoms(use_true_random=False), JUNK, st.booleans())
def test_what_they_refuse_we_refuse(example: Json, random: Any, junk: Any, remove: bool) -> None:
    resource = copy.deepcopy(example)
    holder, key = random.choice(list(places(resource)))
    if remove:
        del holder[key]
    else:
        holder[key] = junk
    if second_opinion(resource):
        assert validate(resource, example["resourceType"]), json.dumps(resource, default=str)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of every object and array, but the resource types."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in list(members):
        if key != "resourceType":
            yield value, key
        if isinstance(member, dict | list):
            yield from places(member)
