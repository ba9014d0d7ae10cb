import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir.json import parse
from app.fhir.validation.problem import ENOUGH, LIMIT
from app.fhir.validation.structure import validate
from tests.official import conformance_examples

Json = dict[str, Any]

PLAN: Json = {
    "resourceType": "CarePlan",
    "id": "p",
    "meta": {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00.000Z"},
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/1"},
    "activity": [{"detail": {"status": "scheduled", "scheduledString": "weekly"}}],
}


def found(resource: Json) -> list[tuple[str, str]]:
    return [(one.code, one.expression[0]) for one in validate(resource, resource["resourceType"])]


def test_a_valid_plan_has_no_issues() -> None:
    assert validate(PLAN, "CarePlan") == []


@pytest.mark.parametrize(
    ("changes", "code", "expression"),
    [
        ({"bogus": 1}, "structure", "CarePlan.bogus"),
        ({"bo gus": 1}, "structure", "CarePlan"),
        ({"title": 1}, "structure", "CarePlan.title"),
        ({"title": None}, "structure", "CarePlan.title"),
        ({"title": ["x"]}, "structure", "CarePlan.title"),
        ({"title": ""}, "value", "CarePlan.title"),
        ({"title": "x" * (1024 * 1024 + 1)}, "too-long", "CarePlan.title"),
        ({"goal": []}, "structure", "CarePlan.goal"),
        ({"goal": {"reference": "Goal/1"}}, "structure", "CarePlan.goal"),
        ({"goal": [None]}, "structure", "CarePlan.goal[0]"),
        ({"goal": [{}]}, "structure", "CarePlan.goal[0]"),
        ({"goal": [{"id": "x"}]}, "structure", "CarePlan.goal[0]"),
        ({"instantiatesUri": ["urn:a", None]}, "structure", "CarePlan.instantiatesUri[1]"),
        ({"_title": {"value": 1}}, "structure", "CarePlan.title.value"),
        ({"_subject": {"id": "x"}}, "structure", "CarePlan._subject"),
        ({"_id": {"id": "x"}}, "structure", "CarePlan._id"),
        ({"status": "bogus"}, "code-invalid", "CarePlan.status"),
        ({"language": "no code "}, "value", "CarePlan.language"),
        ({"created": "2026-02-30"}, "value", "CarePlan.created"),
        ({"activity": [{"detail": {}}]}, "required", "CarePlan.activity[0].detail.status"),
        ({"note": [{"text": "x", "authorString": ""}]}, "value", "CarePlan.note[0].author"),
        (
            {"note": [{"text": "x", "authorString": "x", "_authorReference": {"id": "y"}}]},
            "structure",
            "CarePlan.note[0]._authorReference",
        ),
        (
            {"note": [{"text": "x", "authorString": "x", "authorReference": {"display": "y"}}]},
            "structure",
            "CarePlan.note[0].author",
        ),
        ({"meta": {"versionId": "a b"}}, "value", "CarePlan.meta.versionId"),
        ({"contained": [{"resourceType": "Nobody"}]}, "structure", "CarePlan.contained[0]"),
        ({"contained": [{"id": "x"}]}, "structure", "CarePlan.contained[0]"),
    ],
)
def test_a_fault_is_told_with_its_code_and_place(changes: Json, code: str, expression: str) -> None:
    assert (code, expression) in found(PLAN | changes)


def test_an_issue_says_what_is_allowed_and_not_what_was_sent() -> None:
    [issue] = validate(PLAN | {"status": "a secret"}, "CarePlan")
    assert issue.diagnostics == (
        "Must be a code of value set request-status (http://hl7.org/fhir/request-status): "
        "active, completed, draft, entered-in-error, on-hold, revoked, unknown."
    )


def test_the_type_must_be_the_expected_one() -> None:
    assert validate(PLAN, "Goal")[0].expression == ("Goal.resourceType",)
    assert validate({"status": "active"}, "CarePlan")[0].expression == ("CarePlan.resourceType",)


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_what_is_no_object_is_no_resource(value: Any) -> None:
    assert [issue.code for issue in validate(value, "CarePlan")] == ["structure"]


def test_all_faults_are_told_at_once() -> None:
    plan = PLAN | {"status": "bogus", "intent": 1, "subject": {"reference": "Goal/1"}, "x": 1}
    assert {expression for _, expression in found(plan)} == {
        "CarePlan.status",
        "CarePlan.intent",
        "CarePlan.subject",
        "CarePlan.x",
    }


def test_no_more_than_a_hundred_faults_are_told() -> None:
    assert len(validate(PLAN | {"goal": [{}] * 1000}, "CarePlan")) == LIMIT


def test_extensions_stand_in_for_a_primitive_value() -> None:
    absent = {"extension": [{"url": "http://example.org/absent", "valueCode": "unknown"}]}
    plan = {key: value for key, value in PLAN.items() if key != "status"} | {"_status": absent}
    assert found(plan) == []
    assert (
        found(PLAN | {"instantiatesUri": ["urn:a", None], "_instantiatesUri": [None, absent]}) == []
    )
    assert found(PLAN | {"instantiatesUri": [None], "_instantiatesUri": [None]}) != []


def test_a_required_choice_takes_any_of_its_types_and_only_one() -> None:
    request: Json = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/1"},
    }
    concept, reference = {"text": "x"}, {"reference": "Medication/1"}
    assert found(request) == [("required", "MedicationRequest.medication")]
    assert found(request | {"medicationCodeableConcept": concept}) == []
    assert found(request | {"medicationReference": reference}) == []
    both = request | {"medicationCodeableConcept": concept, "medicationReference": reference}
    assert found(both) == [("structure", "MedicationRequest.medication")]


