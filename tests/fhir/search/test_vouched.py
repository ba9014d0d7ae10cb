"""Where a match may vouch for what it includes: one access judges both, by their marks alone."""

import pytest

from app.fhir.access import (
    Access,
    All,
    AnyOf,
    Everything,
    InCompartment,
    Matching,
    OfType,
    Permitted,
    Related,
)
from app.fhir.search.system import parse_types
from app.fhir.search.vouched import is_vouched
from tests.fhir.search.conftest import asked

GOALS = "CarePlan?_include=CarePlan:goal"
TEAMS = f"{GOALS}&_include=CarePlan:care-team"


def permitted(actor: str = "Organization/partner") -> Permitted:
    return Permitted((actor,), ("TREAT",), ("access",), ())


def in_scope(type_: str, actor: str) -> Access:
    return All((OfType(type_), permitted(actor)))


MARKED = Matching("*", (("_security", "R"),))


@pytest.mark.parametrize("url", [GOALS, TEAMS, "Goal?_include=Goal:patient&patient=ada"])
@pytest.mark.parametrize(
    "access",
    [
        permitted(),
        All((InCompartment("ada"), permitted())),
        AnyOf((permitted(), Related(("Organization/partner",)))),
        AnyOf(tuple(in_scope(each, "a") for each in ("CarePlan", "Goal", "CareTeam", "Patient"))),
    ],
)
def test_one_access_by_marks_vouches(url: str, access: Access) -> None:
    assert is_vouched(asked(url), access)


@pytest.mark.parametrize(
    "url",
    [
        "CarePlan?patient=ada",
        f"{GOALS}&_revinclude=Task:focus",
        f"{GOALS}&_include:iterate=Goal:patient",
        "Goal?_revinclude=CarePlan:goal",
        "CareTeam?_include=CareTeam:participant",
        "Appointment?_include=Appointment:patient",
        "Goal?_include=Goal:subject",
    ],
)
def test_only_what_leads_to_records_of_one_person_each_is_vouched_for(url: str) -> None:
    assert not is_vouched(asked(url), permitted())


def test_of_many_types_each_is_weighed() -> None:
    pairs = (("_include", "CarePlan:goal"),)
    query = parse_types(("CarePlan", "Goal"), pairs, is_lenient=False, counts=(50, 1000))
    assert not is_vouched(query, permitted())


@pytest.mark.parametrize(
    "access",
    [
        Everything("test"),
        Related(("Organization/partner",)),
        InCompartment("ada"),
        AnyOf((in_scope("CarePlan", "a"), in_scope("Goal", "b"))),
        AnyOf((in_scope("CarePlan", "a"), OfType("Goal"))),
        All((permitted(), MARKED)),
        in_scope("CarePlan", "a"),
    ],
)
def test_other_accesses_do_not_vouch(access: Access) -> None:
    assert not is_vouched(asked(GOALS), access)
