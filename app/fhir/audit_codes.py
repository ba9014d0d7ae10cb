"""How IHE BALP and DICOM name what happened: the codes of an AuditEvent, by interaction.

https://profiles.ihe.net/ITI/BALP/ (1.1.4), https://dicom.nema.org/medical/dicom/current/output/chtml/part16/
"""

from dataclasses import dataclass
from typing import Final

PROFILE: Final = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PURPOSE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
RESOURCE: Final = "http://hl7.org/fhir/resource-types"
INTERACTION: Final = "http://hl7.org/fhir/restful-interaction"
IHE_TRANSACTION: Final = "urn:ihe:event-type-code"
SOURCE_TYPE: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
BALP_ENTITY: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"

Coding = tuple[str, str]
SOURCE: Coding = (DICOM, "110153")
DESTINATION: Coding = (DICOM, "110152")
APPLICATION: Coding = (DICOM, "110150")
CUSTODIAN: Coding = (
    "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
    "custodian",
)
RECIPIENT: Coding = (PARTICIPATION, "IRCP")
AUTHOR: Coding = (PARTICIPATION, "AUT")
RESPONSIBLE: Coding = (PARTICIPATION, "RESP")
REST: Coding = ("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest")
LOGIN: Coding = (DICOM, "110114")
ALERT: Coding = (DICOM, "110113")


@dataclass(frozen=True, slots=True)
class Pattern:
    """How BALP records a kind of interaction: the action, the profile, and what each agent is."""

    action: str
    profile: str
    client: Coding
    server: Coding
    user: Coding


READ = Pattern("R", "Read", DESTINATION, SOURCE, RECIPIENT)
CREATE = Pattern("C", "Create", SOURCE, DESTINATION, AUTHOR)
UPDATE = Pattern("U", "Update", SOURCE, DESTINATION, AUTHOR)
DELETE = Pattern("D", "Delete", APPLICATION, CUSTODIAN, AUTHOR)
QUERY = Pattern("E", "Query", SOURCE, DESTINATION, RECIPIENT)
HISTORY = Pattern("R", "", DESTINATION, SOURCE, RECIPIENT)
OTHER = Pattern("E", "", SOURCE, DESTINATION, RECIPIENT)
PATTERNS = {
    "read": READ,
    "vread": READ,
    "create": CREATE,
    "update": UPDATE,
    "patch": UPDATE,
    "delete": DELETE,
    "search-type": QUERY,
    "search-compartment": QUERY,
    "search-system": QUERY,
    "history-instance": HISTORY,
    "history-type": HISTORY,
    "history-system": HISTORY,
}
"""By interaction; what is not listed is OTHER. BALP has no profile for a history or a Bundle."""

SUBTYPE: dict[str, Coding] = {
    "search-compartment": (INTERACTION, "search-type"),
    "asynchronous-status": (INTERACTION, "operation"),
    "asynchronous-cancel": (INTERACTION, "operation"),
    "token": (IHE_TRANSACTION, "ITI-71"),
    "introspect": (IHE_TRANSACTION, "ITI-102"),
    "revoke": (DICOM, "110123"),
    "emergency": (DICOM, "110127"),
    "authorize": (IHE_TRANSACTION, "ITI-71"),
    "login": (DICOM, "110122"),
    "logout": (DICOM, "110123"),
    "launch": (DICOM, "110120"),
    "register": (DICOM, "110131"),
    "invite": (DICOM, "110137"),
    "password": (DICOM, "110137"),
    "factor": (DICOM, "110137"),
    "account": (DICOM, "110136"),
}
"""By interaction; what is not listed is a code of http://hl7.org/fhir/restful-interaction."""

NO_AUTHENTICATION = {
    "emergency": ALERT,
    "search-compartment": REST,
    "asynchronous-status": REST,
    "asynchronous-cancel": REST,
}
TYPE: dict[str, Coding] = dict.fromkeys(SUBTYPE, LOGIN) | NO_AUTHENTICATION
"""By interaction; what is not listed is REST. Steps of OAuth and a broken glass are none.

https://profiles.ihe.net/ITI/IUA/
"""
