"""A resource for each profile of US Core, and what makes it wrong: a change, and where it shows.

A change is a path of keys and positions with the new value; without one the element goes away.
"""

from tests.build import HL7, concept, reference
from tests.fhir.validation.us_core_observations import OBSERVATIONS
from tests.fhir.validation.us_core_resources import (
    ADA,
    ANSWERS,
    ASSERTED,
    CONDITION,
    CORE,
    COVER,
    GONE,
    LOINC,
    NPI,
    PATIENT,
    PLAN,
    RECORD,
    TEAM,
    Json,
    Wrong,
    about,
)

COMMON_CONDITION: list[Wrong] = [
    (("category",), GONE, "category"),
    (("category",), [concept("urn:x", "concern")], "category"),
    (("code",), GONE, "code"),
    (("subject",), reference("Group/us"), "subject"),
]

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
} | OBSERVATIONS
