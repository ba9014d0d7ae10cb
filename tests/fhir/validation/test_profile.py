"""https://hl7.org/fhir/R4/profiling.html: each rule of a profile, and each discriminator."""

from typing import Any

import pytest

from app.fhir.validation.constraint import Definitions, chain
from app.fhir.validation.profile import Judge
from app.fhir.validation.snapshot import snapshot
from tests.isp.profiled import known

Json = dict[str, Any]
CORE = "http://hl7.org/fhir/StructureDefinition/"
URL = "https://county.example/StructureDefinition/x"
LOINC = "http://loinc.org"
HL7_SET = "http://hl7.org/fhir/ValueSet/goal-category"


def profile(type_: str, *elements: Json, url: str = URL, base: str = "") -> Json:
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "kind": "resource",
        "type": type_,
        "baseDefinition": base or CORE + type_,
        "derivation": "constraint",
        "differential": {"element": [{"id": type_, "path": type_}, *elements]},
    }


def at(id_: str, **said: Any) -> Json:
    path = ".".join(step.partition(":")[0] for step in id_.split("."))
    named = {"sliceName": id_.rpartition(":")[2]} if ":" in id_.rpartition(".")[2] else {}
    return {"id": id_, "path": path, **named, **said}


def sliced(id_: str, type_: str, path: str, rules: str = "open") -> Json:
    return at(id_, slicing={"discriminator": [{"type": type_, "path": path}], "rules": rules})


def judged(resource: Json, *profiles: Json) -> list[tuple[str, str]]:
    """The severity and the place of what the first profile finds."""
    definitions: Definitions = known(*profiles)
    found = Judge(definitions, resource).resource(profiles[0]["url"])
    return [(one.severity[0], one.expression[0]) for one in found]


def coded(code: str, system: str = LOINC) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def observation(**elements: Any) -> Json:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}} | elements


PULSE = {"code": coded("8867-4"), "valueQuantity": {"value": 60}}
PRESSURE = {"code": coded("8480-6"), "valueQuantity": {"value": 120}}
BY_CODE = profile(
    "Observation",
    sliced("Observation.component", "pattern", "code", "closed"),
    at("Observation.component:pulse", min=1, max="1"),
    at("Observation.component:pulse.code", patternCodeableConcept=coded("8867-4")),
    at("Observation.component:pulse.value[x]", min=1, type=[{"code": "Quantity"}]),
)
BY_TYPE = profile(
    "Observation",
    at("Observation.valueQuantity", min=1),
    at("Observation.valueQuantity.unit", min=1),
)
BY_EXISTENCE = profile(
    "Patient",
    sliced("Patient.contact", "exists", "organization"),
    at("Patient.contact:office", max="1"),
    at("Patient.contact:office.organization", min=1),
    at("Patient.contact:person"),
    at("Patient.contact:person.organization", max="0"),
    at("Patient.contact:person.name", min=1),
)
BY_TARGET = profile(
    "CareTeam",
    sliced("CareTeam.participant", "type", "member.resolve()"),
    at("CareTeam.participant:person", min=1, max="1"),
    at(
        "CareTeam.participant:person.member",
        type=[{"code": "Reference", "targetProfile": [f"{CORE}Patient"]}],
    ),
)
ADULT = profile("Patient", at("Patient.birthDate", min=1), url=f"{URL}-adult")
BY_PROFILE = profile(
    "Observation",
    sliced("Observation.performer", "profile", "resolve()"),
    at(
        "Observation.performer:adult",
        min=1,
        type=[{"code": "Reference", "targetProfile": [f"{URL}-adult"]}],
    ),
)


def team(*members: str) -> Json:
    each = [{"member": {"reference": one}} for one in members]
    return {"resourceType": "CareTeam", "participant": each}


def with_performer(**patient: str) -> Json:
    person = {"resourceType": "Patient", "id": "p", **patient}
    return observation(contained=[person], performer=[{"reference": "#p"}])


@pytest.mark.parametrize(
    ("resource", "profiles", "found"),
    [
        (observation(component=[PULSE]), [BY_CODE], []),
        (observation(), [BY_CODE], [("e", "Observation.component")]),
        (observation(component=[PULSE, PULSE]), [BY_CODE], [("e", "Observation.component")]),
        (observation(component=[PULSE, PRESSURE]), [BY_CODE], [("e", "Observation.component[1]")]),
        (
            observation(component=[{"code": coded("8867-4"), "valueString": "x"}]),
            [BY_CODE],
            [("e", "Observation.component[0].value")],
        ),
        (observation(valueQuantity={"value": 1, "unit": "m"}), [BY_TYPE], []),
        (
            observation(valueQuantity={"value": 1}),
            [BY_TYPE],
            [("e", "Observation.value.unit")],
        ),
        (observation(valueString="x"), [BY_TYPE], [("e", "Observation.value")]),
        (
            {"resourceType": "Patient", "contact": [{"organization": {"display": "x"}}]},
            [BY_EXISTENCE],
            [],
        ),
        (
            {"resourceType": "Patient", "contact": [{"telecom": [{"value": "1"}]}]},
            [BY_EXISTENCE],
            [("e", "Patient.contact[0].name")],
        ),
        (team("Patient/1", "Practitioner/2"), [BY_TARGET], []),
        (team("Practitioner/2"), [BY_TARGET], [("e", "CareTeam.participant")]),
        (team("Patient/1", "Patient/2"), [BY_TARGET], [("e", "CareTeam.participant")]),
        (with_performer(birthDate="1990"), [BY_PROFILE, ADULT], []),
        (with_performer(gender="other"), [BY_PROFILE, ADULT], [("e", "Observation.performer")]),
        (
            observation(performer=[{"reference": "Patient/1"}]),
            [BY_PROFILE, ADULT],
            [("i", "Observation.performer")],
        ),
    ],
)
def test_a_slice_is_told_by_its_discriminator(
    resource: Json, profiles: list[Json], found: list[tuple[str, str]]
) -> None:
    assert judged(resource, *profiles) == found


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


def test_a_snapshot_unfolds_slices_and_types() -> None:
    found = {one["id"]: one for one in snapshot(URL, {URL: BY_CODE})}
    assert found["Observation.component:pulse"]["sliceName"] == "pulse"
    assert found["Observation.component:pulse.value[x]"]["type"] == [{"code": "Quantity"}]
    assert found["Observation.component:pulse.interpretation"]["max"] == "*"
    order = list(found)
    assert order.index("Observation.component") < order.index("Observation.component:pulse")
    quantity = {one["id"]: one for one in snapshot(URL, {URL: BY_TYPE})}
    assert quantity["Observation.value[x]:valueQuantity.unit"]["min"] == 1
    assert "Observation.component.referenceRange" in quantity
    assert "contentReference" in quantity["Observation.component.referenceRange"]
    with pytest.raises(LookupError):
        snapshot(URL, {URL: profile("Goal", at("Goal.colour", min=1))})
