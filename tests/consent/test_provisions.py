"""What cannot be understood opens nothing: in a permit it matches nothing, in a denial all."""

from typing import Any

import pytest

from app.consent.provisions import ACTIONS, NEVER, Terms, nodes, terms
from tests.consent.case import BASE

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
