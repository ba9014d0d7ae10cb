"""Resources that are right by the profiles of US Core, and how one of them is changed."""

from copy import deepcopy
from typing import Any

from tests.build import HL7, concept, reference

Json = dict[str, Any]
Path = tuple[str | int, ...]
Wrong = tuple[Path, Any, str]
"""The path, the new value (GONE for none), and the FHIRPath of the issue, after the type."""

GONE: Any = object()
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
CORE = "http://hl7.org/fhir/us/core"
ADA = reference("Patient/ada")
OBSERVATION = f"{HL7}/observation-category"
ASSERTED = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
NOBODY = reference("Device/pump")


def changed(resource: Json, path: Path, value: Any) -> Json:
    made = deepcopy(resource)
    inner: Any = made
    for step in path[:-1]:
        inner = inner[step]
    if value is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return made


def quantity(value: float, unit: str) -> Json:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def observation(category: str, code: str, **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [concept(OBSERVATION, category)],
        "code": concept(LOINC, code),
        "subject": ADA,
        "effectiveDateTime": "2026-01-05",
    } | more


def vital(code: str, unit: str, value: float = 70) -> Json:
    return observation("vital-signs", code, valueQuantity=quantity(value, unit))


def social(code: str, **more: Any) -> Json:
    return observation("social-history", code, **more)


def about(type_: str, **elements: Any) -> Json:
    return {"resourceType": type_} | elements


CONDITION = about(
    "Condition",
    clinicalStatus=concept(f"{HL7}/condition-clinical", "active"),
    category=[concept(f"{CORE}/CodeSystem/condition-category", "health-concern")],
    code={"text": "Getting up the stairs"},
    subject=ADA,
)
NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}
PATIENT = about(
    "Patient",
    identifier=[{"system": "urn:x", "value": "1"}],
    name=[{"family": "Lovelace", "given": ["Ada"]}],
    telecom=[{"system": "phone", "value": "555"}],
    gender="female",
    extension=[
        {
            "url": f"{CORE}/StructureDefinition/us-core-race",
            "extension": [
                {
                    "url": "ombCategory",
                    "valueCoding": {
                        "system": "urn:oid:2.16.840.1.113883.6.238",
                        "code": "2106-3",
                    },
                },
                {"url": "text", "valueString": "White"},
            ],
        },
        {"url": f"{CORE}/StructureDefinition/us-core-birthsex", "valueCode": "F"},
    ],
)
PLAN = about(
    "CarePlan",
    text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">A plan</div>'},
    status="active",
    intent="plan",
    category=[concept(f"{CORE}/CodeSystem/careplan-category", "assess-plan")],
    subject=ADA,
)
TEAM = about(
    "CareTeam",
    status="active",
    subject=ADA,
    participant=[{"role": [{"text": "Sister"}], "member": reference("RelatedPerson/ines")}],
)
SURVEY = observation("survey", "44249-1", valueQuantity=quantity(3, "{score}"))
PRESSURE = observation(
    "vital-signs",
    "85354-9",
    component=[
        {"code": concept(LOINC, "8480-6"), "valueQuantity": quantity(120, "mm[Hg]")},
        {"code": concept(LOINC, "8462-4"), "valueQuantity": quantity(80, "mm[Hg]")},
    ],
)
OXYGEN = vital("59408-5", "%", 97) | {
    "code": {"coding": [{"system": LOINC, "code": "59408-5"}, {"system": LOINC, "code": "2708-6"}]}
}
RECORD = about(
    "Provenance",
    target=[reference("CarePlan/ada")],
    recorded="2026-01-05T09:00:00Z",
    agent=[
        {
            "type": concept(f"{HL7}/provenance-participant-type", "author"),
            "who": reference("Practitioner/eve"),
            "onBehalfOf": reference("Organization/agency"),
        }
    ],
)
ANSWERS = about(
    "QuestionnaireResponse",
    questionnaire="https://county.example/Questionnaire/a",
    status="completed",
    subject=ADA,
    authored="2026-01-05",
    item=[{"linkId": "1", "answer": [{"valueString": "Yes"}]}],
)
COVER = about(
    "Coverage",
    status="active",
    subscriberId="1",
    beneficiary=ADA,
    relationship=concept(f"{HL7}/subscriber-relationship", "self"),
    payor=[reference("Organization/payer")],
)
