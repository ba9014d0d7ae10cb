"""_include, _revinclude, :iterate and wildcards."""

from urllib.parse import parse_qsl

import pytest

from app.fhir.access import All, AnyOf, InCompartment, OfType
from app.fhir.errors import BadRequest
from app.fhir.search.include import included
from app.fhir.search.parameters import Over
from app.fhir.search.query import parse_query
from app.storage.sql import Arguments
from tests.build import care_plan, care_team, goal, organization, patient, plan, reference
from tests.fhir.search.conftest import ALL


async def test_a_plan_comes_with_its_goals_and_team(shelf) -> None:
    await shelf.put(*plan(), *plan(person="ben"))
    url = "CarePlan?patient=ada&status=active&_include=CarePlan:goal&_include=CarePlan:care-team"
    assert await shelf.find(url) == ["ada-plan"]
    assert await shelf.included(url) == {"Goal/ada-goal-1", "Goal/ada-goal-2", "CareTeam/ada-team"}


async def test_an_include_can_be_held_to_one_target_type(shelf) -> None:
    await shelf.put(organization("o1"), patient("ada"), care_team("Organization/o1", id_="t1"))
    assert await shelf.included("CareTeam?_include=CareTeam:participant") == {
        "Organization/o1",
        "Patient/ada",
    }
    narrow = "CareTeam?_include=CareTeam:participant:Organization"
    assert await shelf.included(narrow) == {"Organization/o1"}


async def test_a_wildcard_includes_all_that_is_referred_to(shelf) -> None:
    await shelf.put(*plan(goals=1))
    everything = {"Goal/ada-goal-1", "CareTeam/ada-team", "Condition/ada-need", "Patient/ada"}
    assert await shelf.included("CarePlan?_include=CarePlan:*") == everything
    assert await shelf.included("CarePlan?_include=*") == everything


async def test_a_revinclude_brings_what_points_here(shelf) -> None:
    await shelf.put(*plan(), *plan(person="ben"))
    url = "Patient?_id=ada&_revinclude=Goal:patient&_revinclude=CarePlan:subject"
    found = {"Goal/ada-goal-1", "Goal/ada-goal-2", "CarePlan/ada-plan"}
    assert await shelf.included(url) == found
    assert await shelf.included("Goal?_id=ada-goal-1&_revinclude=CarePlan:*") == {
        "CarePlan/ada-plan"
    }


async def test_iterate_goes_on_from_what_was_included(shelf) -> None:
    await shelf.put(organization("o0"), organization("o1", partOf=reference("Organization/o0")))
    await shelf.put(patient("ada", "Organization/o1"), goal("g1"))
    await shelf.put(care_plan("Goal/g1", id_="p1"))
    once = "CarePlan?_include=CarePlan:goal"
    assert await shelf.included(once) == {"Goal/g1"}
    further = f"{once}&_include:iterate=Goal:patient&_include:iterate=Patient:organization"
    assert await shelf.included(further) == {"Goal/g1", "Patient/ada", "Organization/o1"}
    recursive = "Organization?_id=o1&_include:iterate=Organization:partof"
    assert await shelf.included(recursive) == {"Organization/o0"}


async def test_only_the_page_itself_is_followed(shelf) -> None:
    await shelf.put(care_plan("Goal/g1", id_="p1"), care_plan("Goal/g2", id_="p2"))
    await shelf.put(goal("g1"), goal("g2"))
    url = "CarePlan?_include=CarePlan:goal&_count=1"
    assert await shelf.included(url) == {"Goal/g2"}


async def test_an_include_shows_only_what_the_caller_may_see(shelf) -> None:
    mixed = care_plan("Goal/g1", "Goal/g2", id_="p1")
    await shelf.put(patient("ada"), goal("g1"), goal("g2", "Patient/ben"), mixed)
    url = "CarePlan?_include=CarePlan:goal&_include=CarePlan:patient"
    assert await shelf.included(url, InCompartment("ada")) == {"Goal/g1", "Patient/ada"}
    scopes = All((AnyOf((OfType("CarePlan"), OfType("Goal"))), InCompartment("ada")))
    assert await shelf.included(url, scopes) == {"Goal/g1"}
    url = "Patient?_id=ada&_revinclude=Goal:patient&_revinclude=CarePlan:patient"
    plans = All((AnyOf((OfType("CarePlan"), OfType("Patient"))), InCompartment("ada")))
    assert await shelf.included(url, plans) == {"CarePlan/p1"}


@pytest.mark.parametrize(
    "value",
    [
        "_include=CarePlan",
        "_include=CarePlan:",
        "_include=CarePlan:status",
        "_include=CarePlan:nonsense",
        "_include=CarePlan:goal:Nonsense",
        "_include=CarePlan:goal:Patient",
        "_include=Goal:patient",
        "_include=Nonsense:goal",
        "_revinclude=Goal:patient",
        "_revinclude=Goal:lifecycle-status",
    ],
)
async def test_what_cannot_be_included_is_refused(shelf, value: str) -> None:
    with pytest.raises(BadRequest):
        await shelf.find(f"CarePlan?{value}")


async def test_a_wildcard_brings_all_that_points_here(shelf) -> None:
    await shelf.put(*plan(goals=1), *plan(person="ben"), organization("agency"))
    found = {"CarePlan/ada-plan", "CareTeam/ada-team", "Condition/ada-need", "Goal/ada-goal-1"}
    assert await shelf.included("Patient?_id=ada&_revinclude=*") == found
    assert await shelf.included("Goal?_id=ada-goal-1&_revinclude=*") == {"CarePlan/ada-plan"}


async def test_a_wildcard_iterates_over_everything(shelf) -> None:
    await shelf.put(organization("top"), organization("o1", partOf=reference("Organization/top")))
    await shelf.put(patient("ada", "Organization/o1"), goal("g1"), care_plan("Goal/g1", id_="p1"))
    found = {"Goal/g1", "Patient/ada", "Organization/o1", "Organization/top"}
    assert await shelf.included("CarePlan?_include:iterate=*") == found


async def test_a_type_that_refers_to_nothing_includes_nothing(shelf) -> None:
    await shelf.put(organization("o1"))
    assert await shelf.included("Organization?_revinclude=Binary:*") == set()


def test_only_rounds_that_lead_on_are_in_the_statement() -> None:
    def rounds(url: str) -> list[str]:
        type_, _, text = url.partition("?")
        query = parse_query(type_, parse_qsl(text))
        return [name for name, *_ in included(query.includes, [type_], ALL, Over("r", Arguments()))]

    assert rounds("Goal?_revinclude=CarePlan:goal&_include:iterate=CarePlan:care-team") == [
        "round1",
        "round2",
    ]
    assert rounds("Goal?_include:iterate=CarePlan:care-team") == []
    recursive = rounds("Organization?_include:iterate=Organization:partof")
    assert recursive == ["round1", "round2", "round3", "round4", "beyond"]
