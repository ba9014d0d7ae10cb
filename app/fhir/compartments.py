"""Whom a resource is about: the patients whose consent decides over it.

Wider than the R4 Patient compartment where that would leak (Task.for, Contract.subject, see
https://hl7.org/fhir/R4/compartmentdefinition-patient.html) and narrower where a mere participant is
not the subject. A type that is neither listed here nor in DIRECTORY is about nobody known, and only
an operator sees it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from app.fhir.context import Resource
from app.fhir.references import Reference, local, walk
from app.fhir.registry import CONFORMANCE

DIRECTORY = frozenset(CONFORMANCE) | {
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Location",
    "HealthcareService",
    "Questionnaire",
    "PlanDefinition",
}
"""Types about nobody: whoever has a scope for them sees them."""

SUBJECT = {
    "RelatedPerson": "patient",
    "CareTeam": "subject",
    "CarePlan": "subject",
    "Goal": "subject",
    "Condition": "subject",
    "Observation": "subject",
    "ServiceRequest": "subject",
    "Consent": "patient",
    "Task": "for",
    "QuestionnaireResponse": "subject",
    "RiskAssessment": "subject",
    "DocumentReference": "subject",
    "Encounter": "subject",
    "EpisodeOfCare": "patient",
    "Coverage": "beneficiary",
    "NutritionOrder": "patient",
    "MedicationRequest": "subject",
    "AllergyIntolerance": "patient",
    "Procedure": "subject",
    "Communication": "subject",
    "CommunicationRequest": "subject",
    "Claim": "patient",
    "Composition": "subject",
    "List": "subject",
    "Flag": "subject",
    "Device": "patient",
    "DeviceRequest": "subject",
    "ClinicalImpression": "subject",
    "Binary": "securityContext",
}
"""The one element that names the patient, for the types that are about at most one."""

SEVERAL = {
    "Group": ("member", "entity"),
    "Appointment": ("participant", "actor"),
    "Contract": ("subject",),
}
"""The path to the elements that name patients, for the types that can be about several."""

INHERITED = {"Provenance": "target"}
"""Types that are about the same patients as the resources they point to."""


def is_single(type_: str) -> bool:
    """Whether resources of this type are about at most one patient (column `patient`)."""
    return type_ == "Patient" or type_ in SUBJECT


def is_patient_parameter(type_: str, code: str) -> bool:
    """Whether this search parameter reads the very element that fills column `patient`."""
    if code == "patient":
        return type_ in SUBJECT and type_ != "Binary"
    return code in ("subject", "beneficiary") and SUBJECT.get(type_) == code


def _at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _at(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def subjects(resource: Resource, base_url: str) -> list[str]:
    """The logical ids of the patients the resource itself names as what it is about, sorted.

    Provenance and the like inherit theirs instead: see INHERITED and `commit`.
    """
    type_ = resource["resourceType"]
    if type_ == "Patient":
        return [resource["id"]]
    if type_ == "Bundle":
        return _of_bundle(resource, base_url)
    path = (SUBJECT[type_],) if type_ in SUBJECT else SEVERAL.get(type_, ())
    return _patients(_at(resource, path), base_url) if path else []


def _of_bundle(bundle: Resource, base_url: str) -> list[str]:
    """Whom a stored Bundle names and holds; nobody where it holds one without an id."""
    held = [
        entry["resource"].get("id")
        for entry in bundle.get("entry", ())
        if entry.get("resource", {}).get("resourceType") == "Patient"
    ]
    if None in held:
        return []
    return sorted({*held, *_patients(walk(bundle), base_url)})


def inherited_from(resource: Resource, base_url: str) -> list[Reference]:
    """The resources of this server whose patients are those of the resource too: see INHERITED."""
    elements = _at(resource, (INHERITED.get(resource["resourceType"], ""),))
    found = (local(e.get("reference"), base_url) for e in elements if isinstance(e, dict))
    return [ref.whole for ref in found if ref is not None]


def _patients(elements: Iterable[Any], base_url: str) -> list[str]:
    found = (local(e.get("reference"), base_url) for e in elements if isinstance(e, dict))
    return sorted({ref.id for ref in found if ref is not None and ref.type == "Patient"})
