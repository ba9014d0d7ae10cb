"""Consent → rules: one per provision, flat, each with its effective terms. Pure.

Rule "" stands for the base policy and is above all others; "0." is the root provision, "0.1." the
second one within it. https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.consent import part2
from app.consent.actors import team_of
from app.consent.provisions import (
    CONDITIONS,
    Node,
    Span,
    Terms,
    nodes,
    recipients,
    span,
    terms,
)
from app.consent.purpose import EMERGENCY, OPERATIONS
from app.consent.sensitivity import PART_2, PSYCHOTHERAPY_NOTES, level, sensitivity
from app.fhir.context import Resource
from app.fhir.references import local
from app.fhir.search.parameters.date import EARLIEST, interval
from app.fhir.search.parameters.keys import key

SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"
PRIVACY = "patient-privacy"

BASE = ""
EXCEPT = "e."
ROOT = "0."

OPENING = frozenset({"OPTIN", "OPTINR"})
CLOSING = frozenset({"OPTOUT", "OPTOUTE", "NOCONSENT", "EMRGONLY"})
EMERGENCY_ONLY = "EMRGONLY"
NOTES_POLICY = "HIPAAPsyNotes"
EMERGENCIES_ONLY = Terms(purposes=frozenset({EMERGENCY}))
USUAL_PURPOSES = Terms(purposes=OPERATIONS)


@dataclass(frozen=True, slots=True)
class Rule:
    """One provision of a Consent in force within [starts, ends).

    `permits` is None for a base that decides nothing. `opens` are the laws it satisfies. A rule
    that `closes` is a list of what may flow: to whom it applies, the implicit policy opens nothing
    beside it. Of the consents of a `lineage` only the last `signed` counts.
    """

    consent: str
    patient: str
    path: str
    permits: bool | None
    terms: Terms
    starts: datetime
    ends: datetime
    lineage: int
    signed: datetime
    opens: tuple[str, ...] = ()
    closes: bool = False

    @property
    def expression(self) -> str:
        """Where in the Consent the rule stands, as FHIRPath."""
        if self.path in (BASE, EXCEPT):
            return "Consent.policyRule"
        nested = self.path.split(".")[1:-1]
        return "".join(["Consent.provision", *(f".provision[{number}]" for number in nested)])


def rules(consent: Resource, base_url: str) -> list[Rule]:
    """The rules of a Consent; none unless it is active and about privacy."""
    patient = local(consent.get("patient", {}).get("reference"), base_url)
    if consent.get("status") != "active" or not is_about_privacy(consent) or patient is None:
        return []
    root = consent.get("provision") or {}
    made = _base(consent, root)
    made += [
        (node.path, node.type == "permit", terms(node, base_url), node.period)
        for node in nodes(root)
        if _is_rule(node, root)
    ]
    shared = {
        "consent": consent["id"],
        "patient": patient.id,
        "lineage": _lineage(consent, base_url),
        "signed": _signed(consent),
    }
    opens = _opens(consent)
    return [
        Rule(
            path=path,
            permits=permits,
            terms=_to_own_teams(limits, patient.id) if permits else limits,
            starts=period[0],
            ends=period[1],
            opens=opens if permits else (),
            closes=path == ROOT and bool(permits) and not _names_kinds_only(root),
            **shared,
        )
        for path, permits, limits, period in made
    ]


def _to_own_teams(limits: Terms, patient: str) -> Terms:
    """A permission to a care team holds for the patient's own: others decide who is in theirs.

    A denial holds for any team.
    """
    if limits.actors is None:
        return limits
    named = (team_of(a, patient) if a.startswith("CareTeam/") else a for a in limits.actors)
    return replace(limits, actors=frozenset(named))


def is_about_privacy(consent: Resource) -> bool:
    """Whether its scope is privacy, not research, treatment or advance care."""
    codings = consent.get("scope", {}).get("coding", ())
    return any(c.get("system") == SCOPES and c.get("code") == PRIVACY for c in codings)


def policies(consent: Resource) -> frozenset[str]:
    """The codes of the policies a Consent is based on, from policyRule and policy.uri."""
    codings = consent.get("policyRule", {}).get("coding", ())
    uris = [part["uri"] for part in consent.get("policy", ()) if "uri" in part]
    named = {uri.rpartition(mark)[2] for uri in uris for mark in "#|/"}
    return frozenset({c["code"] for c in codings if "code" in c} | named)


def _base(consent: Resource, root: Mapping[str, Any]) -> list[Any]:
    """What holds where no provision matches. It is always there: consents are compared by it."""
    period = span(root.get("period"))
    kind, named = root.get("type"), policies(consent)
    if kind and _has_conditions(root):
        return [(BASE, None, Terms(), period)]
    if kind == "deny" or (kind == "permit" and named & CLOSING):
        return [(BASE, False, Terms(), period)]
    if kind == "permit":
        return [(BASE, True, Terms(), period)]
    return _policy(named, period)


def _policy(named: frozenset[str], period: Span) -> list[Any]:
    """An authorization names its recipients in its provisions; it opens nothing to anyone else."""
    if EMERGENCY_ONLY in named:
        exception = (EXCEPT, True, EMERGENCIES_ONLY, period)
        return [(BASE, False, Terms(), period), exception]
    if named & CLOSING:
        return [(BASE, False, Terms(), period)]
    if named & OPENING:
        return [(BASE, True, USUAL_PURPOSES, period)]
    return [(BASE, None, Terms(), period)]


def _is_rule(node: Node, root: Mapping[str, Any]) -> bool:
    if node.type not in ("permit", "deny"):
        return False
    return node.path != ROOT or _has_conditions(root)


def _has_conditions(root: Mapping[str, Any]) -> bool:
    return any(name in root for name in CONDITIONS)


def _names_kinds_only(root: Mapping[str, Any]) -> bool:
    """Whether it is a permit for sensitive kinds of data: it says nothing of the rest."""
    given = root.get("securityLabel", ())
    return any(map(sensitivity, given)) and all(level(each) is None for each in given)


def _opens(consent: Resource) -> tuple[str, ...]:
    named = policies(consent)
    is_complete = bool(named & part2.POLICIES) and not part2.missing(consent)
    return (PART_2,) * is_complete + (PSYCHOTHERAPY_NOTES,) * (NOTES_POLICY in named)


def _signed(consent: Resource) -> datetime:
    try:
        return interval(consent.get("dateTime", ""))[0]
    except ValueError:
        return EARLIEST


def _lineage(consent: Resource, base_url: str) -> int:
    """What consents have in common of which a newer one replaces an older one."""
    root = consent.get("provision") or {}
    given = [actor.get("reference", {}) for actor in recipients(root.get("actor", ()))]
    parts = [
        sorted(_reference(each, base_url) for each in consent.get("organization", ())),
        sorted(policies(consent)),
        sorted(f"{s}|{c}" for kind in consent.get("category", ()) for s, c in _codings(kind)),
        sorted(_reference(each, base_url) for each in given),
    ]
    return key("lineage", *("\n".join(part) for part in parts))


def _reference(element: Mapping[str, Any], base_url: str) -> str:
    return str(local(element.get("reference"), base_url) or element.get("reference", ""))


def _codings(concept: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for coding in concept.get("coding", ()):
        yield coding.get("system", ""), coding.get("code", "")
