"""What a naive check would hold against a plan, and ours does not."""

from typing import Any

import pytest

from app.isp import codes as code
from app.isp.plan import assemble
from app.isp.service import REASON
from tests.build import HL7, concept, reference
from tests.isp.breaking.change import gone, no_link, set_
from tests.isp.breaking.content import barrier
from tests.isp.test_checks import found, places
from tests.worlds.frame import days, local
from tests.worlds.whole import SERVICE, TODAY, whole
from tests.worlds.world import World


def ids(world: World) -> set[str]:
    return {one.id for one in found(world)}


def test_a_draft_needs_no_signature_and_no_review_yet() -> None:
    world = whole(status="draft")
    for own in [own for own in world.resources if own.startswith("Provenance/ada-signed")]:
        world.resources.pop(own)
    gone("Task/ada-review-2026-02-27")(world)
    assert not ids(world) & {"C30", "C49", "C50", "C51", "C53", "C59"}


def test_slow_progress_is_no_finding() -> None:
    world = whole()
    for status in ("no-progress", "no-change", "worsening"):
        set_("Goal/job", achievementStatus=concept(f"{HL7}/goal-achievement", status))(world)
        assert places(world, "C14") == places(world, "C29-overdue") == set()


def test_a_goal_that_is_due_today_is_not_overdue() -> None:
    world = whole()
    world["Goal/job"]["target"][0]["dueDate"] = TODAY.isoformat()
    assert places(world, "C29-overdue") == set()
    world["Goal/job"]["target"][0]["dueDate"] = "2026"
    assert places(world, "C29-overdue") == set()


def test_an_achieved_goal_is_not_overdue() -> None:
    world = whole()
    world["Goal/job"]["target"][0]["dueDate"] = "2025-12-01"
    set_("Goal/job", achievementStatus=concept(f"{HL7}/goal-achievement", "achieved"))(world)
    assert places(world, "C29-overdue") == set()


def test_a_short_goal_needs_no_steps() -> None:
    world = whole()
    gone("Goal/trial")(world)
    world["Goal/job"]["target"][0]["dueDate"] = "2025-11-30"
    assert places(world, "C25") == set()


def test_what_is_done_for_a_step_is_done_for_its_goal() -> None:
    world = whole()
    world[SERVICE]["extension"] = world[SERVICE]["extension"][1:]
    assert places(world, "C31") == set()


def test_a_dropped_goal_with_a_reason_asks_for_nothing_more() -> None:
    world = whole()
    set_("Goal/job", lifecycleStatus="cancelled", statusReason="Moved.", target=[])(world)
    gone("Goal/trial")(world)
    assert not {place for place in all_places(world) if place.startswith("Goal/job ")}


def all_places(world: World) -> set[str]:
    return {f"{one.resource} {one.expression}" for one in found(world)}


def test_a_deferred_need_needs_no_answer() -> None:
    world = whole()
    url = f"{code.EXTENSION}/need-deferred"
    world.need("need-later", "A car", extension=[{"url": url, "valueString": "First the job."}])
    assert places(world, "C23") == set()


@pytest.mark.parametrize("status", ["resolved", "inactive", "remission"])
def test_a_need_that_is_over_needs_no_answer(status: str) -> None:
    world = whole()
    over = concept(f"{HL7}/condition-clinical", status)
    world.need("need-over", "A walker", clinicalStatus=over)
    assert places(world, "C23") == set()


def test_a_renewed_plan_is_not_a_discharge() -> None:
    world = whole(status="completed")
    [made] = [one for one in world.all() if one.get("id") == "ada" and "intent" in one]
    world.put({**made, "id": "ada-next", "replaces": [reference("CarePlan/ada")]})
    assert places(world, "C46") == set()


def test_a_plan_of_another_programme_is_no_second_plan() -> None:
    world = whole()
    [made] = [one for one in world.all() if one.get("id") == "ada" and "intent" in one]
    world.put({**made, "id": "ada-school", "encounter": reference("Encounter/school")})
    school = {
        "resourceType": "Encounter",
        "id": "school",
        "episodeOfCare": [reference("EpisodeOfCare/school")],
    }
    world.put(school | {"subject": reference(world.me)})
    assert places(world, "C06") == set()


def test_a_stopped_service_says_why_in_one_of_three_places() -> None:
    for how in range(3):
        world = whole()
        set_(SERVICE, status="revoked")(world)
        if how == 0:
            said = {"url": f"http://hl7.org/fhir/StructureDefinition/{REASON}"}
            world[SERVICE]["extension"].append(said | {"valueCodeableConcept": {"text": "Moved"}})
        elif how == 1:
            world.provenance("stopped", SERVICE, reason=[{"text": "Moved"}])
        assert places(world, "C33") == (set() if how < 2 else {f"{SERVICE} ServiceRequest.status"})


