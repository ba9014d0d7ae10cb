"""What an assessment finds, as resources: needs, strengths and preferences. Pure."""

from app.fhir.context import Resource
from app.fhir.instant import to_text
from app.isp.act import Act, Reference
from app.isp.codes import ASSESSED_NEED, HEALTH_CONCERN, HL7, SOCIAL, STRENGTH

US_CORE = "http://hl7.org/fhir/us/core/CodeSystem/condition-category"
ELTSS = "http://hl7.org/fhir/us/eltss/CodeSystem"
CODES = {
    "strength": (f"{ELTSS}/eltss-observation-codes-temporary", STRENGTH),
    "preference": ("http://loinc.org", "95541-9"),
}


def need(subject: Reference, text: str, act: Act, source: str) -> Resource:
    """An assessed need in these words; `source` is the form in which it was said (Type/id).

    http://hl7.org/fhir/us/eltss/StructureDefinition/Condition-eltss
    """
    categories = [
        {"system": US_CORE, "code": HEALTH_CONCERN},
        {"system": f"{ELTSS}/eltss-condition-category-code", "code": ASSESSED_NEED},
    ]
    active = {"system": f"{HL7}/condition-clinical", "code": "active"}
    return {
        "resourceType": "Condition",
        "id": act.new_id(),
        "clinicalStatus": {"coding": [active]},
        "category": [{"coding": [one]} for one in categories],
        "code": {"text": text},
        "subject": subject,
        "recordedDate": to_text(act.now),
        "evidence": [{"detail": [{"reference": source}]}],
    }


def trait(kind: str, subject: Reference, text: str, act: Act, source: str) -> Resource:
    """A strength or a preference of the person, as an Observation derived from the form."""
    system, code = CODES[kind]
    social = {"system": f"{HL7}/observation-category", "code": SOCIAL}
    return {
        "resourceType": "Observation",
        "id": act.new_id(),
        "status": "final",
        "category": [{"coding": [social]}],
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": subject,
        "effectiveDateTime": to_text(act.now),
        "valueString": text,
        "derivedFrom": [{"reference": source}],
    }
