"""A draft from an assessment and a template: frame, goals, needs, services, team, clock. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.fhir.context import Resource
from app.fhir.instant import to_text
from app.isp import codes as code
from app.isp.act import Act, Reference, provenance
from app.isp.answers import everywhere, worded
from app.isp.codes import ISP, PLAN
from app.isp.element import codes, days_after, members, months_after, name, names, texts
from app.isp.needs import need, trait
from app.isp.normalize import PERTAINS
from app.isp.schedule import Limits, missing

CATEGORIES = (
    ("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", code.ASSESS_PLAN),
    (code.SNOMED, code.CARE_PLAN),
    (ISP, PLAN),
)
LAY = ("patient", "related-person")
"""https://hl7.org/fhir/R4/valueset-action-participant-type.html: who takes a step unpaid."""

DAYS, MONTHS = {"d": 1, "wk": 7}, {"mo": 1, "a": 12}
"""What a Duration counts, in UCUM."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan is made from; `known` are the resources of the person, `team` is their team."""

    subject: Reference
    assessment: Resource | None
    template: Resource | None
    known: Sequence[Resource]
    team: Reference | None
    start: date
    title: str | None


@dataclass(frozen=True, slots=True)
class Ground:
    """What the goals rest on: needs and what supports the plan, those that are new, its period."""

    needs: list[Resource]
    supporting: list[Resource]
    new: list[Resource]
    time: Mapping[str, str]


def drafted(basis: Basis, limits: Limits, act: Act) -> list[Resource]:
    """The draft of a plan first, then all that it is made of, and the Provenance."""
    ground = _ground(basis, limits, act)
    places, goals = _goals(basis, ground, act)
    actions = list(_leaves(members((basis.template or {}).get("action"))))
    done = [_done(one, basis, ground, places) | {"id": act.new_id()} for one in actions]
    teams = [] if basis.team else [_team(basis, act)]
    own = _plan(basis, ground, goals, done) | {"id": act.new_id()}
    own["created"] = to_text(act.now)
    own["careTeam"] = [basis.team] if basis.team else [_to(teams[0])]
    if act.who["reference"].partition("/")[0] in ("Practitioner", "PractitionerRole"):
        own["author"] = act.who
    made = [own, *teams, *ground.new, *goals, *done]
    tasks = list(missing(own, [], limits, act.now))
    return [*made, *tasks, provenance(act, "create", made)]


def _to(one: Resource) -> Reference:
    return {"reference": name(one)}


def _ground(basis: Basis, limits: Limits, act: Act) -> Ground:
    """What is known of the person, and what the assessment adds."""
    last = days_after(months_after(basis.start, limits["plan_months"]), -1)
    time = {"start": basis.start.isoformat(), "end": last.isoformat()}
    needs = [one for one in basis.known if _is_need(one)]
    traits = [one for one in basis.known if _is_trait(one)]
    episodes = [one for one in basis.known if _is_episode(one)]
    new = list(_found(basis, act))
    words = {texts(one.get("code")) for one in needs}
    new = [one for one in new if texts(one.get("code")) not in words or "valueString" in one]
    fresh = [one for one in new if one["resourceType"] == "Condition"]
    form = [basis.assessment] if basis.assessment else []
    others = [one for one in new if one["resourceType"] == "Observation"]
    return Ground([*needs, *fresh], [*form, *traits, *others, *episodes], new, time)


def _is_need(one: Resource) -> bool:
    is_over = codes(one.get("clinicalStatus")) & {"inactive", "remission", "resolved"}
    is_need = one["resourceType"] == "Condition" and not is_over
    return is_need and code.ASSESSED_NEED in codes(one.get("category"))


def _is_trait(one: Resource) -> bool:
    kinds = {code.STRENGTH, *code.PREFERENCES}
    return one["resourceType"] == "Observation" and bool(codes(one.get("code")) & kinds)


def _is_episode(one: Resource) -> bool:
    return one["resourceType"] == "EpisodeOfCare" and one.get("status") == "active"


def _said(basis: Basis, kind: str) -> Iterator[str]:
    """What the assessment answers under link ids such as need, need.2 or social.need."""
    for link, answer in everywhere(basis.assessment or {}):
        if kind in link.split(".") and worded(answer):
            yield worded(answer)


def _found(basis: Basis, act: Act) -> Iterator[Resource]:
    if basis.assessment is None:
        return
    source = name(basis.assessment)
    for text in _said(basis, "need"):
        yield need(basis.subject, text, act, source)
    for kind in ("strength", "preference"):
        for text in _said(basis, kind):
            yield trait(kind, basis.subject, text, act, source)


def _goals(basis: Basis, ground: Ground, act: Act) -> tuple[dict[str, str], list[Resource]]:
    """The goals, and by the id that a goal has in the template, what it became (Type/id)."""
    places: dict[str, str] = {}
    made: list[Resource] = []
    for one in members((basis.template or {}).get("goal")):
        goal = _templated(one, basis, ground) | {"id": act.new_id()}
        places[str(one.get("id", ""))] = name(goal)
        made.append(goal)
    for text in _said(basis, "goal"):
        own = _goal(basis, {"text": text}) | {"id": act.new_id()}
        who = members((basis.assessment or {}).get("source"))
        if who and names(who)[:1] and names(who)[0].startswith(("Patient/", "RelatedPerson/")):
            own["expressedBy"] = who[0]
        made.append(own)
    return places, made


