"""What takes a denial back, and what does not; and who may use notes they wrote."""

from tests.build import concept, reference, related_person
from tests.consent.case import DENY, PERMIT, Case
from tests.consent.paper import COUNTY, INES, LOINC, PARTNER, Resource, deny, form, permit, record

EVERYTHING = form(permit(to=PARTNER, label="V"), id="b")


def coded(code: str) -> Resource:
    return record(code=concept(LOINC, code))


def guardian(why: str, expected: str, **period: str) -> Case:
    """Ines is permitted and denied, and a guardian at that time."""
    return Case(
        why,
        (form(deny(to=INES)), form(permit(to=INES), id="b")),
        expected,
        actor=INES,
        purpose="FAMRQT",
        world=(related_person(role="GUARD", period=period),),
    )


CASES = [
    Case(
        "an exception for a code alone takes a denial back",
        (form(deny(permit(code=f"{LOINC}#8867-4"), to=PARTNER)),),
        PERMIT,
        resource=coded("8867-4"),
    ),
    Case(
        "an exception for a code takes back no denial of another",
        (form(deny(permit(code=f"{LOINC}#8867-4"), to=PARTNER)), EVERYTHING),
        DENY,
        resource=coded("8310-5"),
    ),
    Case(
        "an exception for a kind takes the denial of that kind back, whatever else it is",
        (form(deny(permit(label="HIV"), to=PARTNER, label="HIV")), EVERYTHING),
        PERMIT,
        resource=record(labels="HIV PSY"),
    ),
    Case(
        "an exception for another kind takes back nothing of that kind",
        (form(deny(permit(label="PSY"), to=PARTNER, label="HIV")), EVERYTHING),
        DENY,
        resource=record(labels="HIV PSY"),
    ),
    Case(
        "an exception for another action takes nothing back",
        (form(deny(permit(action="disclose"), to=PARTNER)), EVERYTHING),
        DENY,
    ),
    Case(
        "an exception for the action takes the denial back",
        (form(deny(permit(action="access"), to=PARTNER)),),
        PERMIT,
    ),
    Case(
        "an exception whose time is over takes nothing back",
        (form(deny(permit(period="2020-01-01/2024-12-31"), to=PARTNER)), EVERYTHING),
        DENY,
    ),
    Case(
        "an exception whose time has not come takes nothing back",
        (form(deny(permit(period="2090-01-01/"), to=PARTNER)), EVERYTHING),
        DENY,
    ),
    Case(
        "an exception that opens the notes takes the denial of them back",
        (form(deny(permit(label="V"), to=PARTNER), "HIPAAPsyNotes"),),
        PERMIT,
        resource=record("DocumentReference", "R PSYTHPN"),
    ),
    guardian("a guardian is beyond denials", PERMIT, start="2024-01-01"),
    guardian("who was a guardian is denied like others", DENY, end="2024-12-31"),
    guardian("who will be a guardian is denied like others", DENY, start="2090-01-01"),
    Case(
        "who keeps the record and wrote the notes uses them",
        (),
        PERMIT,
        actor=COUNTY,
        resource=record("DocumentReference", "R PSYTHPN", author=[reference(COUNTY)]),
    ),
]
