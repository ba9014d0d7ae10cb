"""Resource → affiliations: who stands for whom, by roles, parent organizations, teams and groups.

https://hl7.org/fhir/R4/practitionerrole.html, https://hl7.org/fhir/R4/group.html
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from app.consent.actors import team_of
from app.consent.provisions import ALWAYS, span, within
from app.fhir.compartments import subjects
from app.fhir.context import Resource
from app.fhir.references import local

Row = tuple[Any, ...]
Member = tuple[str, datetime, datetime]

MEMBERS = frozenset(
    {"Organization", "Practitioner", "PractitionerRole", "RelatedPerson", "Patient"}
)


def affiliations(resource: Resource, base_url: str) -> Iterator[Row]:
    """(actor, principal, from, until): the actor stands for the principal.

    What is inactive stands for nobody.
    """
    name = f"{resource['resourceType']}/{resource['id']}"
    match resource["resourceType"]:
        case "PractitionerRole" if resource.get("active") is not False:
            yield from _of_role(resource, name, base_url)
        case "Organization" if resource.get("active") is not False:
            parent = actor(resource.get("partOf"), base_url)
            if parent:
                yield (name, parent, *ALWAYS)
        case "CareTeam" if resource.get("status") == "active":
            yield from _of_team(resource, name, base_url)
        case "Group" if resource.get("active") is not False and not subjects(resource, base_url):
            # Only an operator writes a group that no patient is in. Whoever supports the patients
            # in a group may write it, and would join whom others' consents let in.
            group = members(resource, "member", "entity", base_url)
            yield from ((who, name, starts, ends) for who, starts, ends in group)


def _of_team(team: Resource, name: str, base_url: str) -> Iterator[Row]:
    """Its members stand for it, and it for itself as the team of its patient.

    Whoever decides for that patient adds members: other patients' consents let them not in.
    """
    found = list(members(team, "participant", "member", base_url))
    yield from ((who, name, starts, ends) for who, starts, ends in found)
    if found:
        yield from ((name, team_of(name, each), *ALWAYS) for each in subjects(team, base_url))


def _of_role(resource: Resource, role: str, base_url: str) -> Iterator[Row]:
    time = span(resource.get("period"))
    organization = actor(resource.get("organization"), base_url)
    practitioner = actor(resource.get("practitioner"), base_url)
    if practitioner:
        yield (role, practitioner, *time)
    if organization:
        yield (role, organization, *time)
    if organization and practitioner:
        yield (practitioner, organization, *time)


def members(resource: Resource, many: str, one: str, base_url: str) -> Iterator[Member]:
    """Who is in a team or group, and when."""
    time = span(resource.get("period"))
    for each in resource.get(many, ()):
        who = actor(each.get(one), base_url)
        starts, ends = within(time, span(each.get("period")))
        if who and starts < ends and each.get("inactive") is not True:
            yield who, starts, ends


def actor(element: Any, base_url: str) -> str | None:
    """Whom a Reference names, if it can be someone who acts."""
    reference = local(element.get("reference"), base_url) if isinstance(element, dict) else None
    return str(reference) if reference and reference.type in MEMBERS else None
