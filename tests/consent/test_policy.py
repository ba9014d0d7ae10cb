"""What a relationship opens by itself: by basis, for a purpose and an action. Pure."""

import pytest

from app.consent.policy import CUSTODIAN, GUARDIAN, MEMBER, OWN, RESCUER, standings
from app.consent.purpose import BREAK_GLASS, PURPOSES, broader
from app.fhir.access import Standing

ALWAYS = (OWN, GUARDIAN)


@pytest.mark.parametrize(
    ("purpose", "action", "expected"),
    [
        ("TREAT", "access", (CUSTODIAN, MEMBER)),
        ("COC", "access", (CUSTODIAN, MEMBER)),
        ("CAREMGT", "access", (CUSTODIAN, MEMBER)),
        ("PATRQT", "access", (CUSTODIAN, MEMBER)),
        ("HCOMPL", "access", (CUSTODIAN, MEMBER)),
        ("HPAYMT", "access", (CUSTODIAN,)),
        ("HPAYMT", "collect", (CUSTODIAN,)),
        ("HPAYMT", "correct", (CUSTODIAN,)),
        ("TREAT", "collect", (CUSTODIAN, RESCUER)),
        ("TREAT", "correct", (CUSTODIAN, MEMBER)),
        ("HRESCH", "access", ()),
        ("HRESCH", "collect", ()),
        ("HMARKT", "access", ()),
        (BREAK_GLASS, "access", (CUSTODIAN, RESCUER)),
        ("ETREAT", "correct", (CUSTODIAN, RESCUER)),
    ],
)
def test_what_is_open_without_a_consent(
    purpose: str, action: str, expected: tuple[Standing, ...]
) -> None:
    assert standings(broader(purpose), (action,)) == (*ALWAYS, *expected)


def test_no_purpose_opens_nothing_but_ones_own() -> None:
    assert standings((), ("access",)) == ALWAYS
    assert standings(("PurposeOfUse",), ("access", "collect")) == ALWAYS


def test_a_purpose_is_of_every_broader_kind() -> None:
    assert broader("BTG") == ("BTG", "ETREAT", "PurposeOfUse", "TREAT")
    assert broader("TREAT", "HPAYMT") == ("HPAYMT", "PurposeOfUse", "TREAT")
    assert broader("WHAT", "TREAT") == ("PurposeOfUse", "TREAT")
    assert broader() == ()
    assert all("PurposeOfUse" in broader(code) for code in PURPOSES)
