"""Which resources make someone support a patient, and who stands for whom. Pure."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.consent.affiliations import affiliations
from app.consent.provisions import ALWAYS
from app.consent.relationships import TELLING, project, relationships
from app.consent.rows import rule_rows
from tests.build import (
    care_team,
    consent,
    goal,
    organization,
    patient,
    practitioner_role,
    reference,
    related_person,
)
from tests.official import examples

BASE = "http://localhost/fhir"
ONE, GRACE = "Organization/one", "Practitioner/grace"
PERIOD = {"start": "2026", "end": "2026-06"}
SPAN = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))


def rows(table: str, resource: dict[str, Any]) -> set[tuple[Any, ...]]:
    return set(project(resource, BASE).get(table, []))


def test_a_patient_has_an_own_record_and_perhaps_a_custodian() -> None:
    own = ("ada", "Patient/ada", "own", *ALWAYS)
    assert rows("relationship", patient("ada", None)) == {own}
    custodian = ("ada", ONE, "custodian", *ALWAYS)
    assert rows("relationship", patient("ada", ONE)) == {own, custodian}
    assert rows("relationship", patient("ada", f"{BASE}/{ONE}")) == {own, custodian}


@pytest.mark.parametrize("target", ["Goal/1", "https://other.example.org/fhir/Organization/one"])
def test_a_custodian_is_an_organization_of_this_server(target: str) -> None:
    assert len(rows("relationship", patient("ada", target))) == 1


def test_a_guardian_supports_for_a_time() -> None:
    ines = related_person(role="GUARD", period=PERIOD)
    assert rows("relationship", ines) == {("ada", "RelatedPerson/ines", "guardian", *SPAN)}
    for other in (related_person(role="SIS"), related_person(role="GUARD", active=False)):
        assert rows("relationship", other) == set()


def test_the_members_of_an_active_team_support_while_team_and_membership_last() -> None:
    team = care_team(ONE, period=PERIOD)
    assert ("ada", ONE, "care-team", *SPAN) in rows("relationship", team)
    assert rows("affiliation", team) == {
        ("Patient/ada", "CareTeam/ada-team", *SPAN),
        (ONE, "CareTeam/ada-team", *SPAN),
        ("CareTeam/ada-team", "CareTeam/ada-team of Patient/ada", *ALWAYS),
    }
    for status in ("proposed", "suspended", "inactive", "entered-in-error"):
        assert project(team | {"status": status}, BASE) == {}
    assert project(team | {"period": {"end": "2019"}}, BASE) == {}


@pytest.mark.parametrize("period", [{"start": "soon"}, {"start": "2027", "end": "2026"}])
def test_a_time_that_never_is_supports_nobody(period: dict[str, str]) -> None:
    assert project(care_team(ONE, period=period), BASE) == {}


def test_no_other_resource_permits_as_a_consent_does() -> None:
    paper = consent(ONE)
    assert project(paper, BASE)
    assert project(paper | {"resourceType": "Contract"}, BASE) == {}


def test_a_team_about_nobody_supports_nobody() -> None:
    team = care_team(ONE)
    del team["subject"]
    assert rows("relationship", team) == set()


def test_a_role_stands_for_its_practitioner_and_its_organization() -> None:
    role = practitioner_role("r", GRACE, ONE, period=PERIOD)
    assert rows("affiliation", role) == {
        ("PractitionerRole/r", GRACE, *SPAN),
        ("PractitionerRole/r", ONE, *SPAN),
        (GRACE, ONE, *SPAN),
    }
    assert rows("affiliation", role | {"active": False}) == set()


def test_a_part_of_an_organization_stands_for_the_whole() -> None:
    part = organization("two", partOf=reference(ONE))
    assert rows("affiliation", part) == {("Organization/two", ONE, *ALWAYS)}
    assert rows("affiliation", part | {"active": False}) == set()


def test_a_group_stands_for_nobody_once_a_patient_is_in_it() -> None:
    staff = {"resourceType": "Group", "id": "g", "member": [{"entity": reference(GRACE)}]}
    assert rows("affiliation", staff) == {(GRACE, "Group/g", *ALWAYS)}
    mixed = staff | {"member": [*staff["member"], {"entity": reference("Patient/ada")}]}
    assert rows("affiliation", mixed) == set()
    gone = staff | {"member": [{"entity": reference(GRACE), "inactive": True}]}
    assert rows("affiliation", gone) == set()


@pytest.mark.parametrize("resource", [goal(), organization()], ids=lambda one: one["resourceType"])
def test_nothing_else_says_who_supports_whom(resource: dict[str, Any]) -> None:
    assert project(resource, BASE) == {}


def test_a_role_of_nobody_or_nowhere_stands_for_what_there_is() -> None:
    role = practitioner_role("role", GRACE, ONE, period=PERIOD)
    for missing, left in (("practitioner", ONE), ("organization", GRACE)):
        given = {name: value for name, value in role.items() if name != missing}
        assert rows("affiliation", given) == {("PractitionerRole/role", left, *SPAN)}
    assert rows("affiliation", {"resourceType": "PractitionerRole", "id": "role"}) == set()


@pytest.mark.parametrize(
    ("resource", "is_active"),
    [
        (practitioner_role("role", GRACE, ONE), True),
        (practitioner_role("role", GRACE, ONE, active=False), False),
        (organization("part", partOf=reference(ONE)), True),
        (organization("part", partOf=reference(ONE), active=False), False),
        (organization("part"), False),
        (care_team(GRACE), True),
        (care_team(GRACE, status="inactive"), False),
        (care_team(GRACE, status="proposed"), False),
        ({"resourceType": "Group", "id": "g", "member": [{"entity": reference(GRACE)}]}, True),
        (
            {"resourceType": "Group", "id": "g", "active": False}
            | {"member": [{"entity": reference(GRACE)}]},
            False,
        ),
    ],
    ids=str,
)
def test_what_is_not_active_stands_for_nobody(resource: dict[str, Any], is_active: bool) -> None:
    assert bool(rows("affiliation", resource)) is is_active


@pytest.mark.parametrize(
    ("changes", "is_member"),
    [
        ({}, True),
        ({"inactive": False}, True),
        ({"inactive": True}, False),
        ({"entity": reference("Goal/1")}, False),
        ({"entity": {"display": "Grace"}}, False),
        ({"entity": None}, False),
        ({"period": {"start": "2026", "end": "2025"}}, False),
    ],
    ids=str,
)
def test_a_member_is_somebody_who_acts_and_is_not_inactive(
    changes: dict[str, Any], is_member: bool
) -> None:
    member = {"entity": reference(GRACE), **changes}
    group = {"resourceType": "Group", "id": "g", "member": [member]}
    assert bool(rows("affiliation", group)) is is_member


def test_a_team_stands_for_itself_as_the_team_of_its_patient() -> None:
    team = care_team(GRACE, id_="team")
    ours = ("CareTeam/team", "CareTeam/team of Patient/ada", *ALWAYS)
    assert ours in rows("affiliation", team)
    empty = {name: value for name, value in team.items() if name != "participant"}
    assert rows("affiliation", empty) == set()


def test_no_other_type_tells_who_supports_whom() -> None:
    others = [one for one in examples() if one["resourceType"] not in TELLING]
    told = [
        row
        for one in others
        for rows_ in (relationships(one, BASE), affiliations(one, BASE), rule_rows(one, BASE))
        for row in rows_
    ]
    assert others
    assert told == []
