"""app/isp/renew.py and app/isp/normalize.py: what is carried over is a plan of its own."""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest

from app.fhir.errors import Unprocessable
from app.fhir.references import walk
from app.fhir.validation.structure import validate
from app.isp.act import Act
from app.isp.check import check
from app.isp.element import name, names
from app.isp.normalize import PERTAINS, normalized
from app.isp.plan import Plan, assemble
from app.isp.renew import Renewal, renewed
from app.isp.rules.person import assessments
from app.isp.rules.profiles import DEFAULT, profile
from app.isp.service import pertains
from tests.build import care_plan, patient, reference
from tests.worlds.whole import whole

Json = dict[str, Any]
LIMITS = profile(DEFAULT).limits
NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


@pytest.fixture
def act() -> Act:
    number = count()
    return Act(reference("PractitionerRole/eve"), NOW, lambda: f"new-{next(number)}")


@pytest.fixture
def plan() -> Plan:
    return assemble(whole().all(), "ada")


def following(plan: Plan, made: list[Json]) -> Plan:
    """The new plan among all there is, as it will be stored."""
    return assemble([*plan.resources.values(), *made], made[0]["id"])


def test_everything_that_goes_on_is_carried_over(plan: Plan, act: Act) -> None:
    made = renewed(plan, Renewal(None, None), LIMITS, act)
    new = following(plan, made)
    assert len(new.goals) == len(plan.live_goals)
    assert len(new.live_services) == len(plan.live_services)
    assert len(new.parts) == len(plan.parts)
    assert {one.get("id") for one in new.goals}.isdisjoint(one["id"] for one in plan.goals)
    for one in made:
        if one["resourceType"] not in ("Task", "Provenance") or "id" in one:
            assert [i for i in validate(one, one["resourceType"]) if i.severity == "error"] == []


def test_what_is_carried_over_hangs_together_as_before(plan: Plan, act: Act) -> None:
    new = following(plan, renewed(plan, Renewal(None, None), LIMITS, act))
    own = {name(goal) for goal in new.goals}
    assert len(new.steps) == len(plan.steps)
    assert set(new.steps) | set(new.steps.values()) <= own
    for service in new.live_services:
        assert set(service.goals) <= own
    for part in new.parts:
        assert names(part["partOf"]) == [new.name]


def test_the_new_plan_follows_the_old_one_day_by_day(plan: Plan, act: Act) -> None:
    period = plan.care_plan["period"]
    new = renewed(plan, Renewal(None, None), LIMITS, act)[0]
    ended, begins = date.fromisoformat(period["end"]), new["period"]["start"]
    assert date.fromisoformat(begins).toordinal() == ended.toordinal() + 1
    chosen = renewed(plan, Renewal(date(2026, 12, 1), None), LIMITS, act)[0]
    assert chosen["period"] == {"start": "2026-12-01", "end": "2027-11-30"}


def test_the_new_plan_lacks_nothing_that_the_old_one_had(plan: Plan, act: Act) -> None:
    """But for an assessment of its own, and goals whose day has come with the old plan."""
    new = following(plan, renewed(plan, Renewal(None, None), LIMITS, act))
    core = profile(DEFAULT)
    before = {one.id for one in check(plan, core, date(2026, 1, 5)) if one.severity == "error"}
    after = {one.id for one in check(new, core, NOW.date()) if one.severity == "error"}
    assert after - before <= {"C17"}


def test_a_goal_that_is_left_behind_takes_its_services_along(plan: Plan, act: Act) -> None:
    kept = Renewal(None, frozenset({"Goal/job", "Goal/trial"}))
    made = renewed(plan, kept, LIMITS, act)
    texts = {one["description"]["text"] for one in made if one["resourceType"] == "Goal"}
    assert texts == {"I want to work in a nursery.", "I try out two nurseries."}
    services = [one for one in made if one["resourceType"] == "ServiceRequest"]
    assert [one["code"]["text"] for one in services] == ["Supported employment"]


def pointed(one: Any) -> set[str]:
    return {each["reference"] for each in walk(one)}


