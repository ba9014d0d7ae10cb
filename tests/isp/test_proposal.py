"""app/isp/proposal.py: a draft is put before those who sign it, and may be taken back."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from app.fhir.context import Resource
from app.fhir.errors import Unprocessable
from app.fhir.redact import redact
from app.fhir.validation.structure import validate
from app.isp.act import Act
from app.isp.element import name, names
from app.isp.lifecycle import broken
from app.isp.plan import Plan, assemble
from app.isp.proposal import (
    Asking,
    changed_since,
    closed_asks,
    open_asks,
    proposal,
    proposed,
    stage,
    taken_back,
)
from app.isp.rules.profiles import DEFAULT, profile
from app.isp.rules.rule import Clock
from app.isp.sign import Signer, refusal, signature
from tests.build import reference
from tests.worlds.whole import TODAY, whole

RULES = profile(DEFAULT)
NOBODY = Asking((), None)
BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
number = count()


def act(hours: int = 0) -> Act:
    who = reference("PractitionerRole/eve")
    return Act(who, BEGIN + timedelta(hours=hours), lambda: f"new-{next(number)}")


def draft() -> Plan:
    world = whole(status="draft")
    stored = [{"meta": {"versionId": "1"}} | one for one in world.all()]
    return assemble([one for one in stored if one["resourceType"] != "Provenance"], "ada")


def after(plan: Plan, *made: Resource) -> Plan:
    """The plan with what was made, as the server stores it."""
    stored = [{"id": f"new-{next(number)}", **one} for one in made]
    return assemble([*plan.resources.values(), *stored], "ada")


def put_forward(plan: Plan, hours: int = 0, asking: Asking = NOBODY) -> Plan:
    return after(plan, *proposed(plan, asking, RULES, act(hours)))


def changed(plan: Plan, own: str, **elements: Any) -> Plan:
    return after(plan, {**plan.resources[own], **elements})


def test_a_draft_is_proposed_and_everybody_who_signs_is_asked() -> None:
    plan = draft()
    assert (stage(plan), proposal(plan)) == ("draft", None)
    made = proposed(plan, NOBODY, RULES, act())
    assert [i for one in made for i in validate(one, one["resourceType"])] == []
    proof, *asks = made
    assert {each["reference"] for each in proof["target"]} >= {
        "CarePlan/ada/_history/1",
        "Goal/job/_history/1",
    }
    assert [names(one["owner"]) for one in asks] == [
        ["Patient/ada"],
        ["PractitionerRole/eve"],
        ["PractitionerRole/tom"],
    ]
    assert {one["restriction"]["period"]["end"] for one in asks} == {"2026-01-19"}
    new = after(plan, *made)
    assert (stage(new), len(open_asks(new)), changed_since(new)) == ("proposed", 3, [])


def test_others_are_asked_as_well_each_once() -> None:
    others = Asking(("PractitionerRole/ida", "PractitionerRole/eve"), None)
    _, *asks = proposed(draft(), others, RULES, act())
    assert [names(one["owner"])[0] for one in asks][3:] == ["PractitionerRole/ida"]


@pytest.mark.parametrize(
    ("own", "elements", "is_change"),
    [
        ("Goal/job", {"description": {"text": "Something else."}}, True),
        ("ServiceRequest/h2023-employment", {"status": "revoked"}, True),
        ("CarePlan/ada", {"title": "Another"}, True),
        ("Goal/job", {"note": [{"text": "A word."}]}, False),
        ("Goal/job", {"meta": {"versionId": "7"}}, False),
    ],
)
def test_what_changed_since_shows(own: str, elements: Resource, is_change: bool) -> None:
    plan = changed(put_forward(draft()), own, **elements)
    assert changed_since(plan) == ([own] if is_change else [])
    assert stage(plan) == "proposed"


def test_that_the_person_accepts_a_goal_changes_nothing_but_that_they_decline_does() -> None:
    plan = put_forward(draft())
    goal = plan.resources["Goal/job"]
    [url] = {e["url"] for e in goal["extension"] if e["url"].endswith("goal-acceptance")}
    others = [one for one in goal["extension"] if one["url"] != url]
    for said, expected in (("agree", []), ("pending", []), ("disagree", ["Goal/job"])):
        parts = [
            {"url": "individual", "valueReference": reference("Patient/ada")},
            {"url": "status", "valueCode": said},
        ]
        extension = [*others, {"url": url, "extension": parts}]
        assert changed_since(changed(plan, "Goal/job", extension=extension)) == expected


def test_what_is_hidden_is_not_held_against_the_proposal() -> None:
    plan = put_forward(draft())
    hidden = {"Goal/job"}
    seen = [redact(o, hidden, "") for o in plan.resources.values() if name(o) not in hidden]
    partial = assemble(seen, "ada")
    whole_ = [o for o in changed_since(partial) if "tag" not in partial.resources[o]["meta"]]
    assert whole_ == []
    assert "Goal/job" not in str(proposal(partial))


def test_who_wrote_no_hash_is_taken_by_the_version() -> None:
    plan = draft()
    proof = proposed(plan, NOBODY, RULES, act())[0]
    proof["target"] = [reference("CarePlan/ada/_history/1")]
    new = after(plan, proof)
    assert changed_since(new) == []
    assert changed_since(changed(new, "CarePlan/ada", meta={"versionId": "2"})) == ["CarePlan/ada"]


def test_a_plan_proposed_anew_asks_anew() -> None:
    plan = changed(put_forward(draft()), "CarePlan/ada", title="Another")
    made = proposed(plan, NOBODY, RULES, act(1))
    assert [one["status"] for one in made[1:]] == ["requested"] * 3 + ["cancelled"] * 3
    new = after(plan, *made)
    assert (len(open_asks(new)), changed_since(new)) == (3, [])


def test_a_proposal_is_taken_back_and_made_again() -> None:
    plan = put_forward(draft())
    made = taken_back(plan, "Ines has a question.", act(1))
    assert made[0]["reason"] == [{"text": "Ines has a question."}]
    back = after(plan, *made)
    assert (stage(back), open_asks(back)) == ("draft", [])
    assert [one["statusReason"]["text"] for one in made[1:]] == ["Ines has a question."] * 3
    with pytest.raises(Unprocessable, match="Status"):
        taken_back(back, "Once more.", act(2))
    assert stage(put_forward(back, 2)) == "proposed"


def test_what_was_signed_and_taken_back_does_not_begin() -> None:
    plan = put_forward(draft())
    signer = Signer(reference("Patient/ada"), BEGIN + timedelta(hours=1))
    signed = after(plan, signature(plan, signer))
    clock = Clock(TODAY, RULES.limits)

    def rules(before: Plan) -> set[str]:
        begun = changed(before, "CarePlan/ada", status="active")
        return {issue.diagnostics.partition(":")[0] for issue in broken(before, begun, clock)}

    assert "Proposed" not in rules(signed)
    back = after(signed, *taken_back(signed, "Wait.", act(2)))
    assert "Proposed" in rules(back)
    again = after(back, signature(back, Signer(reference("Patient/ada"), act(3).now)))
    assert "Proposed" not in rules(again)


def test_an_answer_closes_what_asked_for_it() -> None:
    plan = put_forward(draft())
    signer = Signer(reference("Patient/ada"), BEGIN + timedelta(hours=1))
    [done] = closed_asks(plan, "Patient/ada", signature(plan, signer))
    assert (done["status"], names(done["owner"])) == ("completed", ["Patient/ada"])
    [refused] = closed_asks(plan, "Patient/ada", refusal(plan, signer, "Too much."))
    assert (refused["status"], refused["statusReason"]["text"]) == ("rejected", "Too much.")
    assert [i for i in validate(refused, "Task") if i.severity == "error"] == []
    assert list(closed_asks(plan, "Patient/eve", signature(plan, signer))) == []


def test_a_signature_alone_puts_a_draft_forward() -> None:
    plan = draft()
    signer = Signer(reference("Patient/ada"), BEGIN)
    assert stage(after(plan, signature(plan, signer))) == "proposed"
    assert stage(after(plan, refusal(plan, signer, "No."))) == "proposed"


@pytest.mark.parametrize("status", ["active", "on-hold", "completed", "revoked"])
def test_only_a_draft_is_proposed(status: str) -> None:
    plan = changed(draft(), "CarePlan/ada", status=status)
    assert stage(plan) == status
    with pytest.raises(Unprocessable, match="Status"):
        proposed(plan, NOBODY, RULES, act())


def test_what_keeps_a_plan_from_being_signed_is_told_one_by_one() -> None:
    plan = changed(draft(), "Goal/job", target=[])
    with pytest.raises(Unprocessable) as raised:
        proposed(plan, NOBODY, RULES, act())
    assert any(one.diagnostics.startswith("C12: Goal/job:") for one in raised.value.issues)


def test_the_last_day_to_answer_is_ahead() -> None:
    with pytest.raises(Unprocessable, match="Date"):
        proposed(draft(), Asking((), TODAY - timedelta(days=1)), RULES, act())


def test_what_was_said_last_is_told_by_the_clock_and_not_by_the_letters() -> None:
    plan = put_forward(draft(), hours=4)
    [took] = [
        one for one in taken_back(plan, "Wait.", act(5)) if one["resourceType"] == "Provenance"
    ]
    elsewhere = {**took, "recorded": "2026-01-05T08:30:00-06:00"}
    assert stage(after(plan, elsewhere)) == "draft"
