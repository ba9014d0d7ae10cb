"""Signing a plan, or refusing to: a Provenance of one version of it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.fhir.context import Resource
from app.fhir.errors import Unprocessable
from app.fhir.instant import to_text
from app.isp.act import Reference, agent
from app.isp.canonical import sealed
from app.isp.codes import HL7, ISP, REFUSED
from app.isp.element import name
from app.isp.plan import Plan

SIGNABLE = frozenset({"draft", "active", "on-hold"})
KINDS_OF_SIGNATURE = "urn:iso-astm:E1762-95:2013"
CONSENT = "1.2.840.10065.1.12.1.7"
"""Consent signature. https://hl7.org/fhir/R4/valueset-signature-type.html"""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs (a Reference), when, the code of the kind of signature, and for whom staff sign."""

    who: Reference
    when: datetime
    kind: str = CONSENT
    organization: Reference | None = None


def signature(plan: Plan, signer: Signer) -> Resource:
    """The Provenance of a signature. Raises Unprocessable for a plan that is over."""
    when = to_text(signer.when)
    signed: dict[str, Any] = {
        "type": [{"system": KINDS_OF_SIGNATURE, "code": signer.kind}],
        "when": when,
        "who": signer.who,
        "targetFormat": "application/fhir+json",
        "sigFormat": "text/plain",
        "data": sealed(plan),
    }
    return _provenance(plan, signer) | {"occurredDateTime": when, "signature": [signed]}


def refusal(plan: Plan, signer: Signer, reason: str) -> Resource:
    """The Provenance of a refusal with its reason. Raises Unprocessable for a plan that is over."""
    said = {"coding": [{"system": ISP, "code": REFUSED}], "text": reason}
    return _provenance(plan, signer) | {"reason": [said]}


def _provenance(plan: Plan, signer: Signer) -> Resource:
    if plan.care_plan.get("status") not in SIGNABLE:
        raise Unprocessable(
            "A plan is signed as long as it is a draft, active or on hold.",
            code="business-rule",
            expression=["CarePlan.status"],
        )
    attester = {"system": f"{HL7}/provenance-participant-type", "code": "attester"}
    version = plan.care_plan["meta"]["versionId"]
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"{name(plan.care_plan)}/_history/{version}"}],
        "recorded": to_text(signer.when),
        "agent": [{"type": {"coding": [attester]}, **agent(signer.who, signer.organization)}],
    }
