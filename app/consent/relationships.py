"""Projections: which resources make an actor someone who supports a patient, and which forbid it.

The first slice of consent: Patient.managingOrganization, the patient and guardians themselves,
active care-team membership, and a Consent that permits or denies one actor for a period. Pure.
https://hl7.org/fhir/R4/careteam.html, https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from app.fhir.access import EVERYONE
from app.fhir.compartments import subjects
from app.fhir.context import Resource
from app.fhir.engine import Projection, Rows
from app.fhir.references import local
from app.fhir.search.parameters.date import EARLIEST, LATEST, interval

Row = tuple[Any, ...]
Span = tuple[datetime, datetime]

GUARDIANS = frozenset({"GUARD", "POWATT", "DPOWATT", "HPOWATT", "SPOWATT", "RESPRSN"})
"""http://terminology.hl7.org/CodeSystem/v3-RoleCode: who decides with or for the person."""

MEMBERS = frozenset(
    {"Organization", "Practitioner", "PractitionerRole", "RelatedPerson", "Patient"}
)
SCOPE = "patient-privacy"
NARROWING = ("action", "securityLabel", "purpose", "class", "code", "dataPeriod", "data")
"""What limits a provision to a part of the record."""

ALWAYS: Span = (EARLIEST, LATEST)


def span(element: Any) -> Span:
    """The half-open range of a Period; an absent end is open, an unreadable one is never."""
    if not isinstance(element, dict):
        return ALWAYS
    try:
        starts = interval(element["start"])[0] if "start" in element else EARLIEST
        ends = interval(element["end"])[1] if "end" in element else LATEST
    except ValueError:
        return EARLIEST, EARLIEST
    return starts, ends


def within(one: Span, other: Span) -> Span:
    """The part both ranges cover."""
    return max(one[0], other[0]), min(one[1], other[1])


def project(resource: Resource, base_url: str) -> Rows:
    """The rows of relationship, affiliation and consent_rule that follow from a resource."""
    made = {
        "relationship": sorted(set(_relationships(resource, base_url))),
        "affiliation": sorted(set(_affiliations(resource, base_url))),
        "consent_rule": sorted(set(_rules(resource, base_url))),
    }
    return {table: rows for table, rows in made.items() if rows}


PROJECTION = Projection(project)


def _relationships(resource: Resource, base_url: str) -> Iterator[Row]:
    for patient in subjects(resource, base_url):
        match resource["resourceType"]:
            case "Patient":
                yield from _own_record(resource, patient, base_url)
            case "RelatedPerson":
                yield from _guardian(resource, patient)
            case "CareTeam" if resource.get("status") == "active":
                yield from _members(resource, patient, base_url)
            case "Consent":
                for actor, permits, time in _provisions(resource, base_url):
                    if permits:
                        yield (patient, actor, "consent", *time)


def _own_record(resource: Resource, patient: str, base_url: str) -> Iterator[Row]:
    yield (patient, f"Patient/{patient}", "own", *ALWAYS)
    custodian = _actor(resource.get("managingOrganization"), base_url)
    if custodian:
        yield (patient, custodian, "custodian", *ALWAYS)


def _guardian(resource: Resource, patient: str) -> Iterator[Row]:
    codings = (c for kind in resource.get("relationship", ()) for c in kind.get("coding", ()))
    is_guardian = any(coding.get("code") in GUARDIANS for coding in codings)
    if is_guardian and resource.get("active") is not False:
        time = span(resource.get("period"))
        yield (patient, f"RelatedPerson/{resource['id']}", "guardian", *time)


def _members(resource: Resource, patient: str, base_url: str) -> Iterator[Row]:
    team = span(resource.get("period"))
    for participant in resource.get("participant", ()):
        actor = _actor(participant.get("member"), base_url)
        starts, ends = within(team, span(participant.get("period")))
        if actor and starts < ends:
            yield (patient, actor, "care-team", starts, ends)


def _affiliations(resource: Resource, base_url: str) -> Iterator[Row]:
    """Who stands for whom by a PractitionerRole; an inactive role stands for nobody."""
    if resource["resourceType"] != "PractitionerRole" or resource.get("active") is False:
        return
    time, role = span(resource.get("period")), f"PractitionerRole/{resource['id']}"
    organization = _actor(resource.get("organization"), base_url)
    practitioner = _actor(resource.get("practitioner"), base_url)
    if practitioner:
        yield (role, practitioner, *time)
    if organization:
        yield (role, organization, *time)
    if organization and practitioner:
        yield (practitioner, organization, *time)


def _rules(resource: Resource, base_url: str) -> Iterator[Row]:
    if resource["resourceType"] != "Consent":
        return
    for patient in subjects(resource, base_url):
        for actor, permits, time in _provisions(resource, base_url):
            if actor != f"Patient/{patient}":
                yield (patient, actor, permits, *time)


def _provisions(resource: Resource, base_url: str) -> Iterator[tuple[str, bool, Span]]:
    """(actor, permits, when) of an active privacy Consent, for its root and nested provisions."""
    codings = resource.get("scope", {}).get("coding", ())
    is_privacy = any(coding.get("code") == SCOPE for coding in codings)
    root = resource.get("provision")
    if resource.get("status") != "active" or not is_privacy or not isinstance(root, dict):
        return
    time, is_narrow = span(root.get("period")), _is_narrow(root)
    yield from _provision(root, time, is_narrow, base_url)
    for nested in root.get("provision", ()):
        mine = within(time, span(nested.get("period")))
        yield from _provision(nested, mine, is_narrow or _is_narrow(nested), base_url)


def _provision(
    provision: Any, time: Span, is_narrow: bool, base_url: str
) -> Iterator[tuple[str, bool, Span]]:
    """A permit for a part only does not open the whole, a denial of a part closes the whole:
    until the decision is made resource by resource, the careful side is taken."""
    kind = provision.get("type")
    if kind not in ("permit", "deny") or time[0] >= time[1] or (kind == "permit" and is_narrow):
        return
    if kind == "deny" and "actor" not in provision:
        yield EVERYONE, False, time
    for element in provision.get("actor", ()):
        actor = _actor(element.get("reference"), base_url)
        if actor:
            yield actor, kind == "permit", time


def _is_narrow(provision: Any) -> bool:
    return any(name in provision for name in NARROWING)


def _actor(element: Any, base_url: str) -> str | None:
    reference = local(element.get("reference"), base_url) if isinstance(element, dict) else None
    return str(reference) if reference and reference.type in MEMBERS else None
