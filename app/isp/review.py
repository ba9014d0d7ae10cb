"""A review of the plan: a form with every goal, barrier and need, and what comes of it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.fhir.context import Resource
from app.fhir.errors import Issue, Unprocessable
from app.fhir.instant import to_text
from app.isp import codes as code
from app.isp.act import Act, provenance, refuse
from app.isp.answers import answers, coded, said
from app.isp.codes import HL7, LIVE_TASKS, REVIEW
from app.isp.element import codes, day, members, name, names
from app.isp.lifecycle import CURRENT
from app.isp.needs import need
from app.isp.plan import Plan
from app.isp.progress import ACHIEVEMENT
from app.isp.schedule import Limits, due_day, is_asked_for, missing, of_plan, task

FORM = "https://isp-fhir.example/Questionnaire/plan-review|1"
GOALS, NEEDS, BARRIERS, NEW_NEEDS = "goals", "needs", "barriers", "new-needs"
AUTHORS = ("Patient/", "RelatedPerson/", "Practitioner/", "Organization/")
GOES_ON = frozenset({"active", "on-hold", "completed", "cancelled"})
NEED_STATES = frozenset({"active", "inactive", "resolved", "remission", "recurrence", "relapse"})


def started(plan: Plan, act: Act) -> list[Resource]:
    """The form to fill in, and the review Task in progress that leads to it.

    Raises Unprocessable for a plan that is not in force, or under review.
    """
    if plan.care_plan.get("status") not in CURRENT:
        raise refuse("Status", "only a plan in force is reviewed.", "CarePlan.status")
    reviews = _open(plan)
    going = next((one for one in reviews if _forms(one)), None)
    if going is not None:
        raise refuse("Review", f"{name(going)} is under way; complete or cancel it.", "Task.status")
    made = form(plan, act)
    chosen = _chosen(plan, reviews, act)
    output = {"type": {"text": "Review form"}, "valueReference": {"reference": name(made)}}
    begun = {**chosen, "status": "in-progress", "executionPeriod": {"start": to_text(act.now)}}
    begun["output"] = [*members(chosen.get("output")), output]
    taken_up = [
        {**one, "status": "accepted"}
        for one in reviews
        if one is not chosen and is_asked_for(one) and one["status"] in ("requested", "received")
    ]
    return [made, begun, *taken_up]


def _open(plan: Plan) -> list[Resource]:
    found = of_plan(plan.care_plan, list(plan.of("Task")), REVIEW)
    return [one for one in found if one.get("status") in LIVE_TASKS]


def _forms(review: Resource) -> list[str]:
    outputs = members(review.get("output"))
    found = [target for one in outputs for target in names(one.get("valueReference"))]
    return [target for target in found if target.startswith("QuestionnaireResponse/")]


def _chosen(plan: Plan, reviews: list[Resource], act: Act) -> Resource:
    """The review that is due first, what was scheduled before what was asked for; or a new one."""
    ordered = sorted(reviews, key=lambda one: (is_asked_for(one), due_day(one) or act.today))
    if ordered:
        return ordered[0]
    return task(plan.care_plan, REVIEW, act.today, act.now) | {"id": act.new_id()}


def form(plan: Plan, act: Act) -> Resource:
    """The QuestionnaireResponse to fill in: what is known stands in it, the words do not."""
    barriers = [one for one in plan.of("Observation") if code.BARRIER in codes(one.get("code"))]
    groups = [
        (GOALS, "Goals", [_goal_item(one) for one in plan.live_goals]),
        (NEEDS, "Needs", [_need_item(one) for one in plan.needs]),
        (BARRIERS, "Barriers", [_barrier_item(one) for one in barriers]),
    ]
    items = [{"linkId": id_, "text": text, "item": own} for id_, text, own in groups if own]
    items.append({"linkId": NEW_NEEDS, "text": "New needs, each in an answer of its own"})
    return {
        "resourceType": "QuestionnaireResponse",
        "id": act.new_id(),
        "questionnaire": FORM,
        "status": "in-progress",
        "subject": plan.care_plan["subject"],
        "basedOn": [{"reference": plan.name}],
        "authored": to_text(act.now),
        "author": act.who,
        "item": items,
    }


def _item(id_: str, text: str, *asked: tuple[str, str, Any]) -> Resource:
    own = [
        {"linkId": f"{id_}.{part}", "text": words} | ({"answer": [known]} if known else {})
        for part, words, known in asked
    ]
    return {"linkId": id_, "text": text, "item": own}


def _goal_item(goal: Resource) -> Resource:
    system = "http://hl7.org/fhir/goal-status"
    state = {"valueCoding": {"system": system, "code": goal["lifecycleStatus"]}}
    return _item(
        goal["id"],
        goal.get("description", {}).get("text", "Goal"),
        ("progress", "How does it go?", _known(goal.get("achievementStatus"), ACHIEVEMENT)),
        ("status", "Does it go on?", state),
        ("note", "What happened, what stood in the way, what changes?", None),
    )


def _need_item(one: Resource) -> Resource:
    state = _known(one.get("clinicalStatus"), NEED_STATES)
    asked = (("status", "Is it still a need?", state), ("note", "What changed?", None))
    return _item(one["id"], one.get("code", {}).get("text", "Need"), *asked)


def _barrier_item(one: Resource) -> Resource:
    text = one.get("valueString") or one.get("code", {}).get("text", "Barrier")
    return _item(one["id"], text, ("note", "Does it still stand in the way?", None))


def _known(concept: object, wanted: frozenset[str]) -> Resource | None:
    for one in members(concept):
        for coding in members(one.get("coding")):
            if coding.get("code") in wanted:
                return {"valueCoding": coding}
    return None


def held(plan: Plan, given: Resource, limits: Limits, act: Act) -> list[Resource]:
    """The completed form, goals, needs and Task, the next review, and the Provenance of it all.

    Raises Unprocessable for a form that no review waits for, or that is silent on a goal (C56).
    """
    stored = plan.resources.get(name(given))
    review = next((one for one in _open(plan) if name(given) in _forms(one)), None)
    if review is None or stored is None:
        said_ = "no review waits for this form; start one, and send back the form you get."
        raise refuse("Review", said_, "QuestionnaireResponse.id")
    _check(plan, given)
    changed = [*_goals(plan, given, act), *_needs(plan, given), *_barriers(plan, given, act)]
    new = [need(plan.care_plan["subject"], text, act, name(given)) for text in _new(given)]
    filled = {**given, "meta": stored["meta"], "subject": stored["subject"]}
    filled |= {"status": "completed", "authored": to_text(act.now), "author": act.who}
    done = [_done(one, filled, act) for one in _open(plan) if _is_answered(one, review)]
    own = _addressing(plan, new)
    left = [one for one in plan.of("Task") if name(one) not in set(map(name, done))]
    following = list(missing(plan.care_plan, [*left, *done], limits, act.now))
    written = [filled, *done, *changed, *new, *own]
    return [*written, *following, provenance(act, "review", written)]


def _check(plan: Plan, given: Resource) -> None:
    """Everything a review must say, at once."""
    issues = []
    for goal in plan.live_goals:
        if not said(answers(given, (GOALS, goal["id"], "note"))):
            issues.append(_silent(goal["id"]))
        state, achieved = _goal_answers(given, goal["id"])
        if (state and state not in GOES_ON | {goal["lifecycleStatus"]}) or (
            achieved and achieved not in ACHIEVEMENT
        ):
            issues.append(_unknown(goal["id"]))
    for one in plan.needs:
        state = coded(answers(given, (NEEDS, one["id"], "status")))
        if state and state not in NEED_STATES:
            issues.append(_unknown(one["id"]))
    if issues:
        raise Unprocessable("The review is not complete.", issues=issues)


def _silent(id_: str) -> Issue:
    said_ = f"C56: write a word on goal {id_}: what happened, what stood in the way, what changes."
    return Issue("business-rule", said_, (_place(f"{id_}.note"),))


def _unknown(id_: str) -> Issue:
    said_ = f"Answers: the status of {id_} is none that a goal or need can have."
    return Issue("business-rule", said_, (_place(f"{id_}.status"),))


def _place(link: str) -> str:
    return f"QuestionnaireResponse.repeat(item).where(linkId = '{link}')"


def _goal_answers(given: Resource, id_: str) -> tuple[str | None, str | None]:
    state = coded(answers(given, (GOALS, id_, "status")))
    return state, coded(answers(given, (GOALS, id_, "progress")))


def _goals(plan: Plan, given: Resource, act: Act) -> Iterator[Resource]:
    for goal in plan.live_goals:
        state, achieved = _goal_answers(given, goal["id"])
        text = said(answers(given, (GOALS, goal["id"], "note")))
        made = {**goal, "note": [*members(goal.get("note")), _note(act, text)]}
        made["statusDate"] = max(act.today, day(goal.get("statusDate")) or act.today).isoformat()
        if achieved:
            coding = {"system": f"{HL7}/goal-achievement", "code": achieved}
            made["achievementStatus"] = {"coding": [coding]}
        if state and state != goal["lifecycleStatus"]:
            made |= {"lifecycleStatus": state}
            made |= {} if state in ("active", "completed") else {"statusReason": text}
        yield made


def _needs(plan: Plan, given: Resource) -> Iterator[Resource]:
    for one in plan.needs:
        state = coded(answers(given, (NEEDS, one["id"], "status")))
        text = said(answers(given, (NEEDS, one["id"], "note")))
        made = dict(one)
        if state and state not in codes(one.get("clinicalStatus")):
            coding = {"system": f"{HL7}/condition-clinical", "code": state}
            made["clinicalStatus"] = {"coding": [coding]}
        if text:
            made["note"] = [*members(one.get("note")), {"text": text}]
        if made != one:
            yield made


def _barriers(plan: Plan, given: Resource, act: Act) -> Iterator[Resource]:
    for one in plan.of("Observation"):
        text = said(answers(given, (BARRIERS, one["id"], "note")))
        if text and code.BARRIER in codes(one.get("code")):
            yield {**one, "note": [*members(one.get("note")), _note(act, text)]}


def _note(act: Act, text: str) -> Mapping[str, Any]:
    is_author = act.who["reference"].startswith(AUTHORS)
    by = {"authorReference": act.who} if is_author else {}
    return {**by, "time": to_text(act.now), "text": text}


def _new(given: Resource) -> list[str]:
    found = answers(given, (NEW_NEEDS,))
    return [text for one in found if (text := str(one.get("valueString", "")).strip())]


def _is_answered(one: Resource, review: Resource) -> bool:
    return name(one) == name(review) or (is_asked_for(one) and one["status"] == "accepted")


def _done(one: Resource, filled: Resource, act: Act) -> Resource:
    lasted = {**one.get("executionPeriod", {}), "end": to_text(act.now)}
    made = {key: value for key, value in one.items() if key != "businessStatus"}
    made |= {"status": "completed", "executionPeriod": lasted}
    if name(filled) in _forms(one):
        return made
    output = {"type": {"text": "Review form"}, "valueReference": {"reference": name(filled)}}
    return made | {"output": [*members(one.get("output")), output]}


def _addressing(plan: Plan, new: list[Resource]) -> list[Resource]:
    """The plan, where there are new needs to address."""
    if not new:
        return []
    known = members(plan.care_plan.get("addresses"))
    return [{**plan.care_plan, "addresses": [*known, *({"reference": name(o)} for o in new)]}]
