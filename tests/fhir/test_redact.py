"""What a resource is without the elements that point to what is hidden. Pure."""

from typing import Any

import pytest

from app.fhir.redact import MASKED, REDACTED, is_redacted, redact
from app.fhir.search.at_risk import is_at_risk
from app.fhir.subset import SUBSETTED
from tests.build import care_plan, condition, goal, reference

BASE = "http://localhost/fhir"
HIDDEN = ["Goal/hidden", "Condition/hidden", "Task/hidden", "RelatedPerson/hidden"]
KEPT, GONE = reference("Goal/kept"), reference("Goal/hidden")
NARRATIVE = {"status": "generated", "div": "<div>It says what is hidden.</div>"}


def shown(resource: dict[str, Any]) -> dict[str, Any]:
    return redact(resource, HIDDEN, BASE)


def test_what_points_to_nothing_hidden_is_left_alone() -> None:
    plan = care_plan("Goal/kept", text=NARRATIVE)
    assert shown(plan) is plan
    assert not is_redacted(plan)


def test_a_hidden_reference_goes_and_the_copy_says_so() -> None:
    plan = care_plan(meta={"security": [{"code": "R"}]}, goal=[KEPT, {**GONE, "display": "Sober"}])
    made = shown(plan)
    assert made["goal"] == [KEPT]
    assert made["meta"] == {"security": [{"code": "R"}, REDACTED], "tag": [SUBSETTED]}
    assert is_redacted(made)
    assert plan["goal"][1]["display"] == "Sober"


def test_that_something_hidden_changes_the_meaning_is_told() -> None:
    url, other = "http://example.org/unless", {"url": "http://example.org/if", "valueBoolean": True}
    unless = {"url": url, "valueReference": GONE}
    target = {"dueDate": "2027-07-07", "modifierExtension": [unless, other]}
    made = shown(goal(target=[target], modifierExtension=[unless]))
    assert made["modifierExtension"] == [{"url": url, **MASKED}]
    assert made["target"] == [target | {"modifierExtension": [{"url": url, **MASKED}, other]}]
    assert "hidden" not in str(made)
    same = goal(target=[target | {"modifierExtension": [other]}])
    assert shown(same) is same


def test_a_list_of_which_nothing_is_left_is_not_there() -> None:
    assert "goal" not in shown(care_plan("Goal/hidden"))


@pytest.mark.parametrize(
    "given",
    ["Goal/hidden", f"{BASE}/Goal/hidden", "Goal/hidden/_history/2"],
)
def test_however_it_is_written(given: str) -> None:
    assert "goal" not in shown(care_plan(given))


@pytest.mark.parametrize("given", ["https://elsewhere.example/fhir/Goal/hidden", "Goal/hidden-not"])
def test_another_resource_is_another(given: str) -> None:
    plan = care_plan(given)
    assert shown(plan) is plan


def test_the_narrative_goes_with_what_it_may_retell() -> None:
    assert "text" not in shown(care_plan("Goal/hidden", text=NARRATIVE))


def test_an_activity_goes_with_the_one_thing_it_is() -> None:
    task = {"reference": reference("Task/hidden"), "progress": [{"text": "He drinks less."}]}
    other = {"reference": reference("Task/kept")}
    assert shown(care_plan(activity=[task, other]))["activity"] == [other]


def detail(*goals: Any) -> dict[str, Any]:
    who = [reference("Practitioner/grace"), reference("Patient/ada")]
    return {"detail": {"status": "in-progress", "goal": [*goals], "performer": who}}


def test_an_activity_goes_with_the_only_goal_it_serves() -> None:
    made = shown(care_plan(activity=[detail(GONE), detail(KEPT, GONE)]))
    assert made["activity"] == [detail(KEPT)]


def test_an_activity_stays_without_what_came_of_it() -> None:
    plan = care_plan(activity=[{"outcomeReference": [GONE], **detail()}])
    assert shown(plan)["activity"] == [detail()]


