"""The sections that are about the person: who I am, my strengths, what matters, what I need."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.fhir.context import Resource
from app.isp.codes import PREFERENCES, STRENGTH
from app.isp.document.view import View, is_key
from app.isp.element import codes, members, name, period
from app.isp.words import display_name, phones

CATEGORIES = {"social-history": "label.how-i-live", "survey": "label.abilities"}


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of the plan, and who said it."""

    text: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """Facts by their labels, and under further headings what is told at length."""

    facts: list[tuple[str, str]]
    texts: list[tuple[str, list[Said]]]


@dataclass(frozen=True, slots=True)
class Part:
    """What stands in a section, and which resources (Type/id) it is made of."""

    content: object
    entries: tuple[str, ...]
    is_empty: bool = False


def about(view: View) -> Part:
    """Who the person is, and how they live."""
    words, plan, patient = view.words, view.plan, view.plan.patient or {}
    facts = [
        (words("label.name"), display_name(patient)),
        (words("label.born"), words.day(patient.get("birthDate"))),
        (words("label.languages"), _languages(view, patient)),
        (words("label.phone"), phones(patient.get("telecom"))),
        (words("label.key-worker"), _key_worker(view)),
        (words("label.state"), words.of("plan-status", plan.care_plan.get("status"))),
    ]
    told = {label: _told(view, kind) for kind, label in CATEGORIES.items()}
    texts = [(words(label), [_said(view, one) for one in some]) for label, some in told.items()]
    seen = [*([patient] if patient else []), *(one for some in told.values() for one in some)]
    content = About([fact for fact in facts if fact[1]], [one for one in texts if one[1]])
    return Part(content, _names(seen), not patient)


def strengths(view: View) -> Part:
    """What the person is good at."""
    return _list(view, view.plan.observed(frozenset({STRENGTH})))


def matters(view: View) -> Part:
    """What the person prefers."""
    return _list(view, view.plan.observed(PREFERENCES))


def needs(view: View) -> Part:
    """What the person needs support with."""
    found = [(one, view.words.concept(one.get("code"))) for one in view.plan.needs]
    told = [Said(text) for _, text in found if text]
    return Part(told, _names(one for one, _ in found), not told)


def runs(view: View) -> str:
    """From when until when the plan is meant to run, in words."""
    return view.words.span(*period(view.plan.care_plan.get("period")))


def _list(view: View, observations: Iterable[Resource]) -> Part:
    found = [(one, _said(view, one)) for one in observations]
    told = [said for _, said in found if said.text]
    return Part(told, _names(one for one, _ in found), not told)


def _said(view: View, observation: Resource) -> Said:
    text = observation.get("valueString") or view.words.concept(
        observation.get("valueCodeableConcept")
    )
    return Said(str(text or ""), view.people(observation.get("performer")))


def _told(view: View, category: str) -> list[Resource]:
    """The supporting Observations of a category that are told in words, and are no list of ours."""
    listed = PREFERENCES | {STRENGTH}
    return [
        one
        for one in view.plan.supporting
        if one["resourceType"] == "Observation"
        and category in codes(one.get("category"))
        and "valueString" in one
        and not codes(one.get("code")) & listed
    ]


def _languages(view: View, patient: Resource) -> str:
    spoken = (one.get("language") for one in members(patient.get("communication")))
    return ", ".join(filter(None, (view.words.concept(one, "language") for one in spoken)))


def _key_worker(view: View) -> str:
    found = [person for one, person in view.team() if is_key(one)]
    person = found[0] if found else view.person(view.plan.care_plan.get("author"))
    return ", ".join(filter(None, (person.name, person.organization, person.phone)))


def _names(resources: Iterable[Resource]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name(one) for one in resources))