def test_a_goal_that_is_left_behind_is_named_nowhere(act: Act) -> None:
    """Be it by the plan, by a part, or by a service that serves another goal as well."""
    world = whole()
    crisis = next(one for one in world.all() if "partOf" in one)
    crisis["goal"] = [reference("Goal/job"), reference("Goal/friends")]
    service = next(one for one in world.all() if one["resourceType"] == "ServiceRequest")
    service["extension"] = [
        {"url": PERTAINS, "valueReference": reference(f"Goal/{goal}")}
        for goal in ("job", "friends")
    ]
    plan = assemble(world.all(), "ada")
    made = renewed(plan, Renewal(None, frozenset({"Goal/job"})), LIMITS, act)
    copies = {name(one) for one in made if one["resourceType"] == "Goal"}
    for one in made:
        if one["resourceType"] not in ("Goal", "Provenance"):
            assert {goal for goal in pointed(one) if goal.startswith("Goal/")} <= copies
    parts = [one for one in made if "partOf" in one and one.get("goal")]
    assert [len(one["goal"]) for one in parts] == [1]
    kept = next(o for o in made if o["resourceType"] == "ServiceRequest" and o.get("extension"))
    assert len(pertains(kept)) == 1


@pytest.mark.parametrize(("authored", "is_kept"), [("2025-08-01", False), ("2026-07-20", True)])
def test_the_new_plan_rests_on_a_fresh_assessment(act: Act, authored: str, is_kept: bool) -> None:
    """What was assessed anew for it stays; nothing else that the plan rests on is lost."""
    world = whole()
    form = next(one for one in world.all() if one["id"] == "ada-assessment")
    old = {name(one) for one in assessments(assemble(world.all(), "ada"))}
    form["authored"] = authored
    plan = assemble(world.all(), "ada")
    new = renewed(plan, Renewal(None, None), LIMITS, act)[0]
    kept = set(names(new["supportingInfo"]))
    assert (name(form) in kept) == is_kept
    assert set(names(plan.care_plan["supportingInfo"])) - old <= kept
    assert not (kept & old) - {name(form)}
    findings = check(following(plan, [new]), profile(DEFAULT), NOW.date())
    assert ("C17" in {one.id for one in findings}) == (not is_kept)


@pytest.mark.parametrize("status", ["draft", "completed", "revoked"])
def test_only_a_plan_in_force_is_renewed(act: Act, status: str) -> None:
    resources = [patient(), care_plan(status=status)]
    with pytest.raises(Unprocessable, match="Status"):
        renewed(assemble(resources, "ada-plan"), Renewal(None, None), LIMITS, act)


def test_every_kind_of_detail_becomes_a_valid_resource(act: Act) -> None:
    details: list[Json] = [
        {
            "status": status,
            "description": "Help",
            "scheduledString": "On Mondays",
            "doNotPerform": False,
        }
        for status in ("not-started", "scheduled", "in-progress", "on-hold", "stopped", "cancelled")
    ]
    details += [
        {"status": "completed", "kind": "Task", "scheduledPeriod": {"start": "2026-01-01"}},
        {"status": "unknown", "kind": "Task", "reasonCode": [{"text": "So"}]},
        {"status": "in-progress", "dailyAmount": {"value": 2}, "code": {"text": "Meals"}},
        {"status": "in-progress", "quantity": {"value": 2}, "location": reference("Location/x")},
    ]
    kept = {"reference": reference("ServiceRequest/theirs"), "progress": [{"text": "Well"}]}
    activity = [kept, *({"detail": one, "progress": [{"text": "Well"}]} for one in details)]
    own, *made, proof = normalized(assemble([care_plan(activity=activity)], "ada-plan"), act)
    assert own["activity"][0] == kept
    assert all(one["progress"] == [{"text": "Well"}] for one in own["activity"])
    assert [one["reference"]["reference"] for one in own["activity"][1:]] == list(map(name, made))
    for one in (own, *made, proof):
        assert [i for i in validate(one, one["resourceType"]) if i.severity == "error"] == []


def test_a_detail_keeps_its_goals(act: Act) -> None:
    detail = {"status": "in-progress", "goal": [reference("Goal/a"), reference("Goal/b")]}
    made = normalized(assemble([care_plan(activity=[{"detail": detail}])], "ada-plan"), act)[1]
    assert pertains(made) == ["Goal/a", "Goal/b"]
