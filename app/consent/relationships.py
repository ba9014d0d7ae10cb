"""Projections: who supports a patient, who stands for whom, and what the patient permits. Pure.

Support is the patient's own record, guardianship, Patient.managingOrganization, and being an active
member of the care team. https://hl7.org/fhir/R4/careteam.html
"""

from collections.abc import Iterator
from typing import Any

from app.consent.affiliations import actor, affiliations, members
from app.consent.provisions import ALWAYS, span
from app.consent.rows import rule_rows
from app.fhir.compartments import subjects
from app.fhir.context import Resource
from app.fhir.engine import Projection, Rows

Row = tuple[Any, ...]

GUARDIANS = frozenset({"GUARD", "POWATT", "DPOWATT", "HPOWATT", "SPOWATT", "RESPRSN"})
"""http://terminology.hl7.org/CodeSystem/v3-RoleCode: who decides with or for the person."""


TELLING = frozenset(
    {
        "CareTeam",
        "Consent",
        "Group",
        "Organization",
        "Patient",
        "PractitionerRole",
        "RelatedPerson",
    }
)
"""The types whose resources tell who supports or stands for whom, or what is permitted."""


def project(resource: Resource, base_url: str) -> Rows:
    """The rows of relationship, affiliation and consent_rule that follow from a resource."""
    if resource["resourceType"] not in TELLING:
        return {}
    made = {
        "relationship": sorted(set(relationships(resource, base_url))),
        "affiliation": sorted(set(affiliations(resource, base_url))),
        "consent_rule": rule_rows(resource, base_url),
    }
    return {table: rows for table, rows in made.items() if rows}


PROJECTION = Projection(project)


def relationships(resource: Resource, base_url: str) -> Iterator[Row]:
    """(patient, actor, basis, from, until): the actor supports the patient."""
    for patient in subjects(resource, base_url):
        match resource["resourceType"]:
            case "Patient":
                yield from _own_record(resource, patient, base_url)
            case "RelatedPerson":
                yield from _guardian(resource, patient)
            case "CareTeam" if resource.get("status") == "active":
                team = members(resource, "participant", "member", base_url)
                yield from ((patient, who, "care-team", *time) for who, *time in team)


def _own_record(resource: Resource, patient: str, base_url: str) -> Iterator[Row]:
    yield (patient, f"Patient/{patient}", "own", *ALWAYS)
    custodian = actor(resource.get("managingOrganization"), base_url)
    if custodian:
        yield (patient, custodian, "custodian", *ALWAYS)


def _guardian(resource: Resource, patient: str) -> Iterator[Row]:
    codings = (c for kind in resource.get("relationship", ()) for c in kind.get("coding", ()))
    is_guardian = any(coding.get("code") in GUARDIANS for coding in codings)
    if is_guardian and resource.get("active") is not False:
        time = span(resource.get("period"))
        yield (patient, f"RelatedPerson/{resource['id']}", "guardian", *time)
