"""The rules of https://hl7.org/fhir/R4/fhirpatch.html, a table of before, operations and after."""

import pytest

from tests.fhir.patch.fhirpath_patch import (
    CONTACT,
    Json,
    applied,
    name,
    op,
    order,
    part,
    person,
    value,
)

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
