"""Services: who, how often, how long, why, paid by whom (C08-C11, C32-C39)."""

from collections.abc import Callable, Iterator
from datetime import date

from app.isp import codes as code
from app.isp.actors import is_among, stands_for
from app.isp.element import codes, extensions, members, names, texts
from app.isp.plan import Plan
from app.isp.rules.rule import Clock, Find, Place, Rule, at
from app.isp.service import REASON, Service

RESOURCES = {
    "transport": ("bus pass", "taxi", "ride to", "transport"),
    "equipment": ("wheelchair", "walker", "tablet", "equipment", "device"),
    "job coach": ("job coach",),
}
"""What support may need, and words by which notes speak of it."""

RIGHTS_ITEMS = 8
"""What 42 CFR 441.301(c)(2)(xiii)(A)-(H) asks about each restriction of a right."""


def lacking(path: str, is_met: Callable[[Service], object]) -> Find:
    """A check that finds this element of every live service that does not meet a condition."""

    def find(plan: Plan, _: Clock) -> Iterator[Place]:
        for service in plan.live_services:
            if not is_met(service):
                yield at(service.resource, service.below(path))

    return find


def _is_funded(service: Service) -> bool:
    return service.is_natural or bool(service.element.get("insurance"))


def unowned(plan: Plan, clock: Clock) -> Iterator[Place]:
    """Nobody is named who gives the service or does the task."""
    yield from lacking("performer", lambda one: one.element.get("performer"))(plan, clock)
    for task in plan.supports:
        if "owner" not in task:
            yield at(task, "owner")


def outsiders(plan: Plan, clock: Clock) -> Iterator[Place]:
    """Who gives a service is not on the team: neither in person, by a role, nor by organization."""
    if not plan.teams:
        return
    inside = [t for _, _, one in plan.members(clock.today) for t in names(one.get("member"))]
    inside += [t for team in plan.teams for t in names(team.get("managingOrganization"))]
    for service in plan.live_services:
        for index, performer in enumerate(service.performers):
            is_inside = stands_for(plan, performer) & set(inside)
            if not is_inside and not is_among(plan, performer, inside):
                path = service.below("performer")
                yield at(service.resource, f"{path}[{index}]")


def restricted(plan: Plan, clock: Clock) -> Iterator[Place]:
    """A service restricts a right, and the eight questions, the end or the consent are missing."""
    for service in plan.live_services:
        if code.RESTRICTION in service.marks and not _is_justified(plan, service, clock.today):
            yield at(service.resource, service.path)


def _is_justified(plan: Plan, service: Service, today: date) -> bool:
    papers = [*plan.get(service.element.get("supportingInfo")), *plan.supporting]
    forms = [one for one in papers if "rights-modification" in one.get("questionnaire", "")]
    is_answered = any(
        sum(bool(item.get("answer")) for item in members(form.get("item"))) >= RIGHTS_ITEMS
        for form in forms
    )
    is_limited = service.end is not None and service.end >= today
    is_agreed = any(one["resourceType"] == "Consent" for one in papers)
    return is_answered and is_limited and is_agreed


def unexplained_end(plan: Plan, _: Clock) -> Iterator[Place]:
    """A service was stopped, and nothing says why."""
    for service in plan.services:
        if service.status not in ("revoked", "stopped", "cancelled"):
            continue
        said = any(extensions(service.element, REASON)) or "statusReason" in service.element
        if not said and not _reasoned(plan, service.name):
            yield at(service.resource, service.below("status"))


def _reasoned(plan: Plan, target: str) -> bool:
    return any(
        one.get("reason") and target in names(one.get("target")) for one in plan.of("Provenance")
    )


def uncoded(plan: Plan, _: Clock) -> Iterator[Place]:
    """The service has no code, so no payer and no other system knows what it is."""
    for service in plan.live_services:
        if not codes(service.element.get("code")):
            yield at(service.resource, service.below("code"))


def unprovided(plan: Plan, _: Clock) -> Iterator[Place]:
    """A note speaks of transport, equipment or a job coach, and no service provides it."""
    provided = " ".join(
        texts(s.element.get("code")) + " " + texts(s.element.get("category")) for s in plan.services
    )
    provided += " ".join(texts(one.get("codeCodeableConcept")) for one in plan.of("DeviceRequest"))
    for service in plan.live_services:
        said = " ".join(
            note.get("text", "").lower() for note in members(service.element.get("note"))
        )
        for kind, words in RESOURCES.items():
            is_provided = any(word in provided for word in (kind, *words))
            if any(word in said for word in words) and not is_provided:
                yield at(service.resource, "note")


def uninformed(plan: Plan, clock: Clock) -> Iterator[Place]:
    """A relative or friend gives support, and nobody explained to them how."""
    informed = {
        owner
        for task in plan.tasks_of(code.INFORM)
        if task.get("status") == "completed"
        for owner in names(task.get("owner"))
    }
    for task in plan.supports:
        for owner in names(task.get("owner")):
            if owner.startswith("RelatedPerson/") and owner not in informed:
                yield at(task, "owner")
    for service in plan.live_services:
        helpers = {one for one in service.performers if one.startswith("RelatedPerson/")}
        if helpers - informed:
            yield at(service.resource, service.path)


RULES = (
    Rule(
        "C08",
        "services",
        lacking("occurrence", lambda service: service.has_measure),
        "R6 R33 · 42 CFR 441.468",
        "Say how much and how often: a timing or a quantity per week or month.",
    ),
    Rule(
        "C09",
        "services",
        lacking("occurrence", lambda service: service.start and service.end),
        "R33 R38 · 42 CFR 441.468",
        "Say from which day until which day the service is given.",
    ),
    Rule(
        "C10",
        "services",
        lacking("reasonReference", lambda service: service.reasons),
        "R6",
        "Say which need the service answers.",
    ),
    Rule(
        "C11",
        "services",
        lacking("insurance", _is_funded),
        "R37 · OAC 5123-4-02",
        "Say who pays for the service, or that nobody has to.",
    ),
    Rule(
        "C32",
        "services",
        restricted,
        "R34 · 42 CFR 441.301(c)(2)(xiii)",
        "Answer the eight questions about this restriction, say when it ends, and link the"
        " person's consent; otherwise lift it.",
    ),
    Rule(
        "C33",
        "changes",
        unexplained_end,
        "R42 R73",
        "Say why the service was stopped.",
    ),
    Rule(
        "C34",
        "services",
        uncoded,
        "R31 R84",
        "Give the service a code (HCPCS or SNOMED CT) beside its words.",
    ),
    Rule(
        "C35",
        "services",
        unowned,
        "R32 · 42 CFR 441.301(c)(2)(v)",
        "Name who does this.",
    ),
    Rule(
        "C36",
        "team",
        outsiders,
        "R32 R54",
        "Put who does this on the care team, or choose somebody who is on it.",
    ),
    Rule(
        "C38",
        "services",
        unprovided,
        "R36",
        "Add a service or request for what the note says is needed.",
    ),
    Rule(
        "C39",
        "team",
        uninformed,
        "R39 R83",
        "Explain to this helper what the plan asks of them, and record that it was done.",
    ),
)
