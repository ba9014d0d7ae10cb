"""What any version of US Core asks of the resources of a plan, as profiles to judge them by.

By hand, from https://hl7.org/fhir/us/core/: each row is the strictest of 6.1, 7.0, 8.0 and 9.0,
element by element; what is only to be supported, and the value sets of "extensible" bindings, are
left out. The server itself judges by the whole of 6.1 (docs/profiles.md). What npm has of US Core,
the Patient of 5.0.1, is held against the row.
"""

from collections.abc import Iterator
from typing import Any

from app.isp import codes as code
from app.isp.element import codes

Json = dict[str, Any]
BASE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
SYSTEM = "http://hl7.org/fhir/us/core/CodeSystem"
HL7 = "http://terminology.hl7.org/CodeSystem"
BY_VALUE: Json = {"discriminator": [{"type": "value", "path": "$this"}], "rules": "open"}


def needs(path: str, least: int = 1, most: str | None = None, **more: Any) -> Json:
    """An element that is there at least so many times, and at most."""
    return {"id": path, "path": path, "min": least, **({"max": most} if most else {}), **more}


def sliced(path: str, name: str, system: str, code_: str) -> list[Json]:
    """One of the categories is of this system, with this code."""
    pattern = {"coding": [{"system": system, "code": code_}]}
    slice_ = {"id": f"{path}:{name}", "path": path, "sliceName": name, "min": 1, "max": "1"}
    return [needs(path, slicing=BY_VALUE), slice_ | {"patternCodeableConcept": pattern}]


def holds(path: str, key: str, human: str, expression: str) -> Json:
    rule = {"key": key, "severity": "error", "human": human, "expression": expression}
    return {"id": path, "path": path, "constraint": [rule]}


CONCERN = (
    f"category.coding.where((system = '{SYSTEM}/condition-category' and code = 'health-concern')"
    f" or (system = '{HL7}/condition-category' and code = 'problem-list-item')).exists()"
)
"""http://hl7.org/fhir/us/core/ValueSet/us-core-problem-or-health-concern"""
OBSERVATION: list[Json] = [needs("Observation.category"), needs("Observation.subject")]

PROFILES: dict[str, list[Json]] = {
    "careplan": [
        *sliced("CarePlan.category", "AssessPlan", f"{SYSTEM}/careplan-category", "assess-plan"),
    ],
    "goal": [],
    "careteam": [
        needs("CareTeam.subject"),
        needs("CareTeam.participant"),
        needs("CareTeam.participant.role", most="1"),
        needs("CareTeam.participant.member"),
    ],
    "patient": [
        needs("Patient.identifier"),
        needs("Patient.identifier.system"),
        needs("Patient.identifier.value"),
        needs(
            "Patient.name",
            constraint=holds(
                "", "us-core-6", "A name has a part.", "family.exists() or given.exists()"
            )["constraint"],
        ),
        needs("Patient.telecom.system"),
        needs("Patient.telecom.value"),
        needs("Patient.gender"),
    ],
    "condition-problems-health-concerns": [
        needs("Condition.category"),
        needs("Condition.code"),
        holds("Condition", "category", "It is a problem or a concern.", CONCERN),
    ],
    "condition-encounter-diagnosis": [
        *sliced(
            "Condition.category", "us-core", f"{HL7}/condition-category", "encounter-diagnosis"
        ),
        needs("Condition.code"),
    ],
    "servicerequest": [needs("ServiceRequest.code")],
    "simple-observation": OBSERVATION,
    "observation-screening-assessment": [
        holds(
            "Observation",
            "us-core-2",
            "There is a value, or why there is none.",
            "(component.empty() and hasMember.empty()) implies"
            " (dataAbsentReason.exists() or value.exists())",
        ),
        *sliced("Observation.category", "survey", f"{HL7}/observation-category", "survey"),
        needs("Observation.subject"),
    ],
    "care-experience-preference": OBSERVATION,
    "treatment-intervention-preference": OBSERVATION,
    "relatedperson": [
        holds(
            "RelatedPerson", "us-core-14", "Who it is.", "name.exists() or relationship.exists()"
        ),
        needs("RelatedPerson.active"),
    ],
    "questionnaireresponse": [
        needs("QuestionnaireResponse.questionnaire"),
        needs("QuestionnaireResponse.subject"),
        needs("QuestionnaireResponse.authored"),
    ],
    "provenance": [
        needs(
            "Provenance.agent",
            constraint=holds(
                "",
                "provenance-1",
                "A practitioner acts for an organization.",
                "who.reference.startsWith('Practitioner/') implies onBehalfOf.exists()",
            )["constraint"],
        ),
    ],
}

TYPES = {
    "CarePlan": "careplan",
    "Goal": "goal",
    "CareTeam": "careteam",
    "Patient": "patient",
    "ServiceRequest": "servicerequest",
    "RelatedPerson": "relatedperson",
    "QuestionnaireResponse": "questionnaireresponse",
    "Provenance": "provenance",
}


def expected(resource: Json) -> Iterator[str]:
    """The profiles of US Core that a resource of a plan follows."""
    match resource["resourceType"]:
        case "Condition":
            is_diagnosis = "encounter-diagnosis" in codes(resource.get("category"))
            kinds = ("condition-problems-health-concerns", "condition-encounter-diagnosis")
            yield kinds[is_diagnosis]
        case "Observation":
            yield _of_observation(resource)
        case type_ if type_ in TYPES:
            yield TYPES[type_]


def _of_observation(resource: Json) -> str:
    if "75773-2" in codes(resource["code"]):
        return "treatment-intervention-preference"
    if codes(resource["code"]) & code.PREFERENCES:
        return "care-experience-preference"
    is_survey = "survey" in codes(resource.get("category"))
    return "observation-screening-assessment" if is_survey else "simple-observation"


def profiles() -> Iterator[Json]:
    """The profiles as StructureDefinitions."""
    for name, elements in PROFILES.items():
        type_ = next((each["path"].partition(".")[0] for each in elements), "Goal")
        yield {
            "resourceType": "StructureDefinition",
            "id": f"us-core-{name}",
            "url": BASE + name,
            "type": type_,
            "kind": "resource",
            "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{type_}",
            "derivation": "constraint",
            "differential": {"element": elements},
        }