def _goal(basis: Basis, description: Resource) -> Resource:
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "proposed",
        "description": description,
        "subject": basis.subject,
        "startDate": basis.start.isoformat(),
    }


def _templated(one: Resource, basis: Basis, ground: Ground) -> Resource:
    made = _goal(basis, one["description"])
    made |= {key: one[key] for key in ("category", "priority") if key in one}
    if "category" in made:
        made["category"] = members(made["category"])
    targets = [_target(target, basis.start) for target in members(one.get("target"))]
    needs = [_to(each) for each in ground.needs if _is_meant(one, each)]
    return made | {k: v for k, v in {"target": targets, "addresses": needs}.items() if v}


def _is_meant(one: Resource, condition: Resource) -> bool:
    """Whether the template's goal is there for such a need: by a code, or in the same words."""
    wanted = one.get("addresses")
    is_same = codes(wanted) & codes(condition.get("code"))
    return bool(is_same) or bool(texts(wanted) and texts(wanted) == texts(condition.get("code")))


def _target(target: Resource, start: date) -> Resource:
    made = {key: value for key, value in target.items() if key != "due"}
    due = _after(start, target.get("due", {}))
    return made | ({"dueDate": due.isoformat()} if due else {})


def _after(start: date, duration: Mapping[str, Any]) -> date | None:
    value, unit = duration.get("value"), str(duration.get("code", duration.get("unit", "")))
    if value is None or unit not in DAYS | MONTHS:
        return None
    if unit in MONTHS:
        return months_after(start, int(value) * MONTHS[unit])
    return days_after(start, int(value) * DAYS[unit])


def _leaves(actions: Sequence[Resource]) -> Iterator[Resource]:
    for one in actions:
        within = members(one.get("action"))
        yield from _leaves(within) if within else (one,)


def _done(action: Resource, basis: Basis, ground: Ground, places: Mapping[str, str]) -> Resource:
    """A step for the person or their family, or a service for which somebody is to be found."""
    kinds = {one.get("type") for one in members(action.get("participant"))}
    goals = [places[one] for one in action.get("goalId", ()) if one in places]
    pertains = [{"url": PERTAINS, "valueReference": {"reference": one}} for one in goals]
    made = _step(action, basis, ground) if kinds and kinds <= set(LAY) else None
    made = made or _service(action, basis, ground)
    return made | ({"extension": pertains} if pertains else {})


def _step(action: Resource, basis: Basis, ground: Ground) -> Resource:
    kinds = {one.get("type") for one in members(action.get("participant"))}
    made: Resource = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "plan",
        "code": {"coding": [{"system": ISP, "code": "own-step"}], "text": _title(action)},
        "for": basis.subject,
        "restriction": {"period": dict(ground.time)},
    }
    if kinds == {"patient"}:
        made["owner"] = basis.subject
    return made | ({"description": action["description"]} if "description" in action else {})


def _service(action: Resource, basis: Basis, ground: Ground) -> Resource:
    given = members(action.get("code"))
    made: Resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "plan",
        "code": given[0] if given else {"text": _title(action)},
        "subject": basis.subject,
    }
    if "description" in action:
        made["note"] = [{"text": action["description"]}]
    timing = action.get("timingTiming")
    if isinstance(timing, dict):
        repeat = {**timing.get("repeat", {}), "boundsPeriod": dict(ground.time)}
        return made | {"occurrenceTiming": {**timing, "repeat": repeat}}
    return made | {"occurrencePeriod": dict(ground.time)}


def _title(action: Resource) -> str:
    return str(action.get("title") or action.get("description") or "Support")


def _team(basis: Basis, act: Act) -> Resource:
    """The person and who writes the plan; the others are still to be asked."""
    people = [{"role": [_role(code.SNOMED, code.PATIENT_ROLE)], "member": basis.subject}]
    if act.who["reference"] != basis.subject["reference"]:
        is_worker = act.who["reference"].startswith("Practitioner")
        role = (ISP, code.KEY_WORKER) if is_worker else (code.SNOMED, code.CAREGIVER)
        people.append({"role": [_role(*role)], "member": act.who})
    return {
        "resourceType": "CareTeam",
        "id": act.new_id(),
        "status": "active",
        "subject": basis.subject,
        "period": {"start": act.today.isoformat()},
        "participant": people,
    }


def _role(system: str, code_: str) -> Resource:
    return {"coding": [{"system": system, "code": code_}]}


def _plan(basis: Basis, ground: Ground, goals: list[Resource], done: list[Resource]) -> Resource:
    template = basis.template or {}
    lists = {
        "addresses": [_to(one) for one in ground.needs],
        "supportingInfo": [_to(one) for one in ground.supporting],
        "goal": [_to(one) for one in goals],
        "activity": [{"reference": _to(one)} for one in done],
        "instantiatesCanonical": [template["url"]] if "url" in template else [],
    }
    return {
        "resourceType": "CarePlan",
        "status": "draft",
        "intent": "plan",
        "category": [{"coding": [{"system": s, "code": c}]} for s, c in CATEGORIES],
        "title": basis.title or template.get("title") or "My plan",
        "subject": basis.subject,
        "period": dict(ground.time),
    } | {key: value for key, value in lists.items() if value}
