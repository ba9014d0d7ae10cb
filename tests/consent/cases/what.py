"""To what a provision extends: labels, classes, codes, time, resources."""

from tests.build import concept, goal, reference
from tests.consent.case import DENY, NOT_COVERED, PERMIT, Case
from tests.consent.paper import (
    COUNTY,
    GRACE,
    ICD,
    LOINC,
    PARTNER,
    SNOMED,
    Resource,
    coding,
    deny,
    form,
    permit,
    record,
    rule,
    team,
)

OPEN = permit(to=PARTNER, label="V")
"""Opens all that the partner may be shown at all."""


def diagnosis(code: str, labels: str = "") -> Resource:
    return record("Condition", labels, code=concept(ICD, code))


def at(day: str) -> Resource:
    return record(effectiveDateTime=day)


def encounter(period: Resource | None) -> Resource:
    return record("Encounter") | ({"period": period} if period else {})


def noted(encounter: str = "Encounter/visit") -> Resource:
    return record(encounter=reference(encounter))


VISIT = {"resourceType": "Encounter", "id": "visit", "subject": reference("Patient/ada")}
ABOUT = {
    "resourceType": "CarePlan",
    "id": "frame",
    "subject": reference("Patient/ada"),
    "goal": [reference("Goal/it")],
}
ATTESTED = {
    "resourceType": "Provenance",
    "id": "p",
    "target": [reference("Observation/it")],
    "agent": [{"who": reference(GRACE)}],
}


def but(*exceptions: Resource) -> tuple[Resource, ...]:
    """A permit of everything to the partner, exceptions within."""
    return (form(permit(*exceptions, to=PARTNER, label="V")),)


