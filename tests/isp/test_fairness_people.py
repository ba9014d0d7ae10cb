"""What is right about the people of a plan is no finding: consent, signatures, the team."""

from typing import Any

import pytest

from app.isp import codes as code
from tests.build import concept, reference
from tests.isp.breaking.agreement import changed_since
from tests.isp.breaking.change import gone, set_
from tests.isp.test_checks import places
from tests.worlds.frame import days
from tests.worlds.whole import SERVICE, whole


def test_a_guardian_or_a_minors_parent_needs_no_consent() -> None:
    for role, born in (("GUARD", "1990-05-17"), ("MTH", "2015-05-17")):
        world = whole()
        gone("Consent/allows-ines")(world)
        world.relative("ines", role)
        set_("Patient/ada", birthDate=born)(world)
        assert places(world, "C24") == set(), role


def test_a_parent_of_an_adult_needs_consent() -> None:
    world = whole()
    gone("Consent/allows-ines")(world)
    world.relative("ines", "MTH")
    assert places(world, "C24") == {"CareTeam/ada CareTeam.participant[4].member"}


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "inactive"},
        {"provision": {"type": "permit", "period": days("2025-01-01", "2025-12-31")}},
    ],
)
def test_a_consent_that_is_over_consents_to_nothing(changes: dict[str, Any]) -> None:
    world = whole()
    consent = world["Consent/allows-ines"]
    if "provision" in changes:
        changes["provision"]["actor"] = consent["provision"]["actor"]
    consent.update(changes)
    assert places(world, "C24") == {"CareTeam/ada CareTeam.participant[4].member"}


def test_where_there_is_a_guardian_the_guardian_signs() -> None:
    world = whole()
    world.relative("ines", "GUARD")
    assert places(world, "C30") == {"CarePlan/ada CarePlan.status"}
    world.signs("RelatedPerson/ines")
    assert places(world, "C30") == set()


def test_a_refusal_with_its_reason_stands_for_a_signature() -> None:
    world = whole()
    gone("Provenance/ada-signed-ada", "Provenance/ada-signed-tom")(world)
    world.refuses(world.me, "I sign nothing.")
    late = {"statusReason": {"text": "On leave until March"}}
    world.task("ada-sign", code.SIGN, "PractitionerRole/tom", "rejected", **late)
    assert places(world, "C30") == places(world, "C51") == set()


def test_a_colleague_signs_for_the_organization_but_not_for_a_person() -> None:
    world = whole()
    gone("Provenance/ada-signed-tom")(world)
    set_(SERVICE, performer=[reference("Organization/agency")])(world)
    assert places(world, "C51") == set()
    world.staff("uma")
    set_(SERVICE, performer=[reference("PractitionerRole/uma")])(world)
    assert places(world, "C51") == {f"{SERVICE} ServiceRequest.performer[0]"}


def test_a_signature_outlives_a_change_of_the_status_only() -> None:
    world = whole()
    changed_since(world)
    activation = concept(code.ISP, "activate")
    world.provenance("ada-activated", f"{world.plan}/_history/2", activity=activation)
    assert places(world, "C50") == set()


def test_only_the_last_signature_of_a_person_counts() -> None:
    world = whole()
    changed_since(world)
    for who in ("Patient/ada", *(f"PractitionerRole/{one}" for one in ("eve", "tom", "ida"))):
        again = world.provenance(f"again-{who[-3:]}", f"{world.plan}/_history/2", who)
        world[again]["signature"][0]["when"] = "2025-12-22T10:00:00Z"
    assert places(world, "C50") == set()


def test_the_author_is_the_key_worker_of_two_coordinators() -> None:
    world = whole()
    world.participants[2]["role"] = world.participants[1]["role"]
    assert places(world, "C37") == set()


def test_a_member_who_left_is_no_member() -> None:
    world = whole()
    world.participants[2]["period"] = days("2025-08-20", "2025-12-31")
    assert places(world, "C36") == {f"{SERVICE} ServiceRequest.performer[0]"}


def test_a_performer_belongs_to_the_team_by_organization() -> None:
    world = whole()
    world.member("Organization/nursery", "Nursery")
    set_(SERVICE, performer=[reference("PractitionerRole/new")])(world)
    world.staff("new", "Organization/nursery")
    assert places(world, "C36") == set()