def test_an_extension_goes_as_a_whole() -> None:
    target = {"url": "target", "valueReference": GONE}
    kind = {"url": "type", "valueCode": "milestone"}
    outer = {"url": "http://example.org/relationship", "extension": [kind, target]}
    assert "extension" not in shown(care_plan(extension=[outer]))


def test_an_extension_goes_as_a_whole_beside_what_it_may_show() -> None:
    targets = [{"url": "target", "valueReference": each} for each in (GONE, KEPT)]
    outer = {"url": "http://example.org/relationship", "extension": targets}
    assert "extension" not in shown(care_plan("Goal/kept", extension=[outer]))


def test_what_stands_alone_stays_without_what_it_points_to() -> None:
    again = {"reAdmission": {"text": "Again"}}
    visit = {"resourceType": "Encounter", "id": "e", "status": "finished"}
    stay = again | {"origin": reference("Location/hidden")}
    made = redact(visit | {"hospitalization": stay}, ["Location/hidden"], BASE)
    assert made["hospitalization"] == again


def test_what_is_no_element_stays() -> None:
    protocol = ["http://example.org/protocol"]
    assert shown(care_plan("Goal/hidden", instantiatesUri=protocol))["instantiatesUri"] == protocol


def test_what_is_said_beside_a_value_stays_beside_it() -> None:
    """An array of extensions is as long as that of the values, with null where there is none."""
    kept, gone = (
        {"extension": [{"url": "http://example.org/source", "valueReference": each}]}
        for each in (KEPT, GONE)
    )
    beside = "_instantiatesUri"
    three = {"instantiatesUri": ["urn:a", "urn:b", "urn:c"]}
    made = shown(care_plan(**three, **{beside: [gone, None, kept]}))
    assert made["instantiatesUri"] == three["instantiatesUri"]
    assert made[beside] == [None, None, kept]
    assert beside not in shown(care_plan(**three, **{beside: [gone, None, None]}))


def test_a_copy_that_was_cut_before_is_tagged_once() -> None:
    made = shown(care_plan("Goal/hidden", meta={"security": [REDACTED], "tag": [SUBSETTED]}))
    assert made["meta"] == {"security": [REDACTED], "tag": [SUBSETTED]}


def test_either_mark_says_that_something_was_taken() -> None:
    for meta in ({"security": [REDACTED]}, {"tag": [SUBSETTED]}):
        assert is_redacted(care_plan(meta=meta))
    for meta in ({"security": [REDACTED | {"code": "R"}]}, {"tag": [SUBSETTED | {"code": "x"}]}):
        assert not is_redacted(care_plan(meta=meta))


def test_what_is_said_in_words_stays_where_an_extension_of_it_goes() -> None:
    source = [{"url": "http://example.org/source", "valueReference": GONE}]
    made = shown(goal(description={"text": "Walk", "extension": source}, text=NARRATIVE))
    assert made["description"] == {"text": "Walk"}
    assert "text" not in made


def test_one_of_several_stays_where_an_extension_of_it_goes_unless_it_may_point_itself() -> None:
    """A search by what it says finds it, as far as R4 defines no pointer in it."""
    source = {"extension": [{"url": "http://example.org/source", "valueReference": GONE}]}
    made = shown(goal(target=[{"dueDate": "2026-03-01", **source}, {"measure": source}]))
    assert made["target"] == [{"dueDate": "2026-03-01"}]
    assert not is_at_risk("Goal", "target-date")
    detail = {"detail": {"status": "in-progress"}}
    assert "activity" not in shown(care_plan(activity=[detail | source]))
    assert is_at_risk("CarePlan", "activity-code")


def test_who_assigned_an_identifier_goes_without_it() -> None:
    own = {"value": "7", "assigner": reference("Organization/hidden")}
    made = redact(care_plan(identifier=[own]), ["Organization/hidden"], BASE)
    assert made["identifier"] == [{"value": "7"}]


