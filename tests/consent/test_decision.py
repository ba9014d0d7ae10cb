"""What whoever acts on a decision owes in return, and how a decision is told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.consent.decision import Decision, Facts, Request, decide, obligations
from app.consent.policy import CUSTODIAN, OWN
from app.consent.provisions import Terms
from app.consent.rules import Rule, rules
from app.consent.sensitivity import PART_2
from app.fhir.marks import Marks
from app.fhir.search.parameters.date import EARLIEST, LATEST
from tests.build import HL7, consent
from tests.consent.case import BASE
from tests.consent.paper import form, part_2, permit, recipient

PSY = {"system": f"{HL7}/v3-ActCode", "code": "PSY"}
OF_PSY = {"provision": {"type": "permit", "securityLabel": [PSY]}}
NOW = datetime(2026, 3, 4, tzinfo=UTC)
PLAIN = Marks(3, (), (), (), None, None)


def request(*purposes: str) -> Request:
    me = frozenset({"Practitioner/grace"})
    return Request(me, me, frozenset(purposes), frozenset({"access"}), NOW)


@pytest.mark.parametrize(
    ("purposes", "marks", "owed"),
    [
        (("TREAT",), PLAIN, ()),
        (("TREAT", "ETREAT"), PLAIN, ("alert", "log", "reason")),
        (("TREAT",), replace(PLAIN, labels=("PSY",)), ("PERSISTLABEL",)),
        (("TREAT",), replace(PLAIN, seals=(PART_2,)), ("NORDSCLCD", "log", "notice")),
        (
            ("ETREAT", "BTG"),
            replace(PLAIN, labels=("ETH",), seals=(PART_2,)),
            ("NORDSCLCD", "PERSISTLABEL", "alert", "log", "notice", "reason"),
        ),
    ],
)
def test_what_is_owed(purposes: tuple[str, ...], marks: Marks, owed: tuple[str, ...]) -> None:
    assert obligations(request(*purposes), Facts(marks)) == owed


def test_the_own_record_is_permitted_and_owes_what_others_owe() -> None:
    facts = Facts(replace(PLAIN, labels=("PSY",)))
    made = decide([], [OWN], request("PATRQT"), facts)
    assert made == Decision("permit", "as own", obligations=("PERSISTLABEL",))


def by_consent(kind: str) -> Decision:
    made = rules(consent("Practitioner/grace", kind), "http://h")
    return decide(made, [], request("TREAT"), Facts(replace(PLAIN, labels=("PSY",))))


def test_a_permission_names_its_provision_and_what_is_owed() -> None:
    made = by_consent("permit")
    owed = ("PERSISTLABEL",)
    said = ("permitted by a consent", "ada-consent", "Consent.provision")
    assert made == Decision("permit", *said, owed)


def test_a_denial_names_its_provision_and_nothing_is_owed() -> None:
    said = ("denied by a consent", "ada-consent", "Consent.provision")
    assert by_consent("deny") == Decision("deny", *said)


def test_a_consent_is_named_before_a_relationship_that_opens_the_same() -> None:
    made = rules(consent("Practitioner/grace"), "http://h")
    assert decide(made, [CUSTODIAN], request("TREAT"), Facts(PLAIN)).consent == "ada-consent"


def test_a_denial_from_which_somebody_is_free_permits_nothing() -> None:
    notes = Facts(replace(PLAIN, seals=("PSYTHPN",)))
    made = rules(consent("Practitioner/grace", "deny"), "http://h")
    assert decide(made, [OWN], request("PATRQT"), notes).outcome == "not-covered"


def test_a_relationship_opens_what_consents_open_in_part() -> None:
    made = rules(consent("Practitioner/grace", **OF_PSY), "http://h")
    facts = Facts(replace(PLAIN, confidentiality=4, labels=("HIV", "PSY")))
    assert decide(made, [], request("TREAT"), facts).outcome == "not-covered"
    assert decide(made, [CUSTODIAN], request("TREAT"), facts).reason == "as custodian"


DAYS = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 8)]


@pytest.mark.parametrize(
    ("kind", "lo", "hi", "expected"),
    [
        ("permit", 2, 4, "permit"),
        ("permit", 3, 3, "permit"),
        ("permit", 1, 3, "not-covered"),
        ("permit", 3, 5, "not-covered"),
        ("deny", 2, 4, "deny"),
        ("deny", 0, 3, "deny"),
        ("deny", 3, 6, "deny"),
        ("deny", 0, 2, "not-covered"),
        ("deny", 4, 6, "not-covered"),
        ("deny", 5, 6, "not-covered"),
    ],
)
def test_a_permit_covers_what_is_within_its_time_a_denial_what_touches_it(
    kind: str, lo: int, hi: int, expected: str
) -> None:
    rule = Rule(
        *("Consent", "ada", "0.", kind == "permit"),
        Terms(time=(DAYS[2], DAYS[4])),
        *(EARLIEST, LATEST, 0, EARLIEST),
    )
    facts = Facts(replace(PLAIN, lo=DAYS[lo], hi=DAYS[hi]))
    assert decide([rule], [], request("TREAT"), facts).outcome == expected


def test_a_whole_consent_opens_part_2_only_if_it_says_that_it_does() -> None:
    """42 CFR 2.31: what it holds and what it is based on are two things."""
    provision = permit(to="Practitioner/grace", purpose="TREAT", label="SUD")
    provision["period"] = {"start": "2020-01-01", "end": "2090-12-31"}
    paper = part_2(provision)
    assert PART_2 in {seal for rule in rules(paper, BASE) for seal in rule.opens}
    other = {"coding": [{"system": "http://h", "code": "hipaa-auth"}]}
    assert [rule.opens for rule in rules(paper | {"policyRule": other}, BASE) if rule.opens] == []


def test_a_root_without_a_type_leaves_the_base_to_the_policy() -> None:
    root = {"actor": [recipient("Practitioner/grace")]}
    [base, *_] = rules(form(root, "OPTOUT"), BASE)
    assert base.permits is False
