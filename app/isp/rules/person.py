"""The person: assessment, strengths, preferences, language, needs (C17-C24)."""

from collections.abc import Iterator
from datetime import date

from app.fhir.context import Resource
from app.isp import codes as code
from app.isp.element import codes, day, extensions, members, months_after, name, names, period
from app.isp.plan import Plan
from app.isp.rules.rule import Clock, Place, Rule, at

DOMAINS = ("medical", "psychological", "social", "vocational")
OTHER_FORMS = ("informed-choice", "rights-modification", "review", "feedback")
"""Words in the canonical of a Questionnaire that is no assessment."""


def unassessed(plan: Plan, clock: Clock) -> Iterator[Place]:
    """No assessment from the time before the plan is among what the plan rests on."""
    start = period(plan.care_plan.get("period"))[0] or clock.today
    earliest = months_after(start, -clock.limits["assessment_months"])
    made = day(plan.care_plan.get("created"))
    latest = max(start, made) if made else start
    dates = (assessed(one) for one in assessments(plan))
    if not any(earliest <= on <= latest for on in dates if on):
        yield at(plan.care_plan, "supportingInfo")


def assessments(plan: Plan) -> list[Resource]:
    """What the plan rests on that is an assessment."""
    return [one for one in plan.supporting if _is_assessment(one)]


def _is_assessment(resource: Resource) -> bool:
    match resource["resourceType"]:
        case "QuestionnaireResponse":
            form = str(resource.get("questionnaire", ""))
            return not any(word in form for word in OTHER_FORMS)
        case "Observation":
            return "survey" in codes(resource.get("category"))
        case "DocumentReference":
            return bool(codes(resource.get("type")) & {"51848-0", "10190-7", "47420-5"})
    return bool(resource["resourceType"] == "ClinicalImpression")


def assessed(resource: Resource) -> date | None:
    """The day of an assessment."""
    for element in ("authored", "effectiveDateTime", "date"):
        if element in resource:
            return day(resource[element])
    return period(resource.get("effectivePeriod"))[1]


def no_function(plan: Plan, _: Clock) -> Iterator[Place]:
    """What the person can do was not looked at."""
    if not any("functional-status" in codes(one.get("category")) for one in plan.supporting):
        yield at(plan.care_plan, "supportingInfo")


def uncovered_domains(plan: Plan, _: Clock) -> Iterator[Place]:
    """An assessment leaves out the body, the mind, people, or work and learning."""
    forms = [one for one in assessments(plan) if one["resourceType"] == "QuestionnaireResponse"]
    asked = " ".join(
        f"{item.get('linkId', '')} {item.get('text', '')}".lower()
        for form in forms
        for item in members(form.get("item"))
    )
    for form in forms[:1]:
        if any(domain not in asked for domain in DOMAINS):
            yield at(form, "item")


def no_strength(plan: Plan, _: Clock) -> Iterator[Place]:
    """The plan does not say what the person is good at."""
    if not plan.observed(frozenset({code.STRENGTH})):
        yield at(plan.care_plan, "supportingInfo")


def no_preference(plan: Plan, _: Clock) -> Iterator[Place]:
    """The plan does not say how the person wants to be supported."""
    if not plan.observed(code.PREFERENCES):
        yield at(plan.care_plan, "supportingInfo")


def no_language(plan: Plan, _: Clock) -> Iterator[Place]:
    """Nobody knows in which language and how to talk with the person."""
    if plan.patient is not None and not plan.patient.get("communication"):
        yield at(plan.patient, "communication")


def no_needs(plan: Plan, _: Clock) -> Iterator[Place]:
    """The plan addresses nothing."""
    if not names(plan.care_plan.get("addresses")) and not plan.needs:
        yield at(plan.care_plan, "addresses")


def orphan_needs(plan: Plan, clock: Clock) -> Iterator[Place]:
    """A need is not in the plan, or neither goal nor service answers it, and nothing says why."""
    yield from no_needs(plan, clock)
    addressed = {target for one in plan.whole for target in names(one.get("addresses"))}
    answered = {target for goal in plan.goals for target in names(goal.get("addresses"))}
    answered |= {reason for service in plan.services for reason in service.reasons}
    for need in plan.needs:
        is_deferred = any(extensions(need, "need-deferred"))
        if not is_deferred and name(need) not in addressed & answered:
            yield at(need)


def unconsented_input(plan: Plan, clock: Clock) -> Iterator[Place]:
    """A relative told of the person, or is on the team, without consent or guardianship."""
    for form in plan.of("QuestionnaireResponse"):
        on = day(form.get("authored")) or clock.today
        for source in names(form.get("source")):
            if source.startswith("RelatedPerson/") and not _may(plan, source, on):
                yield at(form, "source")
    for team, index, one in plan.members(clock.today):
        for member in names(one.get("member")):
            if member.startswith("RelatedPerson/") and not _may(plan, member, clock.today):
                yield at(team, f"participant[{index}].member")


def _may(plan: Plan, relative: str, on: date) -> bool:
    if relative in plan.related(code.GUARDIANS, on) or is_parent_of_minor(plan, relative, on):
        return True
    return any(_permits(consent, relative, on) for consent in plan.of("Consent"))


def is_parent_of_minor(plan: Plan, relative: str, on: date) -> bool:
    """Whether a relative is a parent, and the person under eighteen on this day."""
    born = day(plan.patient.get("birthDate")) if plan.patient else None
    is_minor = born is not None and months_after(born, 18 * 12) > on
    return is_minor and relative in plan.related(code.PARENTS, on)


def _permits(consent: Resource, actor: str, on: date) -> bool:
    root = consent.get("provision", {})
    start, end = period(root.get("period"))
    is_in_time = (start is None or start <= on) and (end is None or on <= end)
    provisions = [root, *members(root.get("provision"))]
    named = any(
        actor in names(one.get("reference"))
        for provision in provisions
        if provision.get("type") != "deny"
        for one in members(provision.get("actor"))
    )
    return consent.get("status") == "active" and is_in_time and named


RULES = (
    Rule(
        "C17",
        "assessment",
        unassessed,
        "R11 R12 R20",
        "Link the comprehensive assessment that the plan rests on; it is dated within the year"
        " before the plan starts.",
    ),
    Rule(
        "C18",
        "assessment",
        no_function,
        "R12 R14",
        "Link a summary of what the person can do: feelings, thinking, people, coping, daily life.",
    ),
    Rule(
        "C19",
        "assessment",
        uncovered_domains,
        "R11",
        "Ask about all four in the assessment: medical, psychological, social, vocational.",
        ceiling="information",
    ),
    Rule(
        "C20",
        "person",
        no_strength,
        "R15 · 42 CFR 441.301(c)(2)(ii)",
        "Write down at least one strength: what the person is good at or can build on.",
    ),
    Rule(
        "C21",
        "person",
        no_preference,
        "R17 R18 · 42 CFR 441.301(c)(2)(ii)",
        "Write down at least one preference: how, when and by whom the person wants support.",
    ),
    Rule(
        "C22",
        "person",
        no_language,
        "R18 R59",
        "Say in which language and in what way to talk with the person.",
    ),
    Rule(
        "C23",
        "needs",
        orphan_needs,
        "R16 · 42 CFR 441.301(c)(2)(iii)",
        "Answer this need with a goal or a service, or say why it has to wait.",
    ),
    Rule(
        "C24",
        "privacy",
        unconsented_input,
        "R19 R51 R76",
        "Ask the person for consent to involve this relative, or name the guardianship.",
    ),
)
