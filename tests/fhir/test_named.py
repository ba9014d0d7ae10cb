"""Whom a call names, so that nobody's trail misses a question about them."""

from typing import Any

import pytest

from app.fhir.context import Call
from app.fhir.named import is_asking, names_others, patients_named_in


def asked(type_: str | None, *query: tuple[str, str], **more: Any) -> Call:
    return Call("search-type", type_, query=query, **more)


@pytest.mark.parametrize(
    ("type_", "name", "value", "expected"),
    [
        ("Goal", "patient", "ada", {"ada"}),
        ("Goal", "patient", "ada,ben", {"ada", "ben"}),
        ("Goal", "patient", "Patient/ada,Group/ben", {"ada"}),
        ("Goal", "subject:Patient", "ada", {"ada"}),
        ("Goal", "subject:Group", "ada", set()),
        ("Goal", "patient._id", "ada", {"ada"}),
        ("Goal", "subject:Patient._id", "ada", {"ada"}),
        ("Goal", "patient.name", "ada", set()),
        ("Coverage", "beneficiary", "ada", {"ada"}),
        ("Goal", "_filter", "subject eq https://x.org/fhir/Patient/ada", {"ada"}),
        ("Goal", "category", "ada", set()),
        ("Goal", "_id", "ada", set()),
        ("Patient", "_id", "ada,ben", {"ada", "ben"}),
        ("Patient", "name", "ada", set()),
        ("Patient", "_id", "a_b", set()),
        (None, "_id", "ada", set()),
    ],
)
def test_a_query_names_patients(
    type_: str | None, name: str, value: str, expected: set[str]
) -> None:
    assert patients_named_in(asked(type_, (name, value))) == expected


def test_a_compartment_names_its_patient() -> None:
    assert patients_named_in(asked("Goal", compartment=("Patient", "ada"))) == {"ada"}
    assert patients_named_in(asked("Goal", compartment=("Practitioner", "ada"))) == set()


def parameters(*parts: object) -> dict[str, object]:
    return {"resourceType": "Parameters", "parameter": [*parts]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (parameters({"name": "patient", "valueString": "ada"}), {"ada"}),
        (parameters(1, {"valueString": 1}, {"name": "x", "valueString": "Patient/ada"}), {"ada"}),
        (parameters({"name": "x", "valueString": "ada"}), set()),
        ({"parameter": {"name": "patient", "valueString": "ada"}}, set()),
        ([], set()),
        (None, set()),
    ],
    ids=str,
)
def test_what_is_sent_to_an_operation_names_patients(body: Any, expected: set[str]) -> None:
    call = Call("operation", "CarePlan", body=body, operation="isp-metrics")
    assert patients_named_in(call) == expected
    assert patients_named_in(Call("create", "Parameters", body=body)) == set()


@pytest.mark.parametrize(
    ("type_", "query", "expected"),
    [
        ("Goal", ("patient", "ada"), False),
        ("Goal", ("patient", "ben"), True),
        ("Goal", ("patient", "ada,ben"), True),
        ("Goal", ("lifecycle-status", "active,completed"), False),
        ("Goal", ("patient", "ada,not_an_id"), True),
        ("Goal", ("subject:Patient.name", "ada,ben"), True),
        ("Goal", ("patient.name", "ada"), False),
        ("Patient", ("name", "ada,ben"), True),
        ("Patient", ("name", "ada"), False),
        ("Patient", ("_id", "ada,not_an_id"), False),
        ("Patient", ("_elements", "name,gender"), False),
        (None, ("name", "ada,ben"), False),
    ],
)
def test_a_query_tells_of_others_or_cannot(
    type_: str | None, query: tuple[str, str], expected: bool
) -> None:
    assert names_others(asked(type_, query), ["ada"]) is expected


def test_only_an_answer_that_may_leave_somebody_out_is_asked_about() -> None:
    about_ada = (("patient", "ada"),)
    assert is_asking(Call("search-type", "Goal", query=about_ada), ())
    assert not is_asking(Call("search-type", "Goal", query=about_ada), ["ada"])
    assert is_asking(Call("search-type", "Goal", query=(("patient", "ada,ben"),)), ["ada"])
    assert not is_asking(Call("search-type", "Goal", query=(("category", "a,b"),)), ())
    assert not is_asking(Call("read", "Goal", query=about_ada), ())
