"""What holds without a consent: the implicit policy, the own record."""

from tests.build import patient, related_person
from tests.consent.case import DENY, NOT_COVERED, PERMIT, Case
from tests.consent.paper import (
    ADA,
    COUNTY,
    GRACE,
    INES,
    MEMBER,
    PARTNER,
    ROLE,
    deny,
    form,
    program,
    record,
    reference,
    team,
)

GUARDIAN = (related_person(role="GUARD"),)


CASES = [
    # implicit policy
    Case("a member of the team sees what is ordinary, for treatment", (), PERMIT, world=MEMBER),
    Case(
        "a member of the team sees it to coordinate care", (), PERMIT, purpose="COC", world=MEMBER
    ),
    Case(
        "a member of the team sees it to manage care", (), PERMIT, purpose="CAREMGT", world=MEMBER
    ),
    Case(
        "a relative in the team sees it as the person asked",
        (),
        PERMIT,
        actor=INES,
        purpose="FAMRQT",
        world=(related_person(), team(INES)),
    ),
    Case(
        "a member of the team does not see what is restricted",
        (),
        NOT_COVERED,
        resource=record(labels="R"),
        world=MEMBER,
    ),
    Case(
        "a member of the team does not see what is sensitive, though it be normal",
        (),
        NOT_COVERED,
        resource=record(labels="N HIV"),
        world=MEMBER,
    ),
    Case(
        "a member of the team sees nothing for payment",
        (),
        NOT_COVERED,
        purpose="HPAYMT",
        world=MEMBER,
    ),
    Case(
        "a member of the team sees nothing for research",
        (),
        NOT_COVERED,
        purpose="HRESCH",
        world=MEMBER,
    ),
    Case(
        "a member of the team may write what he may see", (), PERMIT, action="correct", world=MEMBER
    ),
    Case(
        "a member of the team may add what is sensitive: that tells him nothing",
        (),
        PERMIT,
        action="collect correct",
        resource=record(labels="HIV"),
        world=MEMBER,
    ),
    Case(
        "a member of the team may not change what is sensitive",
        (),
        NOT_COVERED,
        action="correct",
        resource=record(labels="HIV"),
        world=MEMBER,
    ),
    Case("a member by a role is a member", (), PERMIT, actor=GRACE, world=(team(ROLE),)),
    Case("the organization a member works for is one too", (), PERMIT, world=(team(ROLE),)),
    Case(
        "a membership that is over is none",
        (),
        NOT_COVERED,
        world=(
            team()
            | {"participant": [{"member": reference(PARTNER), "period": {"end": "2024-12-31"}}]},
        ),
    ),
    Case(
        "a team that is over is none",
        (),
        NOT_COVERED,
        world=(team(PARTNER) | {"period": {"end": "2024-12-31"}},),
    ),
    Case(
        "another's team is not this person's",
        (),
        NOT_COVERED,
        world=(team(PARTNER, patient="Patient/ben"), patient("ben", COUNTY)),
    ),
    Case("a denial takes the team's right", (form(deny(to=PARTNER)),), DENY, world=MEMBER),
    Case(
        "a denial of one label leaves the rest",
        (form(deny(to=PARTNER, label="R")),),
        PERMIT,
        world=MEMBER,
    ),
    Case(
        "who keeps the record sees all of it, for treatment",
        (),
        PERMIT,
        actor=COUNTY,
        resource=record(labels="R HIV"),
    ),
    Case("who keeps the record sees it for payment", (), PERMIT, actor=COUNTY, purpose="HPAYMT"),
    Case(
        "who keeps the record sees it for operations", (), PERMIT, actor=COUNTY, purpose="HQUALIMP"
    ),
    Case(
        "who keeps the record sees nothing for research",
        (),
        NOT_COVERED,
        actor=COUNTY,
        purpose="HRESCH",
    ),
    Case(
        "who keeps the record sees nothing for marketing",
        (),
        NOT_COVERED,
        actor=COUNTY,
        purpose="HMARKT",
    ),
    Case(
        "who keeps the record may be denied one label",
        (form(deny(to=COUNTY, label="HIV")),),
        DENY,
        actor=COUNTY,
        resource=record(labels="HIV"),
    ),
    Case("a stranger sees nothing", (), NOT_COVERED),
    # own record
    Case("the person sees what is ordinary", (), PERMIT, actor=ADA, purpose="PATRQT"),
    Case(
        "the person sees what is sensitive",
        (),
        PERMIT,
        actor=ADA,
        purpose="PATRQT",
        resource=record(labels="V HIV"),
    ),
    Case(
        "the person sees it though she refused everyone",
        (form(deny()),),
        PERMIT,
        actor=ADA,
        purpose="PATRQT",
    ),
    Case(
        "the person sees records of a Part 2 program",
        (),
        PERMIT,
        actor=ADA,
        purpose="PATRQT",
        resource=program(),
    ),
    Case("the person writes to it", (), PERMIT, actor=ADA, purpose="PATRQT", action="correct"),
    Case(
        "another person does not",
        (),
        NOT_COVERED,
        actor="Patient/ben",
        purpose="PATRQT",
        world=(patient("ben", COUNTY),),
    ),
    Case(
        "a guardian sees it",
        (),
        PERMIT,
        actor=INES,
        purpose="PWATRNY",
        resource=record(labels="R PSY"),
        world=GUARDIAN,
    ),
    Case(
        "a guardian sees it though everyone was refused",
        (form(deny()),),
        PERMIT,
        actor=INES,
        purpose="PWATRNY",
        world=GUARDIAN,
    ),
    Case(
        "an attorney in fact is a guardian",
        (),
        PERMIT,
        actor=INES,
        purpose="PWATRNY",
        world=(related_person(role="HPOWATT"),),
    ),
    Case(
        "a guardianship that is over is none",
        (),
        NOT_COVERED,
        actor=INES,
        purpose="PWATRNY",
        world=(related_person(role="GUARD", period={"end": "2024-12-31"}),),
    ),
    Case(
        "a guardian who is not active any more is none",
        (),
        NOT_COVERED,
        actor=INES,
        purpose="PWATRNY",
        world=(related_person(role="GUARD", active=False),),
    ),
    Case(
        "a sister is no guardian",
        (),
        NOT_COVERED,
        actor=INES,
        purpose="FAMRQT",
        world=(related_person(role="SIS"),),
    ),
    Case(
        "a sister who was denied stays out though she is in the team",
        (form(deny(to=INES)),),
        DENY,
        actor=INES,
        purpose="FAMRQT",
        world=(related_person(), team(INES)),
    ),
]
