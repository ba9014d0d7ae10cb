"""What cannot be understood opens nothing: in a permit it matches nothing, in a denial all."""

from typing import Any

import pytest

from app.consent.provisions import ACTIONS, NEVER, Terms, nodes, terms
from tests.consent.case import BASE

LEVEL = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
HALF = [{"system": "http://h"}, {"code": "x"}]


def read(kind: str, **elements: Any) -> Terms:
    return terms(next(nodes({"type": kind, **elements})), BASE)


@pytest.mark.parametrize("half", HALF)
def test_a_coding_needs_system_and_code(half: dict[str, str]) -> None:
    for given in ({"class": [half]}, {"code": [{"coding": [half]}]}):
        opened, closed = read("permit", **given), read("deny", **given)
        assert (opened.classes or opened.codes or frozenset()) == frozenset()
        assert (opened.classes, opened.codes) != (None, None)
        assert (closed.classes, closed.codes) == (None, None)


def test_an_action_that_is_none_is_not_one() -> None:
    given = [{"coding": [{"system": ACTIONS, "code": "browse"}]}]
    assert read("permit", action=given).actions == frozenset()
    assert read("deny", action=given).actions is None


def test_a_time_that_cannot_be_read_is_never_or_always() -> None:
    assert read("permit", dataPeriod={"start": "soon"}).time == NEVER
    assert read("deny", dataPeriod={"start": "soon"}).time is None


def test_only_who_can_act_is_an_actor() -> None:
    given = [{"reference": {"reference": "Goal/1"}}, {"reference": {"reference": "Patient/ada"}}]
    assert read("permit", actor=given).actors == {"Patient/ada"}


def test_one_coding_that_says_nothing_makes_a_denial_one_of_everything() -> None:
    known = {"system": "http://h", "code": "x"}
    assert read("deny", **{"class": [known, HALF[0]]}).classes is None
    assert len(read("permit", **{"class": [known, HALF[0]]}).classes or ()) == 1


def test_an_action_of_another_code_system_is_none() -> None:
    given = [{"coding": [{"system": "http://h", "code": "access"}]}]
    assert read("permit", action=given).actions == frozenset()


def test_a_denial_of_several_levels_begins_with_the_lowest() -> None:
    labels = [{"system": LEVEL, "code": code} for code in ("V", "R")]
    assert read("deny", securityLabel=labels).levels == (4, 5)
    assert read("permit", securityLabel=labels).levels == (0, 5)