def test_unpaid_support_needs_no_payer() -> None:
    world = whole()
    world[SERVICE].pop("insurance")
    set_(SERVICE, category=[local(code.NATURAL_SUPPORT)])(world)
    assert places(world, "C11") == set()


def test_a_barrier_to_a_goal_that_ended_is_no_topic() -> None:
    world = whole()
    barrier(world)
    set_("Goal/job", lifecycleStatus="completed")(world)
    assert places(world, "C43") == set()


def test_a_request_has_some_days_to_be_answered() -> None:
    world = whole()
    asked = {"authoredOn": "2025-12-28T10:00:00Z", "requester": reference(world.me)}
    own = world.reviews("2026-03-01", **asked)
    assert places(world, "C57") == set()
    set_(own, authoredOn="2025-12-01T10:00:00Z", status="accepted")(world)
    assert places(world, "C57") == set()


def test_the_review_clock_counts_from_the_last_review() -> None:
    world = whole()
    gone("Task/ada-review-2026-02-27")(world)
    world.reviews("2026-06-15")
    assert places(world, "C53") == {"CarePlan/ada CarePlan"}
    world.reviews("2025-12-20", "completed", executionPeriod=days(None, "2025-12-20"))
    assert places(world, "C53") == set()


def test_what_was_not_given_is_not_held_against_a_plan() -> None:
    """A caller who sees only the plan learns nothing of the team, the goals or the services."""
    world = whole()
    [alone] = [one for one in world.all() if one.get("id") == "ada" and "intent" in one]
    plan = assemble([alone], "ada")
    assert plan.goals == plan.services == plan.teams == ()
    world.resources.clear()
    assert not ids(world) & {"C05", "C07", "C12", "C36", "C37", "C63", "C64"}


def test_another_persons_resources_do_not_count() -> None:
    world, other = whole(), whole("bob")
    other.need("need-bob", "Something else")
    mixed = [*other.all(), *world.all()]
    assert {need["id"] for need in assemble(mixed, "ada").needs} == {"need-work", "need-people"}


def test_services_in_the_plan_itself_are_judged_like_requests() -> None:
    world = whole()
    detail = {
        "status": "in-progress",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "408367005"}]},
        "goal": [reference("Goal/job"), reference("Goal/trial")],
        "reasonReference": [reference("Condition/need-work")],
        "scheduledTiming": world[SERVICE]["occurrenceTiming"],
        "performer": [reference("PractitionerRole/tom")],
    }
    gone(SERVICE)(world)
    rest = [{"reference": reference(one)} for one in world.links.pop("activity")]
    world.changes["activity"] = [{"detail": detail}, *rest]
    assert ids(world) - {"C16", "C64-part2"} == {"C11"}
    detail.pop("performer")
    detail.pop("scheduledTiming")
    place = "CarePlan/ada CarePlan.activity[0].detail"
    assert places(world, "C35") == {f"{place}.performer"}
    assert places(world, "C08") == places(world, "C09") == {f"{place}.occurrence"}


def test_no_dietary_need_can_be_said() -> None:
    world = whole()
    gone("NutritionOrder/ada-diet")(world)
    world.observe("eats-all", "Nothing to watch", local(code.NO_DIETARY_NEED))
    assert places(world, "C41") == set()


def test_a_justified_restriction_stands() -> None:
    world = whole()
    world[SERVICE]["category"] = [local(code.RESTRICTION)]
    form: dict[str, Any] = {"resourceType": "QuestionnaireResponse", "id": "asked"}
    form["questionnaire"] = "https://isp-fhir.example/Questionnaire/rights-modification"
    form["item"] = [{"linkId": f"r{n}", "answer": [{"valueString": "yes"}]} for n in range(1, 9)]
    papers = [reference(world.put(form)), reference("Consent/allows-ines")]
    world[SERVICE]["supportingInfo"] = papers
    assert places(world, "C32") == set()
    form["item"].pop()
    assert places(world, "C32") == {f"{SERVICE} ServiceRequest"}


def test_an_assessment_counts_for_a_year() -> None:
    world = whole()
    no_link("supportingInfo", "Observation/ada-functioning")(world)
    for authored, counts in (("2024-09-01", True), ("2024-08-31", False), ("2025-09-02", False)):
        set_("QuestionnaireResponse/ada-assessment", authored=authored)(world)
        assert (places(world, "C17") == set()) is counts, authored