def test_a_required_binding_on_a_concept_needs_one_coding_of_the_value_set() -> None:
    condition: Json = {"resourceType": "Condition", "subject": {"reference": "Patient/1"}}
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    other = {"system": "http://example.org", "code": "active"}
    good = {"system": system, "code": "active"}
    assert found(condition | {"clinicalStatus": {"coding": [other, good]}}) == []
    for bad in ({"coding": [other]}, {"text": "active"}):
        wrong = ("code-invalid", "Condition.clinicalStatus")
        assert found(condition | {"clinicalStatus": bad}) == [wrong]


@pytest.mark.parametrize(
    ("reference", "is_right"),
    [
        ("Patient/1", True),
        ("Patient/1/_history/2", True),
        ("http://example.org/fhir/Patient/1", True),
        ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", True),
        ("https://example.org/anything", True),
        ("Goal/1", False),
        ("http://example.org/fhir/Goal/1", False),
        ("patient/1", False),
        ("Patient", False),
        ("Patient/", False),
        ("Patient/a_b", False),
        ("Patient/" + "x" * 65, False),
        ("Patient?identifier=x", False),
        ("Nobody/1", False),
        ("../Patient/1", False),
        ("#p", False),
        ("#", False),
    ],
)
def test_a_reference_is_well_formed_and_of_an_allowed_type(reference: str, is_right: bool) -> None:
    assert (found(PLAN | {"subject": {"reference": reference}}) == []) is is_right


def test_a_reference_by_identifier_is_judged_by_its_type() -> None:
    by_identifier = {"identifier": {"value": "x"}, "type": "Patient"}
    assert found(PLAN | {"subject": by_identifier}) == []
    assert found(PLAN | {"subject": by_identifier | {"type": "Goal"}}) != []


def test_every_entry_of_a_bundle_is_judged_on_its_own() -> None:
    entries = [{"resource": PLAN}, {"resource": PLAN | {"status": "bogus"}}]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    assert found(bundle) == [("code-invalid", "Bundle.entry[1].resource.status")]


def test_a_resource_in_parameters_is_judged_too() -> None:
    parameter = {"name": "resource", "resource": PLAN | {"status": "bogus"}}
    parameters = {"resourceType": "Parameters", "parameter": [parameter]}
    assert found(parameters) == [("code-invalid", "Parameters.parameter[0].resource.status")]