def only(**limits: object) -> tuple[Resource, ...]:
    return (form(permit(to=PARTNER, **limits)),)


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
    # the label service
    Case(
        "a code of depression is psychiatric information",
        but(deny(label="PSY")),
        DENY,
        resource=diagnosis("F33.1"),
    ),
    Case(
        "a SNOMED code counts as an ICD code does",
        but(deny(label="PSY")),
        DENY,
        resource=record("Condition", code=concept(SNOMED, "66344007")),
    ),
    Case(
        "a code of alcohol dependence is substance use",
        but(deny(label="SUD")),
        DENY,
        resource=diagnosis("F10.20"),
    ),
    Case(
        "a code of opioid dependence is not alcohol",
        but(deny(label="ETHUD")),
        PERMIT,
        resource=diagnosis("F11.20"),
    ),
    Case(
        "nicotine is not substance use as the law protects it",
        but(deny(label="SUD")),
        PERMIT,
        resource=diagnosis("F17.210"),
    ),
    Case(
        "a code of HIV is HIV information", but(deny(label="HIV")), DENY, resource=diagnosis("B20")
    ),
    Case(
        "a code of abuse is about violence",
        but(deny(label="SDV")),
        DENY,
        resource=diagnosis("T74.11XA"),
    ),
    Case(
        "a code is found where it stands, as a reason too",
        but(deny(label="HIV")),
        DENY,
        resource=record("ServiceRequest", reasonCode=[concept(ICD, "Z21")]),
    ),
    Case(
        "a code does not lower what its author labelled",
        only(label="N"),
        NOT_COVERED,
        resource=diagnosis("M54.5", "R"),
    ),
    Case(
        "a code does not lower the level of a label",
        only(label="HIV"),
        PERMIT,
        resource=diagnosis("B20", "V"),
    ),
    Case("an ordinary code bears no label", only(label="N"), PERMIT, resource=diagnosis("M54.5")),
    Case(
        "what a code tells is sensitive to the team as well",
        (),
        NOT_COVERED,
        resource=diagnosis("F33.1"),
        world=(team(PARTNER),),
    ),
    # class
    Case("a class is a resource type", only(type_="Observation"), PERMIT),
    Case("another type is another class", only(type_="Goal"), NOT_COVERED),
    Case("several classes are alternatives", only(type_="Goal Observation"), PERMIT),
    Case("a denial of a class closes that type", but(deny(type_="Observation")), DENY),
    Case(
        "a class can be a profile",
        (
            form(
                rule(
                    "permit",
                    to=PARTNER,
                    **{"class": [coding("urn:ietf:rfc:3986", "http://example.org/p")]},
                )
            ),
        ),
        PERMIT,
        resource=record(meta={"profile": ["http://example.org/p|1.0"]}),
    ),
    Case(
        "a class can be a kind of document",
        (form(rule("permit", to=PARTNER, **{"class": [coding(LOINC, "18842-5")]})),),
        PERMIT,
        resource=record("DocumentReference", type=concept(LOINC, "18842-5")),
    ),
    Case(
        "class and label must both hold: elements are joined by and",
        only(type_="Observation", label="HIV"),
        NOT_COVERED,
    ),
    # code
    Case(
        "a code anywhere in the resource matches",
        only(code=f"{LOINC}#8867-4"),
        PERMIT,
        resource=record(code=concept(LOINC, "8867-4")),
    ),
    Case(
        "without the code the rule does not match",
        only(code=f"{LOINC}#8867-4"),
        NOT_COVERED,
        resource=record(code=concept(LOINC, "29463-7")),
    ),
    Case(
        "a code of another system is another code",
        only(code=f"{LOINC}#8867-4"),
        NOT_COVERED,
        resource=record(code=concept(SNOMED, "8867-4")),
    ),
    Case(
        "a denied code closes what holds it",
        but(deny(code=f"{SNOMED}#84757009")),
        DENY,
        resource=record("Condition", code=concept(SNOMED, "84757009")),
    ),
    Case(
        "a denied code closes what holds it as a reason",
        but(deny(code=f"{SNOMED}#84757009")),
        DENY,
        resource=record("ServiceRequest", reasonCode=[concept(SNOMED, "84757009")]),
    ),
    Case(
        "a code that is text only opens nothing",
        (form(rule("permit", to=PARTNER) | {"code": [{"text": "heart rate"}]}),),
        NOT_COVERED,
    ),
    Case(
        "a denied code that is text only closes everything",
        but(rule("deny") | {"code": [{"text": "heart rate"}]}),
        DENY,
    ),
    # clinical time
    Case(
        "data of the year is opened by a permit for the year",
        only(time="2022/2022"),
        PERMIT,
        resource=at("2022-07-01"),
    ),
    Case(
        "data of another year is not",
        only(time="2022/2022"),
        NOT_COVERED,
        resource=at("2023-01-01"),
    ),
    Case(
        "the last day of the data period belongs to it",
        only(time="2022-01-01/2022-12-31"),
        PERMIT,
        resource=at("2022-12-31"),
    ),
    Case(
        "what lies only partly within is not opened",
        only(time="2022/2022"),
        NOT_COVERED,
        resource=encounter({"start": "2022-12-30", "end": "2023-01-02"}),
    ),
    Case(
        "what touches a denied time is closed",
        but(deny(time="2022/2022")),
        DENY,
        resource=encounter({"start": "2022-12-30", "end": "2023-01-02"}),
    ),
    Case(
        "what lies outside a denied time is not",
        but(deny(time="2022/2022")),
        PERMIT,
        resource=at("2023-01-01"),
    ),
    Case(
        "what names no time is not opened by a permit for some time",
        only(time="2022/2022"),
        NOT_COVERED,
    ),
    Case(
        "what names no time is closed by a denial of some time", but(deny(time="2022/2022")), DENY
    ),
    Case(
        "what goes on is not within a time that ends",
        only(time="2022/2022"),
        NOT_COVERED,
        resource=encounter({"start": "2022-03-01"}),
    ),
    Case(
        "a data period without an end goes on",
        only(time="2022/"),
        PERMIT,
        resource=encounter({"start": "2022-03-01"}),
    ),
    Case(
        "a permit for one year's data closes the rest to the team (PCF, only timeframe)",
        only(time="2022/2022"),
        NOT_COVERED,
        resource=at("2023-01-01"),
        world=(team(PARTNER),),
    ),
    # data
    Case("an instance is the resource itself", only(data="instance:Observation/it"), PERMIT),
    Case("another instance is not", only(data="instance:Observation/other"), NOT_COVERED),
    Case("a denied instance is closed", but(deny(data="instance:Observation/it")), DENY),
    Case(
        "instances are alternatives", only(data="instance:Goal/x instance:Observation/it"), PERMIT
    ),
    Case(
        "an instance does not bring along what refers to it",
        only(data="instance:Encounter/visit"),
        NOT_COVERED,
        resource=noted(),
    ),
    Case(
        "dependents are what refers to it",
        only(data="dependents:Encounter/visit"),
        PERMIT,
        resource=noted(),
    ),
    Case("dependents include the resource itself", only(data="dependents:Observation/it"), PERMIT),
    Case(
        "dependents of another are not meant",
        only(data="dependents:Encounter/other"),
        NOT_COVERED,
        resource=noted(),
    ),
    Case(
        "related is what it refers to",
        only(data="related:CarePlan/frame"),
        PERMIT,
        resource=goal("it"),
        world=(ABOUT,),
    ),
    Case("related includes the resource itself", only(data="related:Observation/it"), PERMIT),
    Case(
        "related is not what refers to it, in a permit",
        only(data="related:Encounter/visit"),
        NOT_COVERED,
        resource=noted(),
        world=(VISIT,),
    ),
    Case(
        "a denial of related closes what refers to it too, as some guides write it (PCF)",
        but(deny(data="related:Encounter/visit")),
        DENY,
        resource=noted(),
        world=(VISIT,),
    ),
    Case(
        "authored by is who performed it",
        only(data=f"authoredby:{GRACE}"),
        PERMIT,
        resource=record(performer=[reference(GRACE)]),
    ),
    Case(
        "authored by another is not",
        only(data=f"authoredby:{GRACE}"),
        NOT_COVERED,
        resource=record(performer=[reference("Practitioner/else")]),
    ),
    Case(
        "a mention is not authorship",
        only(data=f"authoredby:{GRACE}"),
        NOT_COVERED,
        resource=record(focus=[reference(GRACE)]),
    ),
    Case(
        "who asserts a condition is its author",
        but(deny(data=f"authoredby:{GRACE}")),
        DENY,
        resource=record("Condition", asserter=reference(GRACE)),
    ),
    Case(
        "who performed a procedure is its author",
        but(deny(data=f"authoredby:{GRACE}")),
        DENY,
        resource=record("Procedure", performer=[{"actor": reference(GRACE)}]),
    ),
    Case(
        "whom a Provenance calls author is the author",
        but(deny(data=f"authoredby:{GRACE}")),
        DENY,
        world=(ATTESTED,),
    ),
    Case(
        "data that names nothing we know opens nothing",
        (
            form(
                rule("permit", to=PARTNER)
                | {"data": [{"meaning": "instance", "reference": {"display": "it"}}]}
            ),
        ),
        NOT_COVERED,
    ),
    # to whom the list does not apply
    Case(
        "a list for the partner limits nothing for who keeps the record",
        only(code=f"{LOINC}#1-8"),
        PERMIT,
        actor=COUNTY,
    ),
]
