"""A resource for each profile of US Core, and what makes it wrong: a change, and where it shows.

A change is a path of keys and positions with the new value; without one the element goes away.
"""

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


def measured(code: str, unit: str) -> tuple[Json, list[Wrong]]:
    """A vital sign with one code and one unit."""
    return vital(code, unit), [
        (("category",), [concept(OBSERVATION, "survey")], "category"),
        (("code", "coding", 0, "code"), "1-8", "code"),
        (("valueQuantity", "value"), GONE, "value.value"),
        (("valueQuantity", "unit"), GONE, "value.unit"),
        (("valueQuantity", "system"), "urn:x", "value.system"),
        (("valueQuantity", "code"), "furlong", "value.code"),
        (("subject",), NOBODY, "subject"),
        (("effectiveDateTime",), GONE, "effective"),
    ]


def social(code: str, **more: Any) -> Json:
    return observation("social-history", code, **more)


def of_choice(code: str, value: Json) -> tuple[Json, list[Wrong]]:
    """A social history that is told by a code."""
    return social(code, valueCodeableConcept=value), [
        (("code", "coding", 0, "code"), "1-8", "code"),
        (("subject",), GONE, "subject"),
        (("effectiveDateTime",), GONE, "effective"),
        (("valueCodeableConcept",), GONE, "value"),
    ]


def about(type_: str, **elements: Any) -> Json:
    return {"resourceType": type_} | elements


CONDITION = about(
    "Condition",
    clinicalStatus=concept(f"{HL7}/condition-clinical", "active"),
    category=[concept(f"{CORE}/CodeSystem/condition-category", "health-concern")],
    code={"text": "Getting up the stairs"},
    subject=ADA,
)
COMMON_CONDITION: list[Wrong] = [
    (("category",), GONE, "category"),
    (("category",), [concept("urn:x", "concern")], "category"),
    (("code",), GONE, "code"),
    (("subject",), reference("Group/us"), "subject"),
]
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

