"""The rules of https://hl7.org/fhir/R4/fhirpatch.html, a table of before, operations and after."""

from typing import Any

import pytest

from app.fhir.errors import BadRequest, FHIRError, Unprocessable
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
BORN = {"extension": [{"url": "http://example.org/time", "valueTime": "10:00:00"}]}

CASES: dict[str, tuple[Json, list[Json], Json]] = {
    "nothing": (person(active=True), [], person(active=True)),
    "replace a primitive": (
        person(birthDate="1950-01-01"),
        [op("replace", "Patient.birthDate", value(valueDate="1951-02-03"))],
        person(birthDate="1951-02-03"),
    ),
    "delete a primitive": (
        person(birthDate="1950-01-01", _birthDate=BORN),
        [op("delete", "Patient.birthDate")],
        person(),
    ),
    "delete what is not there": (person(), [op("delete", "Patient.birthDate")], person()),
    "add a primitive": (
        person(),
        [op("add", "Patient", name("birthDate"), value(valueDate="1950-01-01"))],
        person(birthDate="1950-01-01"),
    ),
    "replace a nested primitive": (
        person(contact=[CONTACT]),
        [op("replace", "Patient.contact[0].name.text", value(valueString="B"))],
        person(contact=[{**CONTACT, "name": {"text": "B"}}]),
    ),
    "delete one of two members": (
        person(contact=[CONTACT]),
        [op("delete", "Patient.contact[0].gender")],
        person(contact=[{"name": {"text": "A"}}]),
    ),
    "delete the only member, and what is empty then": (
        person(contact=[CONTACT]),
        [op("delete", "Patient.contact[0].name.text")],
        person(contact=[{"gender": "male"}]),
    ),
    "delete the last of all": (
        person(contact=[{"name": {"text": "A"}}]),
        [op("delete", "Patient.contact[0].name.text")],
        person(),
    ),
    "add a nested primitive": (
        person(contact=[{"name": {"text": "A"}}]),
        [op("add", "Patient.contact[0]", name("gender"), value(valueCode="male"))],
        person(contact=[CONTACT]),
    ),
    "add a complex element": (
        person(),
        [op("add", "Patient", name("maritalStatus"), value(valueCodeableConcept={"text": "m"}))],
        person(maritalStatus={"text": "m"}),
    ),
    "replace a complex element with its id": (
        person(maritalStatus={"id": "1", "text": "m"}),
        [
            op(
                "replace",
                "Patient.maritalStatus",
                value(valueCodeableConcept={"id": "2", "text": "s"}),
            )
        ],
        person(maritalStatus={"id": "2", "text": "s"}),
    ),
    "delete a complex element": (
        person(maritalStatus={"text": "m"}),
        [op("delete", "Patient.maritalStatus")],
        person(),
    ),
    "add an element without a type name": (
        person(),
        [
            op(
                "add",
                "Patient",
                name("contact"),
                value(part=[part("name", valueHumanName={"text": "A"})]),
            )
        ],
        person(contact=[{"name": {"text": "A"}}]),
    ),
    "parts within parts, and lists in them": (
        person(),
        [
            op(
                "add",
                "Patient",
                name("contact"),
                value(
                    part=[
                        part("gender", valueCode="male"),
                        part("telecom", valueContactPoint={"system": "sms", "value": "1"}),
                        part("telecom", valueContactPoint={"system": "sms", "value": "2"}),
                        part("name", part=[part("text", valueString="A")]),
                    ]
                ),
            )
        ],
        person(
            contact=[
                {
                    "gender": "male",
                    "telecom": [{"system": "sms", "value": each} for each in "12"],
                    "name": {"text": "A"},
                }
            ]
        ),
    ),
    "delete an element without a type name": (
        person(contact=[CONTACT, {"gender": "other"}]),
        [op("delete", "Patient.contact[0]")],
        person(contact=[{"gender": "other"}]),
    ),
    "add to a list": (
        order("a"),
        [op("add", "Patient", name("identifier"), value(valueIdentifier={"value": "b"}))],
        order("a", "b"),
    ),
    "insert at the end": (
        order("a", "b"),
        [op("insert", "Patient.identifier", value(valueIdentifier={"value": "c"}), index=2)],
        order("a", "b", "c"),
    ),
    "insert between": (
        order("a", "b"),
        [op("insert", "Patient.identifier", value(valueIdentifier={"value": "c"}), index=1)],
        order("a", "c", "b"),
    ),
    "insert in front": (
        order("a", "b"),
        [op("insert", "Patient.identifier", value(valueIdentifier={"value": "c"}), index=0)],
        order("c", "a", "b"),
    ),
    "insert into a list that is not there": (
        person(),
        [op("insert", "Patient.identifier", value(valueIdentifier={"value": "a"}), index=0)],
        order("a"),
    ),
    "change members of a list": (
        order("a", "b"),
        [
            op("replace", "Patient.identifier[0].value", value(valueString="b")),
            op("replace", "Patient.identifier[1].value", value(valueString="a")),
        ],
        order("b", "a"),
    ),
    "delete from a list": (
        order("a", "b", "c"),
        [op("delete", "Patient.identifier[1]")],
        order("a", "c"),
    ),
    "delete the last of a list": (order("a"), [op("delete", "Patient.identifier[0]")], person()),
    "delete the only one": (order("a"), [op("delete", "Patient.identifier")], person()),
    "move forward": (
        order(*"abcd"),
        [op("move", "Patient.identifier", source=3, destination=1)],
        order(*"adbc"),
    ),
    "move to the front": (
        order(*"abcd"),
        [op("move", "Patient.identifier", source=3, destination=0)],
        order(*"dabc"),
    ),
    "move to the end": (
        order(*"abcd"),
        [op("move", "Patient.identifier", source=0, destination=3)],
        order(*"bcda"),
    ),
    "move twice": (
        order(*"abcd"),
        [
            op("move", "Patient.identifier", source=1, destination=0),
            op("move", "Patient.identifier", source=2, destination=1),
        ],
        order(*"bcad"),
    ),
    "reverse": (
        order(*"abcd"),
        [op("move", "Patient.identifier", source=3, destination=to) for to in range(3)],
        order(*"dcba"),
    ),
    "by what an element holds": (
        person(name=[{"use": "official", "family": "A"}, {"use": "usual", "family": "B"}]),
        [op("replace", "Patient.name.where(use = 'usual').family", value(valueString="C"))],
        person(name=[{"use": "official", "family": "A"}, {"use": "usual", "family": "C"}]),
    ),
    "first and last": (
        order("a", "b", "c"),
        [
            op("delete", "Patient.identifier.first()"),
            op("replace", "identifier.last().value", value(valueString="z")),
        ],
        order("b", "z"),
    ),
    "an extension by its url": (
        person(extension=[{"url": "http://a", "valueCode": "x"}]),
        [op("replace", "Patient.extension('http://a').value", value(valueString="y"))],
        person(extension=[{"url": "http://a", "valueString": "y"}]),
    ),
    "add a choice": (
        person(),
        [op("add", "Patient", name("deceased"), value(valueBoolean=False))],
        person(deceasedBoolean=False),
    ),
    "replace a choice by another type": (
        person(deceasedBoolean=True),
        [op("replace", "Patient.deceased", value(valueDateTime="2020"))],
        person(deceasedDateTime="2020"),
    ),
    "of a type": (
        person(deceasedBoolean=True),
        [op("delete", "Patient.deceased.ofType(boolean)")],
        person(),
    ),
    "replace a primitive and what stood beside it": (
        person(birthDate="1950-01-01", _birthDate=BORN),
        [op("replace", "Patient.birthDate", value(valueDate="1951-01-01"))],
        person(birthDate="1951-01-01"),
    ),
    "a value with extensions": (
        person(birthDate="1950-01-01"),
        [op("replace", "Patient.birthDate", value(valueDate="1951-01-01", _valueDate=BORN))],
        person(birthDate="1951-01-01", _birthDate=BORN),
    ),
    "extend a primitive": (
        person(birthDate="1950-01-01"),
        [
            op(
                "add",
                "Patient.birthDate",
                name("extension"),
                value(part=[part("url", valueUri="http://a"), part("value", valueCode="x")]),
            )
        ],
        person(
            birthDate="1950-01-01",
            _birthDate={"extension": [{"url": "http://a", "valueCode": "x"}]},
        ),
    ),
    "a list of primitives and what stands beside it": (
        person(name=[{"given": ["A", "B"], "_given": [None, {"id": "b"}]}]),
        [
            op("insert", "Patient.name[0].given", value(valueString="C"), index=0),
            op("delete", "Patient.name[0].given[1]"),
        ],
        person(name=[{"given": ["C", "B"], "_given": [None, {"id": "b"}]}]),
    ),
    "move primitives and what stands beside them": (
        person(name=[{"given": ["A", "B"], "_given": [{"id": "a"}]}]),
        [op("move", "Patient.name[0].given", source=0, destination=1)],
        person(name=[{"given": ["B", "A"], "_given": [None, {"id": "a"}]}]),
    ),
    "replace one of a list of primitives": (
        person(name=[{"given": ["A", "B"]}]),
        [op("replace", "Patient.name[0].given[1]", value(valueString="C"))],
        person(name=[{"given": ["A", "C"]}]),
    ),
    "the narrative": (
        person(text={"status": "generated", "div": "<div/>"}),
        [op("replace", "Patient.text.div", value(valueString="<div>x</div>"))],
        person(text={"status": "generated", "div": "<div>x</div>"}),
    ),
    "what is contained": (
        person(contained=[{"resourceType": "Organization", "id": "o", "name": "A"}]),
        [op("replace", "Patient.contained[0].name", value(valueString="B"))],
        person(contained=[{"resourceType": "Organization", "id": "o", "name": "B"}]),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_operations_make_of_a_resource_what_they_say(case: str) -> None:
    before, operations, after = CASES[case]
    kept = repr(before)
    assert applied(before, *operations) == after
    assert repr(before) == kept


REFUSED: dict[str, tuple[Json, Json, type[FHIRError]]] = {
    "add to what is missing": (
        order("a"),
        op(
            "add",
            "Patient.identifier.where(value = 'a').period",
            name("end"),
            value(valueDate="2021-12-01"),
        ),
        Unprocessable,
    ),
    "add below a list too short": (
        person(contact=[CONTACT]),
        op("add", "Patient.contact[1]", name("gender"), value(valueCode="male")),
        Unprocessable,
    ),
    "add what is there": (
        person(gender="male"),
        op("add", "Patient", name("gender"), value(valueCode="other")),
        Unprocessable,
    ),
    "add another choice": (
        person(deceasedBoolean=True),
        op("add", "Patient", name("deceased"), value(valueDateTime="2020")),
        Unprocessable,
    ),
    "add what no patient has": (
        person(),
        op("add", "Patient", name("colour"), value(valueCode="red")),
        Unprocessable,
    ),
    "add of another type": (
        person(),
        op("add", "Patient", name("maritalStatus"), value(valuePeriod={"start": "2020"})),
        Unprocessable,
    ),
    "add of no type of the choice": (
        person(),
        op("add", "Patient", name("deceased"), value(valueString="yes")),
        Unprocessable,
    ),
    "replace what is missing": (
        person(),
        op("replace", "Patient.birthDate", value(valueDate="2020")),
        Unprocessable,
    ),
    "replace several": (
        order("a", "b"),
        op("replace", "Patient.identifier", value(valueIdentifier={"value": "z"})),
        Unprocessable,
    ),
    "replace the resource": (
        person(),
        op("replace", "Patient", value(valueCode="x")),
        Unprocessable,
    ),
    "delete the resource": (person(), op("delete", "Patient"), Unprocessable),
    "delete several": (order("a", "b"), op("delete", "Patient.identifier"), Unprocessable),
    "insert too far": (
        order("a"),
        op("insert", "Patient.identifier", value(valueIdentifier={"value": "z"}), index=2),
        Unprocessable,
    ),
    "insert before the first": (
        order("a"),
        op("insert", "Patient.identifier", value(valueIdentifier={"value": "z"}), index=-1),
        Unprocessable,
    ),
    "insert where there is no list": (
        person(),
        op("insert", "Patient.gender", value(valueCode="male"), index=0),
        Unprocessable,
    ),
    "move too far": (
        order("a"),
        op("move", "Patient.identifier", source=0, destination=1),
        Unprocessable,
    ),
    "another type": (person(), op("replace", "Goal.id", value(valueId="x")), Unprocessable),
    "no index": (
        order("a"),
        op("insert", "Patient.identifier", value(valueIdentifier={"value": "z"})),
        BadRequest,
    ),
    "no value": (person(), op("add", "Patient", name("gender")), BadRequest),
    "no name": (person(), op("add", "Patient", value(valueCode="male")), BadRequest),
    "an unknown type": (person(), op("erase", "Patient.gender"), BadRequest),
    **{
        f"the path {path}": (person(), op("delete", path), BadRequest)
        for path in (
            "Patient.",
            "Patient..name",
            "Patient.name[",
            "Patient.name[x]",
            "Patient.name.where(",
            "Patient.name.where()",
            "Patient.name.where(use ~ 'x')",
            "Patient.name.children()",
            "[0]",
            "'x'",
            "Patient.name.where(" + "(" * 400 + "x" + ")" * 400 + ")",
            "x" * 1001,
        )
    },
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_and_says_where(case: str) -> None:
    before, operation, error = REFUSED[case]
    fine = op("delete", "Patient.language")
    with pytest.raises(error) as refused:
        applied(before, fine, operation)
    assert refused.value.issues[0].expression == ("Parameters.parameter[1]",)


@pytest.mark.parametrize(
    "patch",
    [
        None,
        [],
        "x",
        {},
        {"resourceType": "Patient"},
        {"resourceType": "Parameters", "parameter": [{}]},
        {"resourceType": "Parameters", "parameter": [{"name": "other", "valueCode": "x"}]},
        {"resourceType": "Parameters", "parameter": [{"name": "operation", "valueCode": "x"}]},
    ],
)
def test_what_is_no_patch_is_refused(patch: Any) -> None:
    with pytest.raises(BadRequest):
        fhirpath_patch(person(), patch)
