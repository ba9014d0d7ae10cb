"""To what a provision extends: confidentiality and sensitivity."""

from tests.consent.case import DENY, NOT_COVERED, PERMIT, Case
from tests.consent.paper import PARTNER, but, coding, deny, form, only, permit, record, rule

CASES = [
    # confidentiality
    Case("a permit for normal opens what has no label, which is normal", only(label="N"), PERMIT),
    Case(
        "a permit for normal opens what is lower",
        only(label="N"),
        PERMIT,
        resource=record(labels="L"),
    ),
    Case(
        "a permit for normal does not open what is restricted",
        only(label="N"),
        NOT_COVERED,
        resource=record(labels="R"),
    ),
    Case(
        "a permit for restricted applies to restricted or lower (R4: high water mark)",
        only(label="R"),
        PERMIT,
        resource=record(labels="N"),
    ),
    Case(
        "a permit for restricted opens what is restricted",
        only(label="R"),
        PERMIT,
        resource=record(labels="R"),
    ),
    Case(
        "a permit for restricted does not open what is very restricted",
        only(label="R"),
        NOT_COVERED,
        resource=record(labels="V"),
    ),
    Case("a permit for low does not open what is normal", only(label="L"), NOT_COVERED),
    Case(
        "of several levels in a permit the highest counts",
        only(label="N R"),
        PERMIT,
        resource=record(labels="R"),
    ),
    Case(
        "a denial of restricted closes what is restricted",
        but(deny(label="R")),
        DENY,
        resource=record(labels="R"),
        by="Consent.provision.provision[0]",
    ),
    Case(
        "a denial of restricted closes what is even more so",
        but(deny(label="R")),
        DENY,
        resource=record(labels="V"),
    ),
    Case("a denial of restricted leaves what is normal", but(deny(label="R")), PERMIT),
    Case("a denial of normal closes what has no label", but(deny(label="N")), DENY),
    Case(
        "a permit without labels opens every label", only(), PERMIT, resource=record(labels="V HIV")
    ),
    Case(
        "of two levels on a resource the higher counts",
        only(label="N"),
        NOT_COVERED,
        resource=record(labels="N R"),
    ),
    # sensitivity
    Case(
        "a permit for a sensitivity opens what bears it",
        only(label="HIV"),
        PERMIT,
        resource=record(labels="R HIV"),
    ),
    Case(
        "a permit for a sensitivity says nothing about another",
        only(label="HIV"),
        NOT_COVERED,
        resource=record(labels="R PSY"),
    ),
    Case(
        "a denial of a sensitivity closes what bears it",
        but(deny(label="HIV")),
        DENY,
        resource=record(labels="HIV"),
    ),
    Case(
        "a denial of a sensitivity leaves what does not bear it",
        but(deny(label="HIV")),
        PERMIT,
        resource=record(labels="R"),
    ),
    Case(
        "what is sensitive is restricted when nobody says how much",
        only(label="N"),
        NOT_COVERED,
        resource=record(labels="HIV"),
    ),
    Case(
        "a permit for restricted opens the sensitive that is restricted",
        only(label="R"),
        PERMIT,
        resource=record(labels="HIV"),
    ),
    Case(
        "a permit for substance use opens alcohol: a kind of it",
        only(label="SUD"),
        PERMIT,
        resource=record(labels="ETHUD"),
    ),
    Case(
        "ETH and SUD are two names of one thing",
        only(label="ETH"),
        PERMIT,
        resource=record(labels="SUD"),
    ),
    Case(
        "ETH covers opioids as SUD does",
        only(label="ETH"),
        PERMIT,
        resource=record(labels="OPIOIDUD"),
    ),
    Case(
        "a permit for alcohol is not one for opioids",
        only(label="ETHUD"),
        NOT_COVERED,
        resource=record(labels="OPIOIDUD"),
    ),
    Case(
        "a permit for alcohol does not open what is only known to be substance use",
        only(label="ETHUD"),
        NOT_COVERED,
        resource=record(labels="SUD"),
    ),
    Case(
        "a denial of opioids closes what may be about opioids",
        but(deny(label="OPIOIDUD")),
        DENY,
        resource=record(labels="ETH"),
    ),
    Case(
        "a denial of opioids leaves alcohol",
        but(deny(label="OPIOIDUD")),
        PERMIT,
        resource=record(labels="ETHUD"),
    ),
    Case(
        "MH and PSY are two names of one thing",
        only(label="PSY"),
        PERMIT,
        resource=record(labels="MH"),
    ),
    Case("a denial of PSY closes MH", but(deny(label="PSY")), DENY, resource=record(labels="MH")),
    Case(
        "behavioral health covers developmental disability",
        only(label="BH"),
        PERMIT,
        resource=record(labels="DVD"),
    ),
    Case(
        "specially protected covers behavioral health",
        only(label="SPI"),
        PERMIT,
        resource=record(labels="DVD"),
    ),
    Case(
        "specially protected does not cover HIV, which stands beside it",
        only(label="SPI"),
        NOT_COVERED,
        resource=record(labels="HIV"),
    ),
    Case(
        "a permit for developmental disability is not one for all behavioral health",
        only(label="DVD"),
        NOT_COVERED,
        resource=record(labels="BH"),
    ),
    Case(
        "two sensitivities need two permits",
        only(label="HIV"),
        NOT_COVERED,
        resource=record(labels="HIV SDV"),
    ),
    Case(
        "two labels in one permit open what bears both",
        only(label="HIV SDV"),
        PERMIT,
        resource=record(labels="HIV SDV"),
    ),
    Case(
        "two consents open what bears both their labels",
        (form(permit(to=PARTNER, label="HIV")), form(permit(to=PARTNER, label="SDV"), id="b")),
        PERMIT,
        resource=record(labels="HIV SDV"),
    ),
    Case(
        "two nested permits open what bears both their labels",
        (form(permit(permit(label="HIV"), permit(label="SDV"), to=PARTNER, label="N")),),
        PERMIT,
        resource=record(labels="HIV SDV"),
    ),
    Case(
        "one denied sensitivity closes what bears two",
        but(deny(label="SDV")),
        DENY,
        resource=record(labels="HIV SDV"),
    ),
    Case(
        "a retired code of the confidentiality system names the same sensitivity",
        but(rule("deny", securityLabel=[coding("level", "PSY")])),
        DENY,
        resource=record(labels="PSY"),
    ),
    Case(
        "a label we do not know opens nothing",
        (form(rule("permit", to=PARTNER, securityLabel=[coding("urn:x", "SECRET")])),),
        NOT_COVERED,
    ),
    Case(
        "a denial of a label we do not know closes everything",
        but(rule("deny", securityLabel=[coding("urn:x", "SECRET")])),
        DENY,
    ),
]
