from typing import Any

import pytest

from app.fhir.validation.invariants import in_order
from app.fhir.validation.structure import validate
from tests.official import package

Json = dict[str, Any]

PATIENT = {"reference": "Patient/1"}
TEXT = {"text": "x"}
PERCENT = {"value": 1, "unit": "%"}
PLAN: Json = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": PATIENT}
GOAL: Json = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": TEXT,
    "subject": PATIENT,
}
CONDITION: Json = {"resourceType": "Condition", "subject": PATIENT}
OBSERVATION: Json = {"resourceType": "Observation", "status": "final", "code": TEXT}
REQUEST: Json = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "order",
    "subject": PATIENT,
}
CONSENT: Json = {
    "resourceType": "Consent",
    "status": "active",
    "scope": TEXT,
    "category": [TEXT],
    "policyRule": TEXT,
}
RISK: Json = {"resourceType": "RiskAssessment", "status": "final", "subject": PATIENT}
TASK: Json = {"resourceType": "Task", "status": "draft", "intent": "plan"}
RESPONSE: Json = {"resourceType": "QuestionnaireResponse", "status": "completed"}
EVENT: Json = {
    "resourceType": "AuditEvent",
    "type": {"code": "rest"},
    "recorded": "2026-01-01T00:00:00Z",
    "agent": [{"requestor": True}],
    "source": {"observer": {"display": "x"}},
}


def status(system: str, code: str) -> Json:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def repeat(**changes: Any) -> Json:
    return REQUEST | {"occurrenceTiming": {"repeat": changes}}


def scope(code: str) -> Json:
    return CONSENT | {"scope": status("consentscope", code)}


BROKEN = [
    (
        "att-1",
        PLAN | {"_title": {"extension": [{"url": "u", "valueAttachment": {"data": "AAAA"}}]}},
    ),
    ("sev-1", EVENT | {"entity": [{"name": "x", "query": "AAAA"}]}),
    (
        "cpl-3",
        PLAN | {"activity": [{"detail": {"status": "scheduled"}, "reference": {"display": "x"}}]},
    ),
    ("con-1", CONDITION | {"stage": [{"type": TEXT}]}),
    ("con-2", CONDITION | {"evidence": [{"extension": [{"url": "u", "valueCode": "x"}]}]}),
    ("con-4", CONDITION | {"abatementString": "x"}),
    (
        "con-4",
        CONDITION
        | {"abatementString": "x", "clinicalStatus": status("condition-clinical", "active")},
    ),
    (
        "con-5",
        CONDITION
        | {"clinicalStatus": status("condition-clinical", "active")}
        | {"verificationStatus": status("condition-ver-status", "entered-in-error")},
    ),
    ("ppc-1", {key: value for key, value in CONSENT.items() if key != "policyRule"}),
    ("ppc-2", scope("patient-privacy")),
    ("cpt-2", {"resourceType": "Patient", "telecom": [{"value": "1"}]}),
    ("ext-1", PLAN | {"extension": [{"url": "u"}]}),
    (
        "ext-1",
        PLAN
        | {
            "extension": [
                {"url": "u", "valueCode": "x", "extension": [{"url": "u", "valueCode": "x"}]}
            ]
        },
    ),
    ("gol-1", GOAL | {"target": [{"detailString": "x"}]}),
    ("obs-6", OBSERVATION | {"valueString": "x", "dataAbsentReason": TEXT}),
    ("obs-3", OBSERVATION | {"referenceRange": [{"age": {"low": PERCENT}}]}),
    ("org-1", {"resourceType": "Organization", "active": True}),
    ("org-2", {"resourceType": "Organization", "name": "x", "address": [{"use": "home"}]}),
    ("pat-1", {"resourceType": "Patient", "contact": [{"gender": "female"}]}),
    ("per-1", PLAN | {"period": {"start": "2026-01-02", "end": "2026-01-01"}}),
    ("qty-3", OBSERVATION | {"valueQuantity": {"value": 1, "code": "%"}}),
    ("qty-3", CONDITION | {"onsetAge": {"value": 1, "code": "a"}}),
    (
        "qrs-1",
        RESPONSE
        | {"item": [{"linkId": "1", "item": [{"linkId": "2"}], "answer": [{"valueString": "x"}]}]},
    ),
    ("rng-2", OBSERVATION | {"valueRange": {"low": {"value": 2}, "high": {"value": 1}}}),
    ("rat-1", OBSERVATION | {"valueRatio": {"numerator": {"value": 2}}}),
    ("ras-2", RISK | {"prediction": [{"probabilityDecimal": 101}]}),
    ("prr-1", REQUEST | {"orderDetail": [TEXT]}),
    ("inv-1", TASK | {"authoredOn": "2026-01-02", "lastModified": "2026-01-01"}),
    ("tim-1", repeat(duration=1)),
    ("tim-2", repeat(period=1)),
    ("tim-4", repeat(duration=-1, durationUnit="h")),
    ("tim-5", repeat(period=-1, periodUnit="d")),
    ("tim-6", repeat(periodMax=1)),
    ("tim-7", repeat(durationMax=1)),
    ("tim-8", repeat(countMax=1)),
    ("tim-10", repeat(timeOfDay=["10:00:00"], when=["MORN"])),
]

