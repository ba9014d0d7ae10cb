"""Reference search, compartments, chains and _has."""

import pytest

from app.fhir.access import InCompartment, Nothing
from app.fhir.errors import BadRequest
from tests.build import care_plan, care_team, condition, goal, patient, practitioner, reference


async def test_a_reference_is_found_in_every_form(shelf) -> None:
    await shelf.put(patient("ada"), goal("g1"), goal("g2", "Patient/ben"))
    for value in ("Patient/ada", "http://example.org/fhir/Patient/ada", "Patient/ada/_history/3"):
        assert await shelf.find(f"Goal?subject={value}") == ["g1"]
    assert await shelf.find("Goal?subject=ada") == ["g1"]
    assert await shelf.find("Goal?subject:Patient=ada") == ["g1"]
    assert await shelf.find("Goal?patient=ada") == ["g1"]
    assert await shelf.find("Goal?patient=Patient/ada,Patient/ben") == ["g2", "g1"]
    for value in ("Group/ada", "http://other.org/fhir/Patient/ada", "Patient/a"):
        assert await shelf.find(f"Goal?subject={value}") == []
    assert await shelf.find("Goal?subject:Group=ada") == []


async def test_a_stored_absolute_or_versioned_reference_is_found(shelf) -> None:
    own = reference("http://example.org/fhir/Condition/need")
    await shelf.put(goal("g1", addresses=[own]), care_plan(id_="p1", addresses=[own]))
    away = reference("http://other.org/fhir/Condition/need")
    await shelf.put(care_plan(id_="p2", addresses=[reference("Condition/need/_history/2"), away]))
    assert await shelf.find("CarePlan?condition=Condition/need") == ["p2", "p1"]
    assert await shelf.find("CarePlan?condition=http://other.org/fhir/Condition/need") == ["p2"]


async def test_a_reference_to_what_is_contained_is_not_indexed(shelf) -> None:
    await shelf.put(care_plan(id_="p1", addresses=[reference("#c1")], contained=[condition("c1")]))
    assert await shelf.find("CarePlan?condition=c1") == []


async def test_an_identifier_in_a_reference_is_found(shelf) -> None:
    logical = {"identifier": {"system": "urn:mrn", "value": "7"}}
    await shelf.put(goal("g1", subject=logical), goal("g2"))
    assert await shelf.find("Goal?subject:identifier=urn:mrn|7") == ["g1"]
    assert await shelf.find("Goal?patient:identifier=7") == []
    assert await shelf.find("Goal?subject:identifier=urn:mrn|8") == []
    assert await shelf.find("Goal?subject:missing=true") == []


async def test_a_canonical_is_found_with_and_without_its_version(shelf) -> None:
    await shelf.put(care_plan(id_="p1", instantiatesCanonical=["http://x.org/Plan|1.0"]))
    assert await shelf.find("CarePlan?instantiates-canonical=http://x.org/Plan") == ["p1"]
    assert await shelf.find(r"CarePlan?instantiates-canonical=http://x.org/Plan|1.0") == ["p1"]
    assert await shelf.find("CarePlan?instantiates-canonical=http://x.org/Pla") == []


async def test_a_very_long_reference_is_stored_and_found(shelf) -> None:
    url = "http://other.org/" + "x" * 4000
    await shelf.put(care_plan(id_="p1", addresses=[reference(url)]))
    assert await shelf.find(f"CarePlan?condition={url}") == ["p1"]
    assert await shelf.find(f"CarePlan?condition={url}x") == []


async def test_a_compartment_holds_what_is_about_its_patient(shelf) -> None:
    await shelf.put(patient("ada"), goal("g1"), goal("g2", "Patient/ben"))
    assert await shelf.find("Patient/ada/Goal") == ["g1"]
    assert await shelf.find("Patient/ada/Goal?lifecycle-status=completed") == []
    assert await shelf.find("Patient/ada/Patient") == ["ada"]
    with pytest.raises(BadRequest, match="not part of the Patient compartment"):
        await shelf.find("Patient/ada/Organization")


