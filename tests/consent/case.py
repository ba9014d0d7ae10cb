"""One case of the table: who asks for what, what has been signed, and what follows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.consent.actors import actors, bases, reach
from app.consent.decision import Decision, Facts, Request, decide
from app.consent.marks import author_key, authors, marks, references_key
from app.consent.policy import standings
from app.consent.purpose import broader
from app.consent.relationships import project
from app.consent.rules import rules
from app.fhir.access import Standing
from app.fhir.draft import pointers
from tests.consent.paper import DIRECTORY, PARTNER, Resource, record

BASE = "http://example.org/fhir"
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)

PERMIT, DENY, NOT_COVERED = "permit", "deny", "not-covered"


@dataclass(frozen=True, slots=True)
class Case:
    """`why` is the sentence that justifies `expected`; `by` the provision that has to decide."""

    why: str
    consents: tuple[Resource, ...]
    expected: str
    actor: str = PARTNER
    purpose: str = "TREAT"
    action: str = "access"
    resource: Resource | None = None
    world: tuple[Resource, ...] = ()
    now: datetime = NOW
    by: str | None = None

    @property
    def subject(self) -> Resource:
        return self.resource or record()

    @property
    def everything(self) -> list[Resource]:
        """All resources there are, consents aside; of one type and id the last."""
        found = [*DIRECTORY, *self.world, self.subject]
        return list({(each["resourceType"], each["id"]): each for each in found}.values())


def decision(case: Case) -> Decision:
    """What the pure engine decides."""
    request, held, known = question(case)
    signed = [rule for consent in case.consents for rule in rules(consent, BASE)]
    return decide(signed, held, request, known)


def question(case: Case) -> tuple[Request, list[Standing], Facts]:
    """The request, the standings that whoever asks has with Ada, and the facts of the resource."""
    rows = [project(resource, BASE) for resource in case.everything]
    affiliated = [row for each in rows for row in each.get("affiliation", ())]
    related = [row for each in rows for row in each.get("relationship", ())]
    principals = {case.actor}
    everyone = reach(principals, affiliated, case.now)
    request = Request(
        actors(principals, affiliated, case.now),
        everyone,
        frozenset(broader(*case.purpose.split())),
        frozenset(case.action.split()),
        case.now,
        frozenset(map(author_key, principals)),
    )
    held = bases("ada", everyone, related, case.now)
    given = [s for s in standings(request.purposes, request.actions) if s.basis in held]
    return request, given, facts(case.subject, case.everything)


def facts(subject: Resource, everything: list[Resource]) -> Facts:
    """The facts of a resource among all others."""
    name = f"{subject['resourceType']}/{subject['id']}"
    others = [r for r in everything if name in (str(to) for to, _ in pointers(r, BASE))]
    attested = [
        author_key(author)
        for other in others
        if other["resourceType"] == "Provenance" and _is_target(other, name)
        for author in authors(other, BASE)
    ]
    referrers = [references_key(f"{r['resourceType']}/{r['id']}") for r in others]
    return Facts(marks(subject, BASE), frozenset(referrers), frozenset(attested))


def _is_target(provenance: Any, name: str) -> bool:
    return any(each.get("reference") == name for each in provenance.get("target", ()))
