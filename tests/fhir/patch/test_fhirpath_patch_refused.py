"""What does not fit https://hl7.org/fhir/R4/fhirpatch.html, or the resource, is refused."""

from typing import Any

import pytest

from app.fhir.errors import BadRequest, FHIRError, Unprocessable
from app.fhir.patch.fhirpath_patch import fhirpath_patch
from tests.fhir.patch.fhirpath_patch import CONTACT, Json, applied, name, op, order, person, value

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
