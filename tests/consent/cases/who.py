"""To whom a provision applies."""

from tests.build import practitioner_role, related_person
from tests.consent.case import DENY, NOT_COVERED, PERMIT, Case
from tests.consent.paper import (
    GRACE,
    INES,
    NETWORK,
    OTHER,
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
]