CONTAINED: Json = PLAN | {
    "contained": [{"resourceType": "Goal", "id": "g", "lifecycleStatus": "active"}],
    "goal": [{"reference": "#g"}],
}
CONTAINED["contained"][0] |= {"description": {"text": "x"}, "subject": {"reference": "Patient/1"}}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, ""),
        ({"id": "other"}, "ref-1"),
        ({"id": None}, ""),
        ({"contained": [{"resourceType": "Basic", "id": "b", "code": {"text": "x"}}]}, "dom-2"),
        ({"meta": {"versionId": "1"}}, "dom-4"),
        ({"meta": {"security": [{"code": "R"}]}}, "dom-5"),
        ({"subject": {"reference": "#x"}}, "ref-1"),
        ({"lifecycleStatus": "bogus"}, "Must be a code"),
    ],
)
def test_a_contained_resource_is_judged_by_its_container(changes: Json, key: str) -> None:
    plan = copy.deepcopy(CONTAINED)
    plan["contained"][0] |= changes
    said = [issue.diagnostics for issue in validate(plan, "CarePlan")]
    assert (said == []) is (not changes)
    assert key in " ".join(said)


def test_a_contained_resource_must_be_used_and_have_an_id_of_its_own() -> None:
    goal = CONTAINED["contained"][0]
    assert found(PLAN | {"contained": [goal]}) == [("invariant", "CarePlan.contained[0]")]
    twice = found(CONTAINED | {"contained": [goal, goal]})
    assert twice == [("invariant", f"CarePlan.contained[{at}]") for at in (0, 1)]


def test_a_contained_resource_may_refer_to_its_container() -> None:
    goal = CONTAINED["contained"][0] | {"addresses": [{"reference": "#"}]}
    assert found(PLAN | {"contained": [goal]}) == []


def test_many_references_to_contained_resources_hide_no_fault() -> None:
    goals = [{"reference": "#g"}] * (LIMIT + 1)
    assert found(CONTAINED | {"goal": goals, "title": 5}) == [("structure", "CarePlan.title")]
    goals = [{"reference": "#g"}] * (ENOUGH + 1)
    assert ("too-long", "CarePlan.goal") in found(CONTAINED | {"goal": goals})


@pytest.mark.parametrize(
    ("kind", "every"), [("StructureDefinition", 20), ("ValueSet", 40), ("OperationDefinition", 1)]
)
def test_what_hl7_published_is_valid(kind: str, every: int) -> None:
    for resource in conformance_examples(kind, every):
        if resource["url"] not in FAULTY:
            assert validate(resource, kind) == [], resource["url"]


FAULTY = {f"http://hl7.org/fhir/StructureDefinition/{one}" for one in ("Event", "FiveWs")}
"""Patterns of HL7 that build on nothing and are not abstract, against sdf-4."""


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*PLAN, "x", "_id"]), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["contained", "text", "period", *PLAN]), VALUES))
def test_no_value_makes_validation_fail(changes: Json) -> None:
    for issue in validate(PLAN | changes | {"resourceType": "CarePlan"}, "CarePlan"):
        assert issue.expression[0].startswith("CarePlan")
        assert issue.code not in ("null", "fragment", "mention")


def test_decimals_as_parsed_are_decimals() -> None:
    body = b"""{"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "valueQuantity": {"value": %s}}"""
    for spelling in (b"1.50", b"2", b"1E2", b"-0.0"):
        assert found(parse(body % spelling)) == []
    for spelling in (b'"1.5"', b"true", b"null"):
        assert found(parse(body % spelling)) == [("structure", "Observation.value.value")]


def test_an_id_beside_a_primitive_is_content() -> None:
    patient = {"resourceType": "Patient", "gender": "female", "_gender": {"id": "g"}}
    assert found(patient) == []
    assert found(patient | {"_gender": {}}) == [("structure", "Patient.gender")]
    del patient["gender"]
    assert found(patient) == [("structure", "Patient.gender")]
