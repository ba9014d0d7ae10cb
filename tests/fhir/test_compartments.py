"""Whom a resource is about: nobody but the patients that the one element for it names."""

from typing import Any

import pytest

from app.fhir.compartments import (
    DIRECTORY,
    inherited_from,
    is_patient_parameter,
    is_single,
    subjects,
)
from app.fhir.references import Reference

BASE = "https://isp.example.org/fhir"


def to(name: object) -> dict[str, Any]:
    return {"reference": name}


def about(type_: str, **members: Any) -> list[str]:
    return subjects({"resourceType": type_, "id": "x", **members}, BASE)


ELSEWHERE = (
    {"display": "Ada"},
    to("Group/ada"),
    to("RelatedPerson/ada"),
    to("https://elsewhere.example.org/fhir/Patient/ada"),
    to("#ada"),
    to(1),
    "Patient/ada",
    None,
)


def test_a_patient_is_about_nobody_else() -> None:
    assert about("Patient", link=[{"other": to("Patient/ben")}]) == ["x"]


@pytest.mark.parametrize("name", ["Patient/ada", f"{BASE}/Patient/ada", "Patient/ada/_history/2"])
def test_the_one_element_names_the_patient(name: str) -> None:
    others = {"for": to("Patient/ben"), "addresses": [to("Patient/ben")]}
    assert about("Goal", subject=to(name), **others) == ["ada"]
    assert about("Task", **{"for": to(name), "owner": to("Patient/ben")}) == ["ada"]


@pytest.mark.parametrize("element", ELSEWHERE, ids=str)
def test_what_points_to_no_patient_of_this_server_names_nobody(element: object) -> None:
    assert about("Goal", subject=element) == []
    assert about("Group", member=[{"entity": element}]) == []
    assert about("Contract", subject=[element]) == []
    assert about("Group", member=["entity", element]) == []


def test_several_are_each_named_once() -> None:
    ada, ben = to("Patient/ada"), to("Patient/ben")
    members = [{"entity": ben}, {"entity": ada}, {"period": {}}, {"entity": ada}]
    assert about("Group", member=members) == ["ada", "ben"]
    actors = [{"actor": ben}, {"actor": to("Practitioner/ada")}, {"status": "accepted"}]
    assert about("Appointment", participant=actors) == ["ben"]
    assert about("Contract", subject=[ada, ben]) == ["ada", "ben"]
    assert about("Group") == []


@pytest.mark.parametrize("type_", sorted(DIRECTORY | {"Library", "Provenance"}))
def test_what_has_no_such_element_is_about_nobody(type_: str) -> None:
    named = {name: to("Patient/ada") for name in ("subject", "patient", "for", "target")}
    assert about(type_, reference="Patient/ada", **named) == []


def test_a_bundle_is_about_whom_it_holds_and_names() -> None:
    entries = [
        {"fullUrl": "urn:uuid:1"},
        {"resource": {"resourceType": "Patient", "id": "eve"}},
        {"resource": {"resourceType": "Goal", "id": "ben", "subject": to("Patient/ada")}},
        {"resource": {"resourceType": "Goal"}},
    ]
    assert about("Bundle", entry=entries) == ["ada", "eve"]
    assert about("Bundle") == []


def test_a_bundle_that_holds_somebody_without_an_id_is_about_nobody_known() -> None:
    named = {"resource": {"resourceType": "Goal", "subject": to("Patient/ada")}}
    assert about("Bundle", entry=[named, {"resource": {"resourceType": "Patient"}}]) == []


def test_a_provenance_is_about_whom_its_targets_are_about() -> None:
    targets = [
        to("Goal/one"),
        *ELSEWHERE[3:],
        {"display": "a goal"},
        to(f"{BASE}/Task/two/_history/1"),
    ]
    made = {"resourceType": "Provenance", "target": targets, "agent": [{"who": to("Patient/ben")}]}
    assert inherited_from(made, BASE) == [Reference("Goal", "one"), Reference("Task", "two")]
    assert inherited_from(made | {"resourceType": "Goal"}, BASE) == []
    assert inherited_from({"resourceType": "Provenance"}, BASE) == []


def test_only_a_patient_and_what_names_one_are_about_one() -> None:
    assert is_single("Patient")
    assert is_single("Goal")
    assert not any(map(is_single, ("Group", "Provenance", "Organization", "Bundle")))


@pytest.mark.parametrize(
    ("type_", "code", "expected"),
    [
        ("Goal", "patient", True),
        ("Goal", "subject", True),
        ("Goal", "beneficiary", False),
        ("Coverage", "beneficiary", True),
        ("Coverage", "patient", True),
        ("Coverage", "subject", False),
        ("Consent", "subject", False),
        ("Task", "for", False),
        ("Task", "patient", True),
        ("Binary", "patient", False),
        ("Group", "patient", False),
        ("Group", "subject", False),
        ("Patient", "patient", False),
    ],
)
def test_a_parameter_reads_that_element_or_another(type_: str, code: str, expected: bool) -> None:
    assert is_patient_parameter(type_, code) is expected
