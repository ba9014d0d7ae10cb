"""To what a provision extends: classes, codes, time, resources."""

from tests.build import concept, goal, reference
from tests.consent.case import DENY, NOT_COVERED, PERMIT, Case
from tests.consent.paper import (
    COUNTY,
    GRACE,
    LOINC,
    PARTNER,
    SNOMED,
    Resource,
    but,
    coding,
    deny,
    form,
    only,
    record,
    rule,
    team,
)


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


CASES = [
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