async def test_a_chain_follows_references(shelf) -> None:
    await shelf.put(patient("ada", birthDate="1990"), patient("ben"))
    await shelf.put(goal("g1"), goal("g2", "Patient/ben"), care_plan("Goal/g1", id_="p1"))
    for chain in ("patient.name", "subject:Patient.name", "patient:Patient.family"):
        assert await shelf.find(f"Goal?{chain}=ada") == ["g1"]
    assert await shelf.find("Goal?patient.birthdate=1990") == ["g1"]
    assert await shelf.find("Goal?patient.name=cid") == []
    assert await shelf.find("CarePlan?goal.lifecycle-status=active") == ["p1"]
    assert await shelf.find("CarePlan?goal.lifecycle-status=completed") == []
    assert await shelf.find("CarePlan?goal.patient.name=ada") == ["p1"]
    assert await shelf.find("CarePlan?goal.patient.name=ben") == []


async def test_a_chain_without_type_tries_every_target_that_knows_the_parameter(shelf) -> None:
    await shelf.put(practitioner("grace"), patient("ada"))
    await shelf.put(care_team("Practitioner/grace", id_="t1"), care_team(id_="t2"))
    assert await shelf.find("CareTeam?participant.family=grace") == ["t1"]
    assert await shelf.find("CareTeam?participant.family=ada") == ["t2", "t1"]


async def test_has_looks_from_the_other_side(shelf) -> None:
    await shelf.put(patient("ada"), patient("ben"), goal("g1"), care_plan("Goal/g1", id_="p1"))
    assert await shelf.find("Patient?_has:Goal:patient:lifecycle-status=active") == ["ada"]
    assert await shelf.find("Patient?_has:Goal:patient:lifecycle-status=completed") == []
    assert await shelf.find("Goal?_has:CarePlan:goal:status=active") == ["g1"]
    assert await shelf.find("Goal?_has:CarePlan:goal:status=draft") == []
    assert await shelf.find("Patient?_has:Goal:patient:_has:CarePlan:goal:status=active") == ["ada"]


async def test_a_chain_sees_only_what_the_caller_may_see(shelf) -> None:
    await shelf.put(patient("ada"), goal("g1"), care_plan("Goal/g1", id_="p1"))
    await shelf.put(goal("g2", "Patient/ben"), care_plan("Goal/g2", id_="p2"))
    access = InCompartment("ada")
    assert await shelf.find("CarePlan?goal.lifecycle-status=active", access) == ["p1"]
    assert await shelf.find("Patient?_has:Goal:patient:lifecycle-status=active", access) == ["ada"]
    assert await shelf.find("CarePlan?goal.lifecycle-status=active", Nothing()) == []


async def test_a_deleted_resource_is_nowhere_found(shelf) -> None:
    await shelf.put(patient("ada"), goal("g1"), care_plan("Goal/g1", id_="p1"))
    await shelf.delete("Goal", "g1")
    assert await shelf.find("Goal?") == []
    assert await shelf.find("CarePlan?goal.lifecycle-status=active") == []
    assert await shelf.find("Patient?_has:Goal:patient:lifecycle-status=active") == []
    assert await shelf.included("CarePlan?_include=CarePlan:goal") == set()


@pytest.mark.parametrize(
    "query",
    [
        "subject:Practitioner=x",
        "lifecycle-status.name=x",
        "subject:Nonsense.name=x",
        "subject:Practitioner.name=x",
        "_has:Goal:patient=x",
        "_has:Nonsense:patient:code=x",
        "_has:Organization:partof:name=x",
        "patient._has:Goal:patient:_has:Goal:patient:_has:Goal:patient:_has:Goal:patient:_id=x",
    ],
)
async def test_a_reference_that_leads_nowhere_is_refused(shelf, query: str) -> None:
    with pytest.raises(BadRequest):
        await shelf.find(f"Goal?{query}")
