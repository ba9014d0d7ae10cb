"""What is labelled by its codes."""

from tests.build import concept
from tests.consent.case import DENY, NOT_COVERED, PERMIT, Case
from tests.consent.paper import ICD, PARTNER, SNOMED, Resource, but, deny, only, record, team


def diagnosis(code: str, labels: str = "") -> Resource:
    return record("Condition", labels, code=concept(ICD, code))


CASES = [
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
]
