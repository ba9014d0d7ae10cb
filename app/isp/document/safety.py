"""The sections on safety: the crisis card, food and risks; and how the plan comes to an end."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.fhir.context import Resource
from app.isp.codes import ADVANCE_DIRECTIVE, CRISIS, DISCHARGE, INFORM, NO_DIETARY_NEED
from app.isp.document.person import Part
from app.isp.document.view import Person, View, is_key
from app.isp.element import codes, members, name, names
from app.isp.plan import Resources
from app.isp.words import display_name, phones

PROTOCOLS = frozenset({"behavior-support-plan", "health-protocol", "safety-plan"})


@dataclass(frozen=True, slots=True)
class PartView:
    """A plan within the plan: its title, its text, and its steps in order."""

    title: str
    text: str
    steps: list[str]


@dataclass(frozen=True, slots=True)
class Crisis:
    """What to do, whom to call, and where the person's wishes are written down."""

    parts: list[PartView]
    contacts: list[Person]
    wishes: list[str]


@dataclass(frozen=True, slots=True)
class Safety:
    """Food, allergies, risks each with what is done about it, and other protocols."""

    food: list[str]
    allergies: list[str]
    risks: list[tuple[str, str]]
    protocols: list[PartView]


def crisis(view: View) -> Part:
    """The crisis card, which is a page of its own too."""
    parts = view.plan.part(CRISIS)
    wishes = [one for one in view.plan.of("DocumentReference") if _is_directive(one)]
    told = [str(one.get("description") or view.words.concept(one.get("type"))) for one in wishes]
    content = Crisis([_part(view, one) for one in parts], list(_contacts(view)), told)
    entries = tuple(name(one) for one in (*parts, *wishes))
    return Part(content, entries, not parts and not content.contacts)


def safety(view: View) -> Part:
    """Diet, allergies, risks and protocols."""
    plan, words = view.plan, view.words
    orders = [one for one in plan.of("NutritionOrder") if one.get("status") == "active"]
    none = plan.observed(frozenset({NO_DIETARY_NEED}))
    risks = plan.of("RiskAssessment")
    protocols = plan.part(PROTOCOLS)
    content = Safety(
        food=[
            *(_food(view, one) for one in orders),
            *(words("diet.no-dietary-need") for _ in none),
        ],
        allergies=[words.concept(one.get("code")) for one in plan.of("AllergyIntolerance")],
        risks=[pair for one in risks for pair in _risks(view, one)],
        protocols=[_part(view, one) for one in protocols],
    )
    seen: Resources = (*orders, *none, *plan.of("AllergyIntolerance"), *risks, *protocols)
    return Part(content, tuple(name(one) for one in seen), not seen)


def discharge(view: View) -> Part:
    """When the support is no longer needed, and what stays."""
    parts = view.plan.part(frozenset({DISCHARGE}))
    told = [_part(view, one) for one in parts]
    return Part(told, tuple(name(one) for one in parts), not parts)


def _part(view: View, part: Resource) -> PartView:
    title = str(part.get("title") or view.words.concept(part.get("category")))
    return PartView(title, str(part.get("description", "")), list(_steps(view, part)))


def _steps(view: View, part: Resource) -> Iterator[str]:
    for activity in members(part.get("activity")):
        given = view.plan.get(activity.get("reference"))
        for one in (one for one in given if INFORM not in codes(one.get("code"))):
            what = str(one.get("description") or view.words.concept(one.get("code"), "task"))
            who = view.people(one.get("owner") or one.get("performer"))
            yield ": ".join(filter(None, (who, what)))
        detail = activity.get("detail", {})
        if detail:
            yield str(detail.get("description") or view.words.concept(detail.get("code")))


def _contacts(view: View) -> Iterator[Person]:
    """Those with a phone: emergency contacts, then relatives on the team, then the key worker."""
    found: dict[str, Person] = {}
    for one in members((view.plan.patient or {}).get("contact")):
        called, phone = display_name({"name": [one.get("name", {})]}), phones(one.get("telecom"))
        role = view.words.concept(one.get("relationship"), "role")
        found.setdefault(called, Person(called, role, phone=phone))
    for participant, person in view.team():
        is_close = any(t.startswith("RelatedPerson/") for t in names(participant.get("member")))
        if is_close or is_key(participant):
            found.setdefault(person.name, person)
    yield from (one for one in found.values() if one.phone)


def _food(view: View, order: Resource) -> str:
    words = view.words
    said = [words.concept(one, "diet") for one in members(order.get("foodPreferenceModifier"))]
    said += [words.concept(one) for one in members(order.get("oralDiet", {}).get("type"))]
    barred = [words.concept(one) for one in members(order.get("excludeFoodModifier"))]
    return "; ".join(filter(None, (*said, *barred)))


def _risks(view: View, risk: Resource) -> Iterator[tuple[str, str]]:
    unsaid = view.words("label.unsaid")
    for one in members(risk.get("prediction")):
        what = view.words.concept(one.get("outcome"))
        yield what or unsaid, str(risk.get("mitigation") or unsaid)


def _is_directive(document: Resource) -> bool:
    is_current = document.get("status") == "current"
    return is_current and ADVANCE_DIRECTIVE in codes(document.get("type"))