HELD = [
    PLAN | {"activity": [{"detail": {"status": "scheduled"}}, {"reference": {"display": "x"}}]},
    PLAN | {"period": {"start": "2026-01-01", "end": "2026-01-01"}},
    PLAN | {"period": {"start": "2026-01-01"}},
    CONDITION
    | {"abatementString": "x", "clinicalStatus": status("condition-clinical", "resolved")},
    CONDITION | {"verificationStatus": status("condition-ver-status", "entered-in-error")},
    scope("patient-privacy") | {"patient": PATIENT},
    GOAL | {"target": [{"detailString": "x", "measure": TEXT}, {"dueDate": "2026"}]},
    OBSERVATION
    | {"valueRange": {"low": {"value": 2, "unit": "m"}, "high": {"value": 1, "unit": "km"}}},
    OBSERVATION | {"valueRatio": {"numerator": {"value": 2}, "denominator": {"value": 3}}},
    repeat(frequency=1, period=1, periodUnit="wk"),
]


@pytest.mark.parametrize(("key", "resource"), BROKEN, ids=[key for key, _ in BROKEN])
def test_a_broken_invariant_is_named(key: str, resource: Json) -> None:
    [issue] = validate(resource, resource["resourceType"])
    assert issue.code == "invariant"
    assert key in issue.diagnostics


@pytest.mark.parametrize("resource", HELD)
def test_what_holds_to_the_invariants_passes(resource: Json) -> None:
    assert validate(resource, resource["resourceType"]) == []


def test_every_key_is_an_official_invariant_of_severity_error() -> None:
    official = {
        constraint["key"]: constraint["severity"]
        for definition in package("StructureDefinition").values()
        for element in definition.get("snapshot", {}).get("element", ())
        for constraint in element.get("constraint", ())
    }
    assert {official[key] for key, _ in BROKEN} == {"error"}


@pytest.mark.parametrize(
    ("start", "end", "is_in_order"),
    [
        ("2026", "2026", True),
        ("2026-05", "2026", True),
        ("2026-05-01", "2026-04", False),
        ("2026-01-01T10:00:00Z", "2026-01-01", True),
        ("2026-01-02T10:00:00Z", "2026-01-01", False),
        ("2026-01-01T10:00:00-10:00", "2026-01-01T11:00:00Z", False),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00Z", True),
        ("2026-01-01T23:59:60Z", "2026-01-02T00:00:00Z", True),
        ("2026-01-01T10:00:00.1234567Z", "2026-01-01T10:00:00.2Z", True),
    ],
)
def test_dates_are_compared_as_far_as_they_are_precise(
    start: str, end: str, is_in_order: bool
) -> None:
    assert in_order(start, end) is is_in_order
