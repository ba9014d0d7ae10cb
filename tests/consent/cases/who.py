"""To whom, what for and when a provision applies."""

from tests.build import concept, patient, practitioner_role, related_person
from tests.consent.case import DENY, NOT_COVERED, NOW, PERMIT, Case
from tests.consent.paper import (
    ADA,
    COUNTY,
    GRACE,
    INES,
    NETWORK,
    PARTNER,
    ROLE,
    deny,
    form,
    permit,
    recipient,
    reference,
    rule,
    team,
)

OTHER = "Organization/other"
RESEARCHERS = "Group/researchers"


def group(*members: str, **elements: object) -> dict:
    listed = [{"entity": reference(member)} for member in members]
    made = {"resourceType": "Group", "id": "researchers", "type": "practitioner", "actual": True}
    return made | {"member": listed} | elements


def to_role(role: str, kind: str = "permit") -> dict:
    return rule(kind, actor=[recipient(PARTNER, role)])


def by_identifier(kind: str) -> dict:
    named = {"identifier": {"system": "urn:oid:2.16.840.1.113883.4.6", "value": "1"}}
    return rule(kind, actor=[recipient(PARTNER) | {"reference": named}])


CASES = [
    # actor
    Case(
        "a permit to an organization is for that organization",
        (form(permit(to=PARTNER)),),
        PERMIT,
        by="Consent.provision",
    ),
    Case(
        "a permit to another organization is not for this one",
        (form(permit(to=OTHER)),),
        NOT_COVERED,
    ),
    Case(
        "a permit without actors is for everyone in the community (PCF)",
        (form(permit(purpose="TREAT")),),
        PERMIT,
    ),
    Case(
        "one of several actors is enough: within an element the values are alternatives",
        (form(permit(to=f"{OTHER} {PARTNER}")),),
        PERMIT,
    ),
    Case(
        "a permit to an organization reaches who works there in a role",
        (form(permit(to=PARTNER)),),
        PERMIT,
        actor=GRACE,
    ),
    Case(
        "a permit to an organization reaches the role itself",
        (form(permit(to=PARTNER)),),
        PERMIT,
        actor=ROLE,
    ),
    Case(
        "a permit to the parent organization reaches its parts", (form(permit(to=NETWORK)),), PERMIT
    ),
    Case(
        "a permit to the parent organization reaches who works in a part of it",
        (form(permit(to=NETWORK)),),
        PERMIT,
        actor=GRACE,
    ),
    Case(
        "a permit to a part is not one to the parent",
        (form(permit(to=PARTNER)),),
        NOT_COVERED,
        actor=NETWORK,
    ),
    Case(
        "a permit to a person can be used by the system of who employs them",
        (form(permit(to=GRACE)),),
        PERMIT,
    ),
    Case(
        "a permit to a role is one to whoever has the role",
        (form(permit(to=ROLE)),),
        PERMIT,
        actor=GRACE,
    ),
    Case(
        "a denial of a person does not stop the organization's other work",
        (form(deny(to=GRACE)), form(permit(to=PARTNER), id="b")),
        PERMIT,
    ),
    Case(
        "a denial of a person holds though the organization is permitted",
        (form(deny(to=GRACE)), form(permit(to=PARTNER), id="b")),
        DENY,
        actor=GRACE,
    ),
    Case(
        "a denial of an organization holds for who works there",
        (form(deny(to=PARTNER)), form(permit(to=GRACE), id="b")),
        DENY,
        actor=GRACE,
    ),
    Case(
        "a denial of the parent organization holds for its parts", (form(deny(to=NETWORK)),), DENY
    ),
    Case(
        "a role that is not active any more connects nobody",
        (form(permit(to=OTHER)),),
        NOT_COVERED,
        actor=GRACE,
        world=(practitioner_role("old", organization=OTHER, active=False),),
    ),
    Case(
        "a role whose time is over connects nobody",
        (form(permit(to=OTHER)),),
        NOT_COVERED,
        actor=GRACE,
        world=(practitioner_role("old", organization=OTHER, period={"end": "2024-12-31"}),),
    ),
    Case(
        "a second role connects as the first does",
        (form(permit(to=OTHER)),),
        PERMIT,
        actor=GRACE,
        world=(practitioner_role("new", organization=OTHER),),
    ),
    Case(
        "a care team is who is active in it",
        (form(permit(to="CareTeam/circle", label="R")),),
        PERMIT,
        world=(team(PARTNER, id_="circle"),),
    ),
    Case(
        "a member of the team through a role is a member",
        (form(permit(to="CareTeam/circle", label="R")),),
        PERMIT,
        actor=GRACE,
        world=(team(ROLE, id_="circle"),),
    ),
    Case(
        "who is not in the team is not meant by it",
        (form(permit(to="CareTeam/circle")),),
        NOT_COVERED,
        world=(team(OTHER, id_="circle"),),
    ),
    Case(
        "a team that is not active is nobody",
        (form(permit(to="CareTeam/circle")),),
        NOT_COVERED,
        world=(team(PARTNER, id_="circle", status="inactive"),),
    ),
    Case(
        "a permit for somebody else's care team lets nobody in: others choose its members",
        (form(permit(to="CareTeam/circle", label="R")),),
        NOT_COVERED,
        world=(team(PARTNER, id_="circle", patient="Patient/eve"),),
    ),
    Case(
        "a care team of nobody is let in by nobody",
        (form(permit(to="CareTeam/circle", label="R")),),
        NOT_COVERED,
        world=({**team(PARTNER, id_="circle"), "subject": {"display": "everyone"}},),
    ),
    Case(
        "a denial to somebody else's care team keeps its members out",
        (form(rule(None, deny(to="CareTeam/circle")), "OPTIN"),),
        DENY,
        world=(team(PARTNER, id_="circle", patient="Patient/eve"),),
    ),
    Case(
        "a group is its members",
        (form(permit(to=RESEARCHERS)),),
        PERMIT,
        actor=GRACE,
        world=(group(GRACE),),
    ),
    Case(
        "a member of a group who is inactive is none",
        (form(permit(to=RESEARCHERS)),),
        NOT_COVERED,
        actor=GRACE,
        world=(group(member=[{"entity": reference(GRACE), "inactive": True}]),),
    ),
    Case(
        "a group that is not active is nobody",
        (form(permit(to=RESEARCHERS)),),
        NOT_COVERED,
        actor=GRACE,
        world=(group(GRACE, active=False),),
    ),
    Case(
        "a relative can be permitted",
        (form(permit(to=INES)),),
        PERMIT,
        actor=INES,
        purpose="FAMRQT",
        world=(related_person(),),
    ),
    Case(
        "a relative nobody permitted sees nothing",
        (),
        NOT_COVERED,
        actor=INES,
        purpose="FAMRQT",
        world=(related_person(),),
    ),
    Case(
        "an absolute reference below our own base is local",
        (form(rule("permit", actor=[recipient(f"http://example.org/fhir/{PARTNER}")])),),
        PERMIT,
    ),
    Case(
        "an actor on another server is nobody we know: a permit to him opens nothing",
        (form(rule("permit", actor=[recipient(f"https://elsewhere.example/{PARTNER}")])),),
        NOT_COVERED,
    ),
    Case(
        "an actor on another server is nobody we know: a denial of him stops nobody here",
        (
            form(rule("deny", actor=[recipient(f"https://elsewhere.example/{PARTNER}")])),
            form(permit(to=PARTNER), id="b"),
        ),
        PERMIT,
    ),
    Case(
        "an actor named by identifier alone is nobody we know",
        (form(by_identifier("permit")),),
        NOT_COVERED,
    ),
    Case("a primary recipient is a recipient", (form(to_role("PRCP")),), PERMIT),
    Case("who is named as custodian is not who gets to see", (form(to_role("CST")),), NOT_COVERED),
    Case(
        "a denial that names no recipient is to everyone",
        (form(to_role("CST", "deny")), form(permit(to=PARTNER), id="b")),
        DENY,
    ),
    Case(
        "an actor without a coded role is a recipient",
        (form(rule("permit", actor=[recipient(PARTNER) | {"role": {"text": "my helper"}}])),),
        PERMIT,
    ),
    # purpose
    Case(
        "a permit for treatment is for treatment",
        (form(permit(to=PARTNER, purpose="TREAT")),),
        PERMIT,
    ),
    Case(
        "coordination of care is a kind of treatment",
        (form(permit(to=PARTNER, purpose="TREAT")),),
        PERMIT,
        purpose="COC",
    ),
    Case(
        "a permit for coordination of care is not for all treatment",
        (form(permit(to=PARTNER, purpose="COC")),),
        NOT_COVERED,
    ),
    Case(
        "a permit for treatment is not for research",
        (form(permit(to=PARTNER, purpose="TREAT")),),
        NOT_COVERED,
        purpose="HRESCH",
    ),
    Case(
        "a permit for treatment is not for marketing",
        (form(permit(to=PARTNER, purpose="TREAT")),),
        NOT_COVERED,
        purpose="HMARKT",
    ),
    Case(
        "a permit for any purpose of use is for marketing too",
        (form(permit(to=PARTNER, purpose="PurposeOfUse")),),
        PERMIT,
        purpose="HMARKT",
    ),
    Case(
        "care management is an operation",
        (form(permit(to=PARTNER, purpose="HOPERAT")),),
        PERMIT,
        purpose="CAREMGT",
    ),
    Case(
        "a denial of operations is one of care management",
        (form(deny(to=PARTNER, purpose="HOPERAT")),),
        DENY,
        purpose="CAREMGT",
    ),
    Case(
        "a denial of care management is not one of treatment",
        (form(deny(to=PARTNER, purpose="CAREMGT")), form(permit(to=PARTNER), id="b")),
        PERMIT,
    ),
    Case(
        "who asks for two purposes is denied for either",
        (form(deny(to=PARTNER, purpose="HRESCH")), form(permit(to=PARTNER), id="b")),
        DENY,
        purpose="TREAT HRESCH",
    ),
    Case(
        "who asks for two purposes is permitted by either",
        (form(permit(to=PARTNER, purpose="HRESCH")),),
        PERMIT,
        purpose="TREAT HRESCH",
    ),
    Case(
        "a purpose that is unknown to us opens nothing",
        (form(permit(to=PARTNER, purpose="WHATEVER")),),
        NOT_COVERED,
    ),
    Case(
        "a denial for a purpose that is unknown to us is one for any",
        (form(deny(to=PARTNER, purpose="WHATEVER")), form(permit(to=PARTNER), id="b")),
        DENY,
    ),
    Case(
        "a purpose of another code system is unknown to us",
        (form(rule("permit", to=PARTNER) | {"purpose": [{"system": "urn:x", "code": "TREAT"}]}),),
        NOT_COVERED,
    ),
    Case(
        "a request whose purpose is unknown is permitted by no purpose",
        (form(permit(to=PARTNER, purpose="TREAT")),),
        NOT_COVERED,
        purpose="WHATEVER",
    ),
    Case(
        "a request whose purpose is unknown may use a permit that asks for none",
        (form(permit(to=PARTNER)),),
        PERMIT,
        purpose="WHATEVER",
    ),
    # action
    Case("a permit without actions is for reading", (form(permit(to=PARTNER)),), PERMIT),
    Case(
        "a permit without actions is for writing",
        (form(permit(to=PARTNER)),),
        PERMIT,
        action="correct",
    ),
    Case("a permit to access is for reading", (form(permit(to=PARTNER, action="access")),), PERMIT),
    Case(
        "a permit to access is not for writing",
        (form(permit(to=PARTNER, action="access")),),
        NOT_COVERED,
        action="correct",
    ),
    Case(
        "a permit to access is not for pushing data out",
        (form(permit(to=PARTNER, action="access")),),
        NOT_COVERED,
        action="disclose",
    ),
    Case(
        "to correct is defined as access and correct",
        (form(permit(to=PARTNER, action="correct")),),
        PERMIT,
    ),
    Case(
        "a denial of correcting leaves reading alone",
        (form(deny(to=PARTNER, action="correct")), form(permit(to=PARTNER), id="b")),
        PERMIT,
    ),
    Case(
        "a denial of correcting stops writing",
        (form(deny(to=PARTNER, action="correct")), form(permit(to=PARTNER), id="b")),
        DENY,
        action="correct",
    ),
    Case(
        "a permit to collect lets something be added",
        (form(permit(to=PARTNER, action="collect")),),
        PERMIT,
        action="collect correct",
    ),
    Case(
        "a permit to collect is not for reading",
        (form(permit(to=PARTNER, action="collect")),),
        NOT_COVERED,
    ),
    Case(
        "an action that is unknown to us opens nothing",
        (form(permit(to=PARTNER, action="peek")),),
        NOT_COVERED,
    ),
    Case(
        "a permit to read does not take writing from a member of the team",
        (form(permit(to=PARTNER, action="access")),),
        PERMIT,
        action="correct",
        world=(team(PARTNER),),
    ),
    # period of the rule
    Case(
        "within its period a permit holds",
        (form(permit(to=PARTNER, period="2025-01-01/2025-12-31")),),
        PERMIT,
    ),
    Case(
        "after its period a permit opens nothing",
        (form(permit(to=PARTNER, period="2024-01-01/2025-05-31")),),
        NOT_COVERED,
    ),
    Case(
        "before its period a permit opens nothing",
        (form(permit(to=PARTNER, period="2025-06-02/2025-12-31")),),
        NOT_COVERED,
    ),
    Case(
        "the last day of a period belongs to it",
        (form(permit(to=PARTNER, period="2024-01-01/2025-06-01")),),
        PERMIT,
    ),
    Case(
        "a period given by its month includes the month",
        (form(permit(to=PARTNER, period="2025-06/2025-06")),),
        PERMIT,
    ),
    Case(
        "a period without an end goes on", (form(permit(to=PARTNER, period="2025-01-01/")),), PERMIT
    ),
    Case(
        "a denial whose period is over holds no longer",
        (form(deny(to=PARTNER, period="2024-01-01/2024-12-31")), form(permit(to=PARTNER), id="b")),
        PERMIT,
    ),
    Case(
        "at the very instant it ends a permit has ended",
        (form(permit(to=PARTNER, period="2025-01-01/2025-06-01T11:59:59Z")),),
        NOT_COVERED,
        now=NOW,
    ),
    # whose consent
    Case(
        "a consent that is about nobody permits nothing",
        (form(permit(to=PARTNER)) | {"patient": {"display": "Ada"}},),
        NOT_COVERED,
    ),
    Case(
        "a consent to research is not one about privacy",
        (
            form(
                permit(to=PARTNER),
                scope=concept("http://terminology.hl7.org/CodeSystem/consentscope", "research"),
            ),
        ),
        NOT_COVERED,
    ),
    Case(
        "a consent to treatment is not one about privacy",
        (
            form(
                permit(to=PARTNER),
                scope=concept("http://terminology.hl7.org/CodeSystem/consentscope", "treatment"),
            ),
        ),
        NOT_COVERED,
    ),
    Case(
        "an advance directive is not one about privacy",
        (
            form(
                deny(to=PARTNER),
                scope=concept("http://terminology.hl7.org/CodeSystem/consentscope", "adr"),
            ),
            form(permit(to=PARTNER), id="b"),
        ),
        PERMIT,
    ),
    Case(
        "the patient as an actor is herself",
        (form(deny(to=ADA)),),
        PERMIT,
        actor=ADA,
        purpose="PATRQT",
    ),
    Case("who keeps the record can be denied", (form(deny(to=COUNTY)),), DENY, actor=COUNTY),
    Case(
        "who keeps another's record does not keep this one",
        (),
        NOT_COVERED,
        actor=OTHER,
        world=(patient("ben", OTHER),),
    ),
]
