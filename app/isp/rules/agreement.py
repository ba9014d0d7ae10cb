"""The agreement: who signed which version, who refused, who explained it (C30, C49-C52, C58)."""

from collections.abc import Iterator
from datetime import date

from app.isp import codes as code
from app.isp.actors import is_among
from app.isp.agreement import Signature, signed
from app.isp.canonical import changed
from app.isp.element import codes, day, extensions, members, name, names, texts, versioned
from app.isp.plan import Plan
from app.isp.rules.person import assessed, assessments, is_parent_of_minor
from app.isp.rules.rule import Clock, Place, Rule, at


def unsigned(plan: Plan, clock: Clock) -> Iterator[Place]:
    """The plan is in force, and the person has neither signed it nor refused to."""
    if plan.is_effective and not _answered(plan) & own_voices(plan, clock.today):
        yield at(plan.care_plan, "status")


def own_voices(plan: Plan, today: date) -> set[str]:
    """Who signs for the person: a guardian if there is one, a minor's parents, or themselves."""
    guardians = set(plan.related(code.GUARDIANS, today))
    if guardians:
        return guardians
    parents = plan.related(code.PARENTS, today)
    parents = [one for one in parents if is_parent_of_minor(plan, one, today)]
    return set(parents) or set(names(plan.care_plan.get("subject")))


def _answered(plan: Plan) -> set[str]:
    """Who signed or refused, and for whom."""
    said = {who for one in plan.signatures for who in (*one.who, *one.on_behalf_of)}
    return said | {who for one in plan.refusals for who in one.who}


def outdated(plan: Plan, _: Clock) -> Iterator[Place]:
    """A person's last signature is to another plan than this one: it changed since.

    The hashes of a signature decide where it has them, otherwise the version it names.
    """
    version = plan.care_plan.get("meta", {}).get("versionId")
    if version is None or not plan.is_current:
        return
    current = _same_content(plan, version)
    for one in _last(plan):
        data = members(one.provenance.get("signature"))[one.index].get("data")
        differing = changed(plan, data)
        if one.version not in current if differing is None else differing:
            yield at(one.provenance, signed(one))


def _same_content(plan: Plan, version: str) -> set[str]:
    """The version, and those before it that differ from it in nothing but the status."""
    moved = {
        own
        for one in plan.of("Provenance")
        if codes(one.get("activity")) & code.STATUS_CHANGES
        for target, own in versioned(one.get("target"))
        if target == plan.name
    }
    same, number = {version}, int(version) if version.isdigit() else 0
    while str(number) in moved:
        number -= 1
        same.add(str(number))
    return same


def _last(plan: Plan) -> list[Signature]:
    """The newest signature of everybody who signed."""
    ordered = sorted(plan.signatures, key=_when)
    return list({one.who: one for one in ordered}.values())


def _when(signature: Signature) -> tuple[date, str]:
    return signature.when or date.min, str(signature.provenance.get("recorded", ""))


def missing_signers(plan: Plan, clock: Clock) -> Iterator[Place]:
    """The key worker or who gives a service has neither signed nor refused with a reason."""
    if not plan.is_effective:
        return
    answered = _answered(plan)
    for author in names(plan.care_plan.get("author")):
        if not is_among(plan, author, answered):
            yield at(plan.care_plan, "author")
    for service in plan.live_services:
        for index, performer in enumerate(service.performers):
            path = service.below("performer")
            if not is_among(plan, performer, answered):
                yield at(service.resource, f"{path}[{index}]")
    for refusal in plan.refusals:
        if not refusal.reason:
            yield at(refusal.resource, "reason")


def anonymous(plan: Plan, _: Clock) -> Iterator[Place]:
    """An assessment does not say who made it, or when."""
    for one in assessments(plan):
        if not any(element in one for element in ("author", "performer", "assessor")):
            yield at(one, "performer" if one["resourceType"] == "Observation" else "author")
        if assessed(one) is None:
            yield at(one, "authored" if one["resourceType"] == "QuestionnaireResponse" else "date")


def unsigned_assessment(plan: Plan, _: Clock) -> Iterator[Place]:
    """An assessment form carries no signature."""
    signed_ones = {
        target
        for one in plan.of("Provenance")
        if one.get("signature")
        for target in names(one.get("target"))
    }
    for one in assessments(plan):
        is_form = one["resourceType"] == "QuestionnaireResponse"
        is_signed = any(extensions(one, "questionnaireresponse-signature"))
        if is_form and not is_signed and name(one) not in signed_ones:
            yield at(one)


def unsupervised(plan: Plan, _: Clock) -> Iterator[Place]:
    """No supervisor countersigned."""
    if not plan.is_effective:
        return
    signers = {target for one in plan.signatures for target in one.who}
    roles = [role for role in plan.of("PractitionerRole") if _is_supervisor(role.get("code"))]
    if not any(signers & {name(role), *names(role.get("practitioner"))} for role in roles):
        yield at(plan.care_plan)


def _is_supervisor(role: object) -> bool:
    return code.SUPERVISOR in codes(role) or code.SUPERVISOR in texts(role)


def unexplained(plan: Plan, _: Clock) -> Iterator[Place]:
    """Nothing says that the plan was explained to the person, and a copy given."""
    spoken = [
        one
        for one in plan.of("Communication")
        if code.EXPLAINED in codes(one.get("topic")) and one.get("status") == "completed"
    ]
    if not any(plan.name in names(one.get("about")) for one in spoken):
        yield at(plan.care_plan)


def no_follow_up(plan: Plan, clock: Clock) -> Iterator[Place]:
    """No next meeting is agreed."""
    days = [day(one.get("start")) for one in plan.of("Appointment") if _is_on(one.get("status"))]
    if plan.is_current and not any(on and on >= clock.today for on in days):
        yield at(plan.care_plan)


def _is_on(status: str | None) -> bool:
    return status in ("proposed", "pending", "booked", "waitlist")


RULES = (
    Rule(
        "C30",
        "agreement",
        unsigned,
        "R1 R58 R63 · 42 CFR 441.301(c)(2)(ix)",
        "Have the person, or who stands for them, sign before the plan begins, or record that"
        " they refused and why.",
    ),
    Rule(
        "C49",
        "agreement",
        unsupervised,
        "R52 · OAC 5122-27-03(C)",
        "Have a supervisor look at the plan and sign.",
    ),
    Rule(
        "C50",
        "agreement",
        outdated,
        "R61",
        "Ask for a new signature: the plan changed since this one.",
    ),
    Rule(
        "C51",
        "agreement",
        missing_signers,
        "R55 R61 · 42 CFR 441.301(c)(2)(ix)",
        "Ask this person or provider to sign, or record why they refuse.",
    ),
    Rule(
        "C52",
        "assessment",
        anonymous,
        "R61",
        "Say who made this assessment, and when.",
    ),
    Rule(
        "C52-signature",
        "assessment",
        unsigned_assessment,
        "R61",
        "Have who made this assessment sign it.",
    ),
    Rule(
        "C58",
        "agreement",
        unexplained,
        "R59 R60 · 42 CFR 441.301(c)(2)(vii)",
        "Explain the plan in plain words, give a copy, and record that you did.",
    ),
    Rule(
        "C59",
        "review",
        no_follow_up,
        "R60",
        "Agree on the next meeting and book it.",
    ),
)
