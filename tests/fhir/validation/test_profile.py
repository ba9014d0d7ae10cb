"""https://hl7.org/fhir/R4/profiling.html: each rule of a profile."""

import pytest

from app.fhir.validation.constraint import chain
from tests.fhir.validation.profiled import CORE, URL, Json, at, coded, judged, profile

HL7_SET = "http://hl7.org/fhir/ValueSet/goal-category"


@pytest.mark.parametrize(
    ("element", "resource", "found"),
    [
        (at("Goal.priority", min=1), {}, [("e", "Goal.priority")]),
        (at("Goal.note", max="0"), {"note": [{"text": "x"}]}, [("e", "Goal.note")]),
        (at("Goal.lifecycleStatus", fixedCode="active"), {}, []),
        (
            at("Goal.lifecycleStatus", fixedCode="planned"),
            {},
            [("e", "Goal.lifecycleStatus")],
        ),
        (
            at("Goal.description", patternCodeableConcept={"text": "I walk."}),
            {"description": {"text": "I walk.", "coding": [{"code": "x"}]}},
            [],
        ),
        (
            at("Goal.description", fixedCodeableConcept={"text": "I walk."}),
            {"description": {"text": "I walk.", "coding": [{"code": "x"}]}},
            [("e", "Goal.description")],
        ),
        (at("Goal.start[x]", type=[{"code": "date"}]), {"startDate": "2026-01-01"}, []),
        (
            at("Goal.start[x]", type=[{"code": "date"}]),
            {"startCodeableConcept": {"text": "x"}},
            [("e", "Goal.start")],
        ),
        (
            at("Goal.subject", type=[{"code": "Reference", "targetProfile": [f"{CORE}Group"]}]),
            {},
            [("e", "Goal.subject")],
        ),
        (
            at("Goal.category", binding={"strength": "required", "valueSet": HL7_SET}),
            {"category": [{"text": "x"}]},
            [("e", "Goal.category[0]")],
        ),
        (
            at("Goal.category", binding={"strength": "extensible", "valueSet": HL7_SET}),
            {"category": [coded("mine", "https://county.example/domain")]},
            [("w", "Goal.category[0]")],
        ),
        (
            at("Goal.category", binding={"strength": "example", "valueSet": HL7_SET}),
            {"category": [coded("mine", "https://county.example/domain")]},
            [],
        ),
    ],
)
def test_an_element_is_what_the_profile_says(
    element: Json, resource: Json, found: list[tuple[str, str]]
) -> None:
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "I walk."},
        "subject": {"reference": "Patient/1"},
    }
    assert judged(goal | resource, profile("Goal", element)) == found


def invariant(expression: str, severity: str = "error") -> Json:
    said = {"key": "x-1", "severity": severity, "human": "It must.", "expression": expression}
    return at("Goal.target", constraint=[said])


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (invariant("due.exists()"), []),
        (invariant("(detail as Quantity).value > 1.4"), []),
        (invariant("due < %resource.start"), [("e", "Goal.target[0]")]),
        (invariant("detail is Range", "warning"), [("w", "Goal.target[0]")]),
        (invariant("measure.memberOf('x')"), [("i", "Goal.target[0]")]),
        (invariant(f"measure.memberOf('{HL7_SET}')"), [("e", "Goal.target[0]")]),
        (invariant(f"measure.coding.where(code='8867-4').memberOf('{HL7_SET}').not()"), []),
        (invariant("detail.nothing.memberOf('x').empty()"), []),
        (invariant("%resource.subject.resolve().active"), [("i", "Goal.target[0]")]),
        (invariant("%resource.subject.resolve() is Patient"), []),
        (invariant("%resource.subject.resolve() is DomainResource"), []),
        (invariant("%resource.subject.resolve() is Group"), [("e", "Goal.target[0]")]),
        (invariant("(%resource.start | %resource.subject).count() = 2"), []),
        (invariant("%resource.expressedBy.resolve().gender = 'male'"), []),
        (invariant("%resource.expressedBy.resolve() is Patient"), []),
        (invariant("%resource.expressedBy.resolve() is Group"), [("e", "Goal.target[0]")]),
        (invariant("measure or detail.nothing"), []),
        (invariant("measure.nothing or detail.nothing"), [("e", "Goal.target[0]")]),
        (invariant("measure xor detail"), [("e", "Goal.target[0]")]),
        (invariant("detail.nothing implies measure.nothing"), [("e", "Goal.target[0]")]),
        (invariant("(measure | detail) and due"), [("w", "Goal.target[0]")]),
        (invariant("due.hasValue() and measure.hasValue().not()"), []),
        (invariant("%sct = 'http://snomed.info/sct'"), []),
        (invariant("%`vs-a-b` = 'http://hl7.org/fhir/ValueSet/a-b'"), []),
        (invariant("Goal.target.exists()"), [("e", "Goal.target[0]")]),
        (
            invariant("%resource.is(Goal) and %resource.start is DateTime"),
            [("e", "Goal.target[0]")],
        ),
        (invariant("measure.nothing()"), [("w", "Goal.target[0]")]),
        (invariant("(("), [("w", "Goal.target[0]")]),
    ],
)
def test_an_invariant_is_evaluated_where_it_stands(
    said: Json, found: list[tuple[str, str]]
) -> None:
    pulse = {"text": "x", **coded("8867-4")}
    target = {"measure": pulse, "detailQuantity": {"value": 1.5}, "dueDate": "2026-06-01"}
    goal = {
        "resourceType": "Goal",
        "contained": [{"resourceType": "Patient", "id": "p", "gender": "male"}],
        "startDate": "2026-01-01",
        "subject": {"reference": "Patient/1"},
        "expressedBy": {"reference": "#p"},
        "target": [target],
    }
    assert judged(goal, profile("Goal", said)) == found


def test_an_invariant_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    goal = {"resourceType": "Goal", "target": [{"dueDate": "2026-06-01"}]}
    assert judged(goal, profile("Goal", invariant("due.trace('due').exists()"))) == []
    assert capfd.readouterr() == ("", "")


def test_a_profile_tightens_the_one_it_builds_on() -> None:
    base = profile("Goal", at("Goal.note", min=1), url=f"{URL}-base")
    strict = profile("Goal", at("Goal.priority", min=1), base=f"{URL}-base")
    goal = {"resourceType": "Goal"}
    assert judged(goal, strict, base) == [("e", "Goal.note"), ("e", "Goal.priority")]
    with pytest.raises(LookupError, match="-base"):
        chain(URL, {URL: strict})
    circle = profile("Goal", url=URL, base=URL)
    with pytest.raises(LookupError):
        chain(URL, {URL: circle})
