"""What whoever acts on a decision owes in return, and how a decision is told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.consent.decision import Decision, Facts, Request, combine, decide, obligations
from app.consent.policy import OWN
from app.consent.rules import rules
from app.consent.sensitivity import PART_2
from app.fhir.marks import Marks
from tests.build import consent

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


def test_of_several_patients_the_strictest_decides() -> None:
    permit, deny = Decision("permit", "a"), Decision("deny", "b")
    open_ = Decision("not-covered", "c")
    assert combine([permit, open_, deny]) == deny
    assert combine([permit, open_]) == open_
    assert combine([permit, permit]) == permit
    assert combine([]).outcome == "not-covered"
