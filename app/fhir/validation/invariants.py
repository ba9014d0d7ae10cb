"""The invariants of R4 that can be judged from one object, by the type they are defined on.

They run only on objects whose elements are well-formed. dom-2 to dom-5 and ref-1 need the whole
resource and are in contained.py; txt-1 and txt-2 are in narrative.py.
https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.fhir.validation.combinators import has_code, names, not_both, one_of, requires
from app.fhir.validation.invariants_of_conformance import CONFORMANCE
from app.fhir.validation.invariants_of_definitions import DEFINITIONS
from app.fhir.validation.invariants_of_types import MORE
from app.fhir.validation.problem import FINE, Problems, Rule, problem

Json = Mapping[str, Any]

CONDITION_STATUS = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLINICAL_STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def ordered(key: str, earlier: str, later: str) -> Rule:
    """One date is not after the other, as far as both are precise."""
    said = problem("invariant", f"{key}: {earlier} must not be after {later}")

    def rule(value: Json) -> Problems:
        start, end = value.get(earlier), value.get(later)
        return FINE if start is None or end is None or in_order(start, end) else said

    return rule


def in_order(start: str, end: str) -> bool:
    """Whether a date or dateTime can be before or at another; unequal precision leaves room."""
    if "T" in start and "T" in end:
        try:
            return datetime.fromisoformat(start) <= datetime.fromisoformat(end)
        except ValueError:  # a leap second
            return start[:16] <= end[:16]
    common = min(len(start.partition("T")[0]), len(end.partition("T")[0]))
    return start[:common] <= end[:common]


def not_negative(key: str, element: str) -> Rule:
    said = problem("invariant", f"{key}: {element} must not be negative")
    return lambda value: said if value.get(element, 0) < 0 else FINE


def condition_status(value: Json) -> Problems:
    """con-4 and con-5: the clinical status fits the abatement and the verification status."""
    wrong = has_code(value.get("verificationStatus"), CONDITION_STATUS, "entered-in-error")
    if wrong and "clinicalStatus" in value:
        return problem("invariant", "con-5: entered-in-error excludes clinicalStatus")
    over = has_code(
        value.get("clinicalStatus"), CLINICAL_STATUS, "resolved", "remission", "inactive"
    )
    if not over and not ABATEMENT.isdisjoint(value):
        allowed = "inactive, resolved or remission"
        return problem("invariant", f"con-4: an abated condition has clinicalStatus {allowed}")
    return FINE


ABATEMENT = names("Condition", "abatement")


def consent_patient(value: Json) -> Problems:
    """ppc-2 to ppc-5, with the code system they mean: each scope needs a patient."""
    if "patient" in value:
        return FINE
    system = "http://terminology.hl7.org/CodeSystem/consentscope"
    scopes = ("patient-privacy", "research", "adr", "treatment")
    if has_code(value.get("scope"), system, *scopes):
        return problem("invariant", "ppc-2: a consent of this scope needs patient")
    return FINE


def range_order(value: Json) -> Problems:
    """rng-2, where both ends have the same unit."""
    low, high = value.get("low", {}), value.get("high", {})
    same = all(low.get(name) == high.get(name) for name in ("system", "code", "unit"))
    if same and "value" in low and "value" in high and low["value"] > high["value"]:
        return problem("invariant", "rng-2: low must not be higher than high")
    return FINE


def ratio_parts(value: Json) -> Problems:
    """rat-1: both parts, or neither and an extension."""
    parts = ("numerator" in value) + ("denominator" in value)
    if parts == 2 or (parts == 0 and "extension" in value):
        return FINE
    return problem("invariant", "rat-1: needs numerator and denominator")


def organization_use(value: Json) -> Problems:
    """org-2 and org-3: an organization has no home."""
    places = (*value.get("telecom", ()), *value.get("address", ()))
    if any(place.get("use") == "home" for place in places):
        return problem("invariant", "org-2, org-3: use must not be home")
    return FINE


def risk_probability(value: Json) -> Problems:
    """ras-2: a probability is a percentage."""
    if value.get("probabilityDecimal", 0) > 100:
        return problem("invariant", "ras-2: must be at most 100", ".probability")
    return FINE


REPEAT = "Timing.repeat"

HOT: Mapping[str, tuple[Rule, ...]] = {
    "Attachment": (requires("att-1", "Attachment", "data", "contentType"),),
    "AuditEvent.entity": (not_both("sev-1", "AuditEvent.entity", "name", "query"),),
    "CarePlan.activity": (not_both("cpl-3", "CarePlan.activity", "detail", "reference"),),
    "Condition": (condition_status,),
    "Condition.evidence": (one_of("con-2", "Condition.evidence", "code", "detail"),),
    "Condition.stage": (one_of("con-1", "Condition.stage", "summary", "assessment"),),
    "Consent": (one_of("ppc-1", "Consent", "policy", "policyRule"), consent_patient),
    "ContactPoint": (requires("cpt-2", "ContactPoint", "value", "system"),),
    "Extension": (
        one_of("ext-1", "Extension", "extension", "value"),
        not_both("ext-1", "Extension", "extension", "value"),
    ),
    "Goal.target": (requires("gol-1", "Goal.target", "detail", "measure"),),
    "Observation": (not_both("obs-6", "Observation", "dataAbsentReason", "value"),),
    "Observation.referenceRange": (
        one_of("obs-3", "Observation.referenceRange", "low", "high", "text"),
    ),
    "Organization": (one_of("org-1", "Organization", "name", "identifier"), organization_use),
    "Patient.contact": (
        one_of("pat-1", "Patient.contact", "name", "telecom", "address", "organization"),
    ),
    "Period": (ordered("per-1", "start", "end"),),
    "Quantity": (requires("qty-3", "Quantity", "code", "system"),),
    "QuestionnaireResponse.item": (
        not_both("qrs-1", "QuestionnaireResponse.item", "answer", "item"),
    ),
    "Range": (range_order,),
    "Ratio": (ratio_parts,),
    "RiskAssessment.prediction": (risk_probability,),
    "ServiceRequest": (requires("prr-1", "ServiceRequest", "orderDetail", "code"),),
    "Task": (ordered("inv-1", "authoredOn", "lastModified"),),
    REPEAT: (
        requires("tim-1", REPEAT, "duration", "durationUnit"),
        requires("tim-2", REPEAT, "period", "periodUnit"),
        not_negative("tim-4", "duration"),
        not_negative("tim-5", "period"),
        requires("tim-6", REPEAT, "periodMax", "period"),
        requires("tim-7", REPEAT, "durationMax", "duration"),
        requires("tim-8", REPEAT, "countMax", "count"),
        not_both("tim-10", REPEAT, "timeOfDay", "when"),
    ),
}
"""What a plan is made of, and the data types it uses."""

ROOMS = (HOT, MORE, CONFORMANCE, DEFINITIONS)

RULES: Mapping[str, tuple[Rule, ...]] = {
    type_: tuple(rule for room in ROOMS for rule in room.get(type_, ()))
    for type_ in sorted({type_ for room in ROOMS for type_ in room})
}
"""The rules of each type; Age, Duration and the like follow those of Quantity."""
