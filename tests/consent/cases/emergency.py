"""Breaking the glass."""

from tests.consent.case import DENY, NOT_COVERED, PERMIT, Case
from tests.consent.paper import MEMBER, PARTNER, deny, form, permit, program, record

CASES = [
    Case(
        "a member of the team who breaks the glass sees what is restricted",
        (),
        PERMIT,
        purpose="BTG",
        resource=record(labels="R HIV"),
        world=MEMBER,
    ),
    Case(
        "in an emergency a member of the team sees a Part 2 record (2.51)",
        (),
        PERMIT,
        purpose="ETREAT",
        resource=program(),
        world=MEMBER,
    ),
    Case("a stranger who breaks the glass sees nothing", (), NOT_COVERED, purpose="BTG"),
    Case(
        "breaking the glass does not break a denial",
        (form(deny(to=PARTNER)),),
        DENY,
        purpose="BTG",
        world=MEMBER,
    ),
    Case(
        "a denial that excepts emergencies yields to them",
        (form(deny(permit(purpose="ETREAT"), to=PARTNER)),),
        PERMIT,
        purpose="BTG",
        world=MEMBER,
    ),
    Case(
        "a denial of treatment is one of emergency treatment",
        (form(deny(to=PARTNER, purpose="TREAT")),),
        DENY,
        purpose="BTG",
        world=MEMBER,
    ),
    Case(
        "a denial of payment is none of emergency treatment",
        (form(deny(to=PARTNER, purpose="HPAYMT")),),
        PERMIT,
        purpose="BTG",
        world=MEMBER,
    ),
    Case(
        "a provision for emergencies opens to a stranger whom it names",
        (form(permit(to=PARTNER, purpose="ETREAT")),),
        PERMIT,
        purpose="BTG",
    ),
    Case(
        "a provision for emergencies is not for every day",
        (form(permit(to=PARTNER, purpose="ETREAT")),),
        NOT_COVERED,
    ),
]
