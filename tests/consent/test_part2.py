"""42 CFR 2.31(a): what a Consent still lacks before it opens records of a Part 2 program. Pure."""

from typing import Any

import pytest

from app.consent.part2 import missing
from tests.consent.paper import PARTNER, Resource, deny, part_2, permit, recipient

ENDS = "2020-01-01/2030-01-01"


def lacking(consent: Resource) -> list[str]:
    """The elements that are asked for."""
    return [said.partition(":")[0] for said in missing(consent)]


def complete(**limits: Any) -> Resource:
    given = {"to": PARTNER, "purpose": "HRESCH", "label": "SUD", "period": ENDS} | limits
    return part_2(permit(**{name: value for name, value in given.items() if value}))


def test_a_complete_consent_lacks_nothing() -> None:
    assert lacking(complete()) == []


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ("patient", "patient"),
        ("organization", "organization"),
        ("performer", "performer and source"),
        ("sourceReference", "performer and source"),
        ("dateTime", "dateTime"),
    ],
)
def test_each_element_is_asked_for(element: str, expected: str) -> None:
    made = complete()
    del made[element]
    assert lacking(made) == [expected]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"label": None}, ["provision.securityLabel, class, code or data"]),
        ({"label": None, "type_": "Goal"}, []),
        ({"label": None, "code": "http://loinc.org#8867-4"}, []),
        ({"label": None, "data": "instance:Goal/1"}, []),
        ({"label": None, "time": "2020/2021"}, []),
        ({"to": None}, ["provision.actor"]),
        ({"period": None}, ["provision.period.end"]),
        ({"period": "2020-01-01/"}, ["provision.period.end"]),
        ({"purpose": "HLEGAL"}, []),
        ({"purpose": "HLEGAL TREAT"}, ["a consent of its own for legal proceedings"]),
        ({"purpose": "TREAT", "to": None, "period": None}, []),
        ({"purpose": "TREAT HPAYMT", "to": None, "period": None}, []),
        ({"purpose": "COC", "to": None, "period": None}, []),
        (
            {"purpose": "TREAT HRESCH", "to": None, "period": None},
            ["provision.actor", "provision.period.end"],
        ),
        (
            {"purpose": None, "to": None, "period": None},
            ["provision.purpose", "provision.actor", "provision.period.end"],
        ),
    ],
    ids=str,
)
def test_what_the_provision_has_to_say(limits: dict[str, Any], expected: list[str]) -> None:
    assert lacking(complete(**limits)) == expected


def test_who_discloses_may_be_an_actor() -> None:
    made = complete()
    del made["organization"]
    made["provision"]["actor"].append(recipient("Organization/county", "CST"))
    assert lacking(made) == []
    made["provision"]["actor"] = [recipient("Organization/county", "CST")]
    assert lacking(made) == ["provision.actor"]


def test_what_nested_provisions_say_counts() -> None:
    inner = permit(to=PARTNER, purpose="HRESCH", label="SUD")
    assert lacking(part_2(deny(permit(inner), period=ENDS))) == []


def test_an_attachment_is_a_source() -> None:
    made = complete()
    made["sourceAttachment"] = {"title": made.pop("sourceReference")["reference"]}
    assert lacking(made) == []


def test_without_a_provision_all_of_it_is_asked_for() -> None:
    made = part_2({})
    del made["provision"]
    assert lacking(made) == [
        *("provision.securityLabel, class, code or data", "provision.purpose"),
        *("provision.actor", "provision.period.end"),
    ]
