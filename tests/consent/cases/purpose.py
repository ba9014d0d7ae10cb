"""For what a provision applies: purposes and actions."""

from tests.consent.case import DENY, NOT_COVERED, PERMIT, Case
from tests.consent.paper import PARTNER, deny, form, permit, rule, team

CASES = [
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
]