def test_an_element_goes_that_r4_does_not_allow_without_what_is_hidden() -> None:
    signature = {"type": [{"code": "x"}], "when": "2026-03-01T00:00:00Z"}
    signed = signature | {"who": reference("RelatedPerson/hidden"), "onBehalfOf": KEPT}
    bundle = {"resourceType": "Bundle", "id": "b", "type": "collection", "signature": signed}
    assert "signature" not in shown(bundle)
    signed["who"], signed["onBehalfOf"] = KEPT, reference("RelatedPerson/hidden")
    assert shown(bundle)["signature"] == signature | {"who": KEPT}


def test_a_tag_of_another_system_says_nothing_of_it() -> None:
    for coding in (REDACTED, SUBSETTED):
        other = [coding | {"system": "http://example.org/tags"}]
        plan = care_plan("Goal/hidden", meta={"security": other, "tag": other})
        assert not is_redacted(plan)
        assert is_redacted(shown(plan))


def test_a_note_goes_with_its_author() -> None:
    plan = care_plan(note=[{"text": "x", "authorReference": reference("RelatedPerson/hidden")}])
    assert "note" not in shown(plan)


def test_contained_resources_that_only_the_hidden_led_to_go_too() -> None:
    held = {**condition("held"), "evidence": [{"detail": [GONE]}]}
    step = {"resourceType": "Task", "id": "step", "focus": reference("#held")}
    loose = {"resourceType": "Goal", "id": "hidden"}
    task = {"resourceType": "Task", "id": "step2", "focus": reference("Goal/hidden")}
    plan = care_plan(
        contained=[held, step, loose, task],
        activity=[
            {"reference": reference("Task/hidden"), "outcomeReference": [reference("#step")]},
            {"reference": reference("#step2")},
        ],
    )
    made = shown(plan)
    assert [each["id"] for each in made["contained"]] == ["step2"]
    assert made["activity"] == [{"reference": reference("#step2")}]


def test_what_led_to_a_contained_copy_of_the_hidden_goes_with_it() -> None:
    copy = {"resourceType": "Goal", "id": "hidden"}
    made = shown(care_plan("#hidden", "Goal/kept", contained=[copy]))
    assert ("contained" in made, made["goal"]) == (False, [KEPT])


def test_the_one_thing_that_r4_demands_is_there_without_a_value() -> None:
    made = redact(condition(patient="Patient/hidden"), ["Patient/hidden"], BASE)
    assert made["subject"] == MASKED


def test_what_r4_demands_is_there_without_a_value() -> None:
    told = {
        "resourceType": "Provenance",
        "id": "p",
        "target": [GONE],
        "agent": [{"who": reference("RelatedPerson/hidden")}],
    }
    made = shown(told)
    assert (made["target"], made["agent"]) == ([MASKED], [MASKED])


def test_an_entry_of_a_stored_bundle_is_judged_for_itself() -> None:
    hidden, plan = {"resourceType": "Goal", "id": "hidden"}, care_plan("Goal/hidden", "Goal/kept")
    bundle = {"resourceType": "Bundle", "entry": [{"resource": hidden}, {"resource": plan}]}
    [entry] = shown(bundle)["entry"]
    assert entry["resource"]["goal"] == [KEPT]


def test_a_section_goes_with_its_entries() -> None:
    secret = {"title": "Substance use", "text": NARRATIVE, "entry": [GONE]}
    mixed = {"title": "Goals", "text": NARRATIVE, "entry": [GONE, KEPT]}
    plain = {"title": "About me", "text": NARRATIVE}
    paper = {"resourceType": "Composition", "id": "c", "section": [secret, mixed, plain]}
    assert shown(paper)["section"] == [{"title": "Goals", "entry": [KEPT]}, plain]


@pytest.mark.parametrize(
    ("type_", "code", "expected"),
    [
        ("CarePlan", "activity-code", True),
        ("Encounter", "participant-type", True),
        ("List", "notes", True),
        ("AllergyIntolerance", "manifestation", True),
        ("Goal", "identifier", False),
        ("CarePlan", "category", False),
        ("Goal", "lifecycle-status", False),
        ("CarePlan", "goal", False),
        ("CarePlan", "_id", False),
    ],
)
def test_which_parameters_read_beside_a_reference(type_: str, code: str, expected: bool) -> None:
    assert is_at_risk(type_, code) is expected