CASES: dict[str, tuple[Json, list[Wrong]]] = {
    "us-core-careplan": (
        PLAN,
        [
            (("category",), [{"text": "Plan"}], "category"),
            (("category",), GONE, "category"),
            (("text", "status"), "empty", "text.status"),
            (("subject",), reference("Group/us"), "subject"),
        ],
    ),
    "us-core-careteam": (
        TEAM,
        [
            (("subject",), GONE, "subject"),
            (("participant",), GONE, "participant"),
            (("participant", 0, "role"), GONE, "participant[0].role"),
            (("participant", 0, "role"), [{"text": "a"}, {"text": "b"}], "participant[0].role"),
            (("participant", 0, "member"), GONE, "participant[0].member"),
        ],
    ),
    "us-core-goal": (
        about("Goal", lifecycleStatus="active", description={"text": "To swim"}, subject=ADA),
        [(("subject",), reference("Group/us"), "subject")],
    ),
    "us-core-patient": (
        PATIENT,
        [
            (("identifier",), GONE, "identifier"),
            (("identifier", 0, "system"), GONE, "identifier[0].system"),
            (("identifier", 0, "value"), GONE, "identifier[0].value"),
            (("name",), GONE, "name"),
            (("name",), [{"text": "Ada"}], "name[0]"),
            (("telecom", 0, "system"), GONE, "telecom[0].system"),
            (("telecom", 0, "value"), GONE, "telecom[0].value"),
            (("gender",), GONE, "gender"),
            (
                ("extension", 0, "extension", 1),
                {"url": "x", "valueCode": "y"},
                "extension[0].extension",
            ),
            (
                ("extension", 0, "extension", 0, "valueCoding", "code"),
                "2131-1",
                "extension[0].extension[0].value",
            ),
            (("extension", 1, "valueCode"), "X", "extension[1].value"),
        ],
    ),
    "us-core-condition-problems-health-concerns": (CONDITION, COMMON_CONDITION),
    "us-core-condition-encounter-diagnosis": (
        {"extension": [{"url": ASSERTED, "valueDateTime": "2026-01-05"}]}
        | CONDITION
        | {"category": [concept(f"{HL7}/condition-category", "encounter-diagnosis")]},
        [
            *COMMON_CONDITION,
            (("extension", 0), {"url": ASSERTED, "valueCode": "x"}, "extension[0].value"),
        ],
    ),
    "us-core-servicerequest": (
        about("ServiceRequest", status="active", intent="order", code={"text": "x"}, subject=ADA),
        [
            (("code",), GONE, "code"),
            (("subject",), reference("Group/us"), "subject"),
            (("requester",), reference("Group/us"), "requester"),
        ],
    ),
    "us-core-simple-observation": (
        observation("social-history", "1-8", valueString="Well"),
        [
            (("category",), GONE, "category"),
            (("subject",), GONE, "subject"),
            (("performer",), [NOBODY], "performer[0]"),
        ],
    ),
    "us-core-observation-screening-assessment": (
        SURVEY,
        [
            (("category",), [concept(OBSERVATION, "exam")], "category"),
            (("subject",), GONE, "subject"),
            (("valueQuantity",), GONE, ""),
            (("valueQuantity", "system"), "urn:x", ""),
            (("effectiveDateTime",), "2026", "effective"),
        ],
    ),
    "us-core-relatedperson": (
        about("RelatedPerson", active=True, patient=ADA, name=[{"text": "Ines"}]),
        [(("active",), GONE, "active"), (("name",), GONE, "")],
    ),
    "us-core-questionnaireresponse": (
        ANSWERS,
        [
            (("questionnaire",), GONE, "questionnaire"),
            (("subject",), GONE, "subject"),
            (("subject",), reference("Group/us"), "subject"),
            (("authored",), GONE, "authored"),
            (("item",), [*ANSWERS["item"], *ANSWERS["item"]], ""),
        ],
    ),
    "us-core-provenance": (
        RECORD,
        [
            (("agent", 0, "onBehalfOf"), GONE, "agent[0]"),
            (("agent", 0, "who"), reference("Group/us"), "agent[0].who"),
            (("agent", 0, "onBehalfOf"), ADA, "agent[0].onBehalfOf"),
        ],
    ),
    "us-core-organization": (
        about("Organization", active=True, name="Agency", identifier=[NPI]),
        [
            (("active",), GONE, "active"),
            (("name",), GONE, "name"),
            (("identifier", 0, "value"), "1234567890", "identifier[0]"),
            (("identifier", 0, "value"), "12345", "identifier[0]"),
        ],
    ),
    "us-core-practitioner": (
        about("Practitioner", identifier=[NPI], name=[{"family": "Hopper"}]),
        [
            (("identifier",), GONE, "identifier"),
            (("identifier", 0, "system"), GONE, "identifier[0].system"),
            (("name",), GONE, "name"),
            (("name", 0), {"text": "Grace"}, "name[0].family"),
        ],
    ),
    "us-core-practitionerrole": (
        about(
            "PractitionerRole",
            practitioner=reference("Practitioner/grace"),
            telecom=[
                {"system": "phone", "value": "5"},
                {"system": "email", "value": "g@x.example"},
            ],
        ),
        [
            (("telecom",), GONE, ""),
            (("practitioner",), GONE, ""),
            (("telecom", 1, "value"), GONE, "telecom[1].value"),
        ],
    ),
    "us-core-encounter": (
        about(
            "Encounter",
            identifier=[{"system": "urn:x", "value": "1"}],
            status="finished",
            **{"class": {"system": f"{HL7}/v3-ActCode", "code": "AMB"}},
            type=[{"text": "Visit"}],
            subject=ADA,
        ),
        [
            (("type",), GONE, "type"),
            (("subject",), GONE, "subject"),
            (("identifier", 0, "value"), GONE, "identifier[0].value"),
        ],
    ),
    "us-core-documentreference": (
        about(
            "DocumentReference",
            status="current",
            type=concept(LOINC, "34133-9"),
            category=[
                concept(f"{CORE}/CodeSystem/us-core-documentreference-category", "clinical-note")
            ],
            subject=ADA,
            content=[{"attachment": {"contentType": "text/plain", "url": "urn:x:y"}}],
        ),
        [
            (("type",), GONE, "type"),
            (("category",), GONE, "category"),
            (("subject",), GONE, "subject"),
            (("content", 0, "attachment", "url"), GONE, "content[0].attachment"),
        ],
    ),
    "us-core-coverage": (
        COVER,
        [
            (("subscriberId",), GONE, ""),
            (("relationship",), GONE, "relationship"),
            (("payor",), [*COVER["payor"], *COVER["payor"]], "payor"),
        ],
    ),
    "us-core-location": (
        about("Location", name="House"),
        [(("name",), GONE, "name"), (("managingOrganization",), ADA, "managingOrganization")],
    ),
    "us-core-medicationrequest": (
        about(
            "MedicationRequest",
            status="active",
            intent="order",
            medicationCodeableConcept={"text": "x"},
            subject=ADA,
            requester=reference("Practitioner/eve"),
        ),
        [
            (("requester",), GONE, ""),
            (("subject",), reference("Group/us"), "subject"),
        ],
    ),
    "us-core-procedure": (
        about(
            "Procedure",
            status="completed",
            code={"text": "x"},
            subject=ADA,
            performedDateTime="2026-01-05",
        ),
        [(("code",), GONE, "code"), (("performedDateTime",), GONE, "")],
    ),
    "us-core-allergyintolerance": (
        about(
            "AllergyIntolerance",
            clinicalStatus=concept(f"{HL7}/allergyintolerance-clinical", "active"),
            code={"text": "Wasps"},
            patient=ADA,
        ),
        [(("code",), GONE, "code"), (("patient",), reference("Group/us"), "patient")],
    ),
    "us-core-implantable-device": (
        about("Device", type={"text": "Pacemaker"}, patient=ADA),
        [
            (("type",), GONE, "type"),
            (("patient",), GONE, "patient"),
            (("udiCarrier",), [{"carrierHRF": "x"}], "udiCarrier[0].deviceIdentifier"),
        ],
    ),
    "us-core-observation-clinical-result": (
        observation("exam", "1-8", valueString="Fine"),
        [
            (("category",), GONE, "category"),
            (("subject",), GONE, "subject"),
            (("valueString",), GONE, ""),
        ],
    ),
    "us-core-observation-lab": (
        observation("laboratory", "2345-7", valueQuantity=quantity(90, "mg/dL")),
        [
            (("category",), [concept(OBSERVATION, "exam")], "category"),
            (("valueQuantity",), GONE, ""),
        ],
    ),
    "us-core-observation-occupation": (
        social("11341-5", valueCodeableConcept={"text": "Baker"}),
        [
            (("code", "coding", 0, "code"), "1-8", "code"),
            (("subject",), GONE, "subject"),
            (("valueCodeableConcept",), GONE, "value"),
        ],
    ),
    "us-core-observation-pregnancystatus": of_choice("82810-3", concept(SNOMED, "77386006")),
    "us-core-observation-pregnancyintent": of_choice("86645-9", {"text": "No"}),
    "us-core-smokingstatus": (
        social("72166-2", valueCodeableConcept=concept(SNOMED, "266919005")),
        [
            (("status",), "preliminary", "status"),
            (("category",), GONE, "category"),
            (("effectiveDateTime",), GONE, "effective"),
            (("valueCodeableConcept",), GONE, "value"),
        ],
    ),
    "us-core-observation-sexual-orientation": (
        observation("social-history", "76690-7", valueCodeableConcept=concept(SNOMED, "20430005")),
        [
            (("code", "coding", 0, "code"), "1-8", "code"),
            (("subject",), GONE, "subject"),
            (("valueCodeableConcept",), GONE, ""),
        ],
    ),
    "us-core-vital-signs": (
        vital("8867-4", "/min"),
        [
            (("category",), GONE, "category"),
            (("subject",), GONE, "subject"),
            (("valueQuantity",), GONE, ""),
        ],
    ),
    "us-core-blood-pressure": (
        PRESSURE,
        [
            (("code", "coding", 0, "code"), "1-8", "code"),
            (("component", 1), PRESSURE["component"][0], "component"),
            (("component", 0, "valueQuantity", "value"), GONE, "component[0].value.value"),
            (("component", 1, "valueQuantity", "code"), "bar", "component[1].value.code"),
        ],
    ),
    "us-core-pulse-oximetry": (
        OXYGEN,
        [
            (("code", "coding", 1), {"system": LOINC, "code": "1-8"}, "code.coding"),
            (("valueQuantity", "code"), "/min", "value.code"),
        ],
    ),
    "us-core-bmi": measured("39156-5", "kg/m2"),
    "us-core-body-height": measured("8302-2", "cm"),
    "us-core-body-temperature": measured("8310-5", "Cel"),
    "us-core-body-weight": measured("29463-7", "kg"),
    "us-core-head-circumference": measured("9843-4", "cm"),
    "us-core-heart-rate": measured("8867-4", "/min"),
    "us-core-respiratory-rate": measured("9279-1", "/min"),
    "head-occipital-frontal-circumference-percentile": measured("8289-1", "%"),
    "pediatric-bmi-for-age": measured("59576-9", "%"),
    "pediatric-weight-for-height": measured("77606-2", "%"),
}
