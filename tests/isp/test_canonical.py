"""The canonical hashes: what changes an agreement changes them, and nothing else does."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime

import pytest

from app.fhir.json import dump, parse
from app.isp.canonical import changed, digest, opened, sealed
from app.isp.plan import Plan, assemble
from app.isp.rules.agreement import outdated
from app.isp.rules.rule import Clock
from app.isp.sign import Signer, signature
from tests.build import Resource, reference
from tests.worlds.whole import TODAY, whole
from tests.worlds.world import World

Change = Callable[[World], object]
SEALED = sealed(assemble(whole().all(), "ada"))


def after(change: Change) -> Plan:
    world = whole()
    change(world)
    return assemble(world.all(), "ada")


def goal(**elements: object) -> Change:
    return lambda world: world["Goal/job"].update(elements)


def _one_more_step(world: World) -> None:
    """A milestone that only points to its goal."""
    world.step("more", "One more.", "Goal/job", "2026-03-01")
    world.links["goal"].remove("Goal/more")


STILL: dict[str, Change] = {
    "nothing": lambda _: None,
    "meta": goal(meta={"versionId": "7", "lastUpdated": "2026-01-01T00:00:00Z"}),
    "narrative": goal(text={"status": "generated", "div": "<div>Job</div>"}),
    "note": goal(note=[{"text": "Another word."}]),
    "achievement": goal(achievementStatus={"text": "improving"}, statusDate="2026-01-04"),
    "outcome": goal(outcomeReference=[reference("Observation/ada-strength")]),
    "completed": goal(lifecycleStatus="completed"),
    "begun": lambda world: world.changes.update(status="on-hold"),
    "order": lambda world: world.resources.update(dict(reversed(world.resources.items()))),
}
CHANGED: dict[str, tuple[Change, list[str]]] = {
    "wish": (goal(description={"text": "Something else."}), ["Goal/job"]),
    "cancelled": (goal(lifecycleStatus="cancelled"), ["Goal/job"]),
    "target": (goal(target=[]), ["Goal/job"]),
    "title": (lambda world: world.changes.update(title="Other"), ["CarePlan/ada"]),
    "team": (lambda world: world.member("Organization/agency"), ["CareTeam/ada"]),
    "service": (
        lambda world: world["ServiceRequest/h2023-employment"].update(status="revoked"),
        ["ServiceRequest/h2023-employment"],
    ),
    "step": (_one_more_step, ["Goal/more"]),
}


@pytest.mark.parametrize("name", STILL)
def test_what_changes_no_agreement_changes_no_hash(name: str) -> None:
    assert changed(after(STILL[name]), SEALED) == []


@pytest.mark.parametrize("name", CHANGED)
def test_what_was_changed_is_named(name: str) -> None:
    change, expected = CHANGED[name]
    assert changed(after(change), SEALED) == expected


def test_what_one_may_not_see_is_not_held_against_a_signature() -> None:
    world = whole()
    world.resources.pop("Goal/job")
    part = assemble(world.all(), "ada")
    assert changed(part, SEALED) == []
    assert changed(assemble(whole().all(), "ada"), sealed(part)) == []


def test_the_list_names_plan_goals_services_and_team() -> None:
    text = b64decode(SEALED).decode()
    for own in ("CarePlan/ada", "Goal/job", "CareTeam/ada", "ServiceRequest/h2023-employment"):
        assert f" {own}\n" in f"{text}\n"
    assert opened(SEALED)


def test_the_spelling_of_a_resource_does_not_matter() -> None:
    one: Resource = {
        "resourceType": "Goal",
        "id": "a",
        "target": [{"detailQuantity": {"value": 1}}],
    }
    other = parse(dump(deepcopy(one)))
    assert digest(one) == digest(dict(reversed(other.items())))


@pytest.mark.parametrize("data", [None, "", "?", "U2lnbmVkOiBNYXJpYQ==", "/w==", 7])
def test_other_signatures_tell_nothing(data: object) -> None:
    assert changed(assemble(whole().all(), "ada"), data) is None


def test_a_forged_list_shows_as_changed() -> None:
    forged = b64encode(b64decode(SEALED).replace(b"0", b"1")).decode()
    assert changed(assemble(whole().all(), "ada"), forged)


@pytest.mark.parametrize(("title", "is_outdated"), [("My plan", False), ("Another", True)])
def test_hashes_decide_before_versions(title: str, is_outdated: bool) -> None:
    """C50: signed at version 1; now it is version 3, the same or another."""
    world = whole()
    for own in [own for own in world.resources if own.startswith("Provenance/")]:
        world.resources.pop(own)
    signer = Signer(reference("Patient/ada"), datetime(2025, 9, 1, tzinfo=UTC))
    made = signature(assemble(world.all(), "ada"), signer) | {"id": "signed"}
    world.version = "3"
    world.changes["title"] = title
    plan = assemble([*world.all(), made], "ada")
    assert bool(list(outdated(plan, Clock(TODAY, {})))) is is_outdated
