"""A disclosure that happened elsewhere, by letter or telephone, as a row of the audit trail.

https://profiles.ihe.net/ITI/BALP/ (1.1.4), Privacy Disclosure; 45 CFR 164.528(b)
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.fhir import json
from app.fhir.audit import REFERENCES, SUCCESS, Audited, AuditRow, audit_row
from app.fhir.audit_codes import DICOM, ENTITY_ROLE, ENTITY_TYPE, PURPOSE, RECIPIENT
from app.fhir.audit_event import clean
from app.fhir.context import Agent, Resource
from app.fhir.search.parameters import extract
from app.fhir.search.parameters.audit_target import points

EXPORT = {"system": DICOM, "code": "110106", "display": "Export"}
DISCLOSE = {
    "system": "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
    "code": "disclose",
}


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What of a patient (logical id) was told to whom, when (a dateTime), and what for.

    `recipient` and `consent` are References; a recipient may have a display only.
    """

    patient: str
    recipient: Resource
    purpose: str
    description: str
    occurred: str
    consent: Resource | None = None


def disclosure_row(
    agent: Agent, request_id: str, instant: datetime, base_url: str, told: Disclosure
) -> AuditRow:
    """The event, with whoever records it as the agent that asked for it."""
    plain = Audited("disclose", SUCCESS, 201, patients=(told.patient,))
    row = audit_row(agent, request_id, instant, base_url, plain)
    event = _event(json.parse(row.body.encode()), told)
    index = extract(event, base_url)
    targets = {points(REFERENCES[at], to) for at, to in index.references if at in REFERENCES}
    return row._replace(
        keys=_array(index.keys),
        targets=_array(targets),
        body=json.dump(event).decode(),
    )


def _event(event: Resource, told: Disclosure) -> Resource:
    data: dict[str, Any] = {
        "type": {"system": ENTITY_TYPE, "code": "2"},
        "role": {"system": ENTITY_ROLE, "code": "3"},
        "description": clean(told.description),
    }
    if told.consent:
        data["what"] = told.consent
    recipient = {
        "type": {"coding": [{"system": RECIPIENT[0], "code": RECIPIENT[1]}]},
        "who": told.recipient,
        "requestor": False,
        "purposeOfUse": [{"coding": [{"system": PURPOSE, "code": told.purpose}]}],
    }
    return {
        **event,
        "type": EXPORT,
        "subtype": [DISCLOSE],
        "action": "R",
        "period": {"start": told.occurred, "end": told.occurred},
        "agent": [*event["agent"], recipient],
        "entity": [*event["entity"], data],
    }


def _array(values: Any) -> str:
    return f"{{{','.join(map(str, sorted(values)))}}}"
