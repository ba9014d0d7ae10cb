"""Psychotherapy notes, 42 CFR Part 2."""

from tests.build import goal
from tests.consent.case import DENY, NOT_COVERED, PERMIT, Case
from tests.consent.paper import (
    ADA,
    COUNTY,
    GRACE,
    MEMBER,
    PARTNER,
    Resource,
    deny,
    form,
    part_2,
    permit,
    program,
    recipient,
    record,
    reference,
    rule,
)

NOTES = record("DocumentReference", "R PSYTHPN")
SIGNED = permit(to=PARTNER, purpose="TREAT", label="SUD", period="2025-01-01/2025-12-31")
USUAL = permit(purpose="TREAT HPAYMT HOPERAT", label="SUD R")


def lacking(*names: str) -> tuple[Resource, ...]:
    whole = part_2(SIGNED)
    return ({name: value for name, value in whole.items() if name not in names},)


CASES = [
    # psychotherapy notes
    Case(
        "notes are opened by no general permit",
        (form(permit(to=PARTNER)),),
        NOT_COVERED,
        resource=NOTES,
    ),
    Case(
        "notes are opened by no permit for mental health",
        (form(permit(to=PARTNER, label="MH")),),
        NOT_COVERED,
        resource=NOTES,
    ),
    Case(
        "notes are not opened by their label without the law's own form",
        (form(permit(to=PARTNER, label="PSYTHPN")),),
        NOT_COVERED,
        resource=NOTES,
    ),
    Case(
        "notes are opened by an authorization for notes",
        (form(permit(to=PARTNER), "HIPAAPsyNotes"),),
        PERMIT,
        resource=NOTES,
    ),
    Case(
        "an authorization for notes is for whom it names",
        (form(permit(to="Organization/other"), "HIPAAPsyNotes"),),
        NOT_COVERED,
        resource=NOTES,
    ),
    Case("who keeps the record does not see notes", (), NOT_COVERED, actor=COUNTY, resource=NOTES),
    Case(
        "the person has no right of access to notes (164.524)",
        (),
        NOT_COVERED,
        actor=ADA,
        purpose="PATRQT",
        resource=NOTES,
    ),
    Case(
        "an authorization opens notes to the person",
        (form(permit(to=ADA), "HIPAAPsyNotes"),),
        PERMIT,
        actor=ADA,
        purpose="PATRQT",
        resource=NOTES,
    ),
    Case(
        "who wrote the notes uses them",
        (form(permit(to=GRACE, label="V")),),
        PERMIT,
        actor=GRACE,
        resource=NOTES | {"author": [reference(GRACE)]},
    ),
    Case(
        "who wrote the notes needs a right to the rest of the record first",
        (),
        NOT_COVERED,
        actor=GRACE,
        resource=NOTES | {"author": [reference(GRACE)]},
    ),
    Case(
        "breaking the glass opens no notes",
        (),
        NOT_COVERED,
        purpose="BTG",
        resource=NOTES,
        world=MEMBER,
    ),
    Case(
        "a denial of mental health is not about notes, which have a form of their own",
        (form(permit(to=PARTNER), "HIPAAPsyNotes"), form(deny(to=PARTNER, label="PSY"), id="b")),
        PERMIT,
        resource=NOTES,
    ),
    Case(
        "a denial of all that is specially protected closes notes",
        (form(permit(to=PARTNER), "HIPAAPsyNotes"), form(deny(to=PARTNER, label="SPI"), id="b")),
        DENY,
        resource=NOTES,
    ),
    Case(
        "a plan is not psychotherapy notes: MH alone does not seal it",
        (form(permit(to=PARTNER, label="MH")),),
        PERMIT,
        resource=record("CarePlan", "R MH"),
    ),
    # 42 CFR Part 2
    Case(
        "a Part 2 record is opened by a complete consent",
        (part_2(SIGNED),),
        PERMIT,
        resource=program(),
    ),
    Case(
        "a Part 2 record is not opened by a general authorization",
        (form(permit(to=PARTNER, label="R SUD")),),
        NOT_COVERED,
        resource=program(),
    ),
    Case(
        "a Part 2 record is not opened by opting in",
        (form(None, "OPTIN"),),
        NOT_COVERED,
        resource=program(),
    ),
    Case(
        "what is about substance use but of no program needs no Part 2 consent",
        (form(permit(to=PARTNER, label="SUD")),),
        PERMIT,
        resource=record(labels="R SUD"),
    ),
    Case(
        "without a signature it is incomplete",
        lacking("performer"),
        NOT_COVERED,
        resource=program(),
    ),
    Case(
        "without the signed form it is incomplete",
        lacking("sourceReference"),
        NOT_COVERED,
        resource=program(),
    ),
    Case("without a date it is incomplete", lacking("dateTime"), NOT_COVERED, resource=program()),
    Case(
        "without who discloses it is incomplete",
        lacking("organization"),
        NOT_COVERED,
        resource=program(),
    ),
    Case(
        "who discloses may be named as an actor",
        (
            {
                k: v
                for k, v in part_2(
                    rule(
                        "permit",
                        purpose="TREAT",
                        label="SUD",
                        period="2025-01-01/2025-12-31",
                        actor=[recipient(PARTNER), recipient(COUNTY, "CST")],
                    )
                ).items()
                if k != "organization"
            },
        ),
        PERMIT,
        resource=program(),
    ),
    Case(
        "without an end it is incomplete",
        (part_2(permit(to=PARTNER, purpose="HRESCH", label="SUD")),),
        NOT_COVERED,
        purpose="HRESCH",
        resource=program(),
    ),
    Case(
        "without a purpose it is incomplete",
        (part_2(permit(to=PARTNER, label="SUD", period="2025-01-01/2025-12-31")),),
        NOT_COVERED,
        resource=program(),
    ),
    Case(
        "without a description of the information it is incomplete",
        (part_2(permit(to=PARTNER, purpose="TREAT", period="2025-01-01/2025-12-31")),),
        NOT_COVERED,
        resource=program(),
    ),
    Case(
        "one consent for treatment, payment and operations needs no named recipient and no end",
        (part_2(USUAL),),
        PERMIT,
        resource=program(),
    ),
    Case(
        "one for research needs a named recipient",
        (part_2(permit(purpose="HRESCH", label="SUD", period="2025-01-01/2025-12-31")),),
        NOT_COVERED,
        purpose="HRESCH",
        resource=program(),
    ),
    Case(
        "legal proceedings need a consent of their own",
        (
            part_2(
                permit(
                    to=PARTNER, purpose="TREAT HLEGAL", label="SUD", period="2025-01-01/2025-12-31"
                )
            ),
        ),
        NOT_COVERED,
        resource=program(),
    ),
    Case(
        "a consent for legal proceedings alone is one",
        (
            part_2(
                permit(to=PARTNER, purpose="HLEGAL", label="SUD", period="2025-01-01/2025-12-31")
            ),
        ),
        PERMIT,
        purpose="HLEGAL",
        resource=program(),
    ),
    Case(
        "a Part 2 consent that has expired is invalid",
        (part_2(permit(to=PARTNER, purpose="TREAT", label="SUD", period="2024-01-01/2024-12-31")),),
        NOT_COVERED,
        resource=program(),
    ),
    Case(
        "a Part 2 consent that was revoked is invalid",
        (part_2(SIGNED, status="inactive"),),
        NOT_COVERED,
        resource=program(),
    ),
    Case(
        "an incomplete Part 2 consent still denies",
        (part_2(permit(deny(label="HIV"), to=PARTNER)),),
        DENY,
        resource=record(labels="HIV"),
    ),
    Case(
        "an incomplete Part 2 consent still opens what is not under Part 2",
        (part_2(permit(to=PARTNER)),),
        PERMIT,
    ),
    Case(
        "one consent for the usual purposes takes nothing else from the team",
        (part_2(permit(purpose="TREAT HPAYMT HOPERAT", label="SUD")),),
        PERMIT,
        resource=goal("it"),
        world=MEMBER,
    ),
    Case("the program uses its own records", (), PERMIT, actor=COUNTY, resource=program()),
    Case(
        "a member of the team does not see a Part 2 record",
        (),
        NOT_COVERED,
        resource=program(),
        world=MEMBER,
    ),
    Case(
        "a denial closes a Part 2 record whatever else was signed",
        (part_2(SIGNED), form(deny(to=PARTNER, label="SUD"), id="b")),
        DENY,
        resource=program(),
    ),
]
