"""https://hl7.org/fhir/R4/profiling.html#slicing: each discriminator."""

import pytest

from app.fhir.validation.snapshot import snapshot
from tests.fhir.validation.profiled import (
    CORE,
    URL,
    Json,
    at,
    coded,
    judged,
    observation,
    profile,
    sliced,
)

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
