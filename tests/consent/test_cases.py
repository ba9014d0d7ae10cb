"""The table of consent cases, each decided by the pure engine."""

import pytest

from tests.consent.case import Case, decision
from tests.consent.cases import (
    emergency,
    exceptions,
    label_service,
    labels,
    law,
    nesting,
    papers,
    policy,
    purpose,
    what,
    who,
    whose,
)

CASES = [
    *who.CASES,
    *purpose.CASES,
    *whose.CASES,
    *labels.CASES,
    *label_service.CASES,
    *what.CASES,
    *papers.CASES,
    *nesting.CASES,
    *policy.CASES,
    *law.CASES,
    *emergency.CASES,
    *exceptions.CASES,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_decision(case: Case) -> None:
    made = decision(case)
    assert made.outcome == case.expected, made
    if case.by:
        assert made.expression == case.by


def test_the_table_is_long_and_says_each_thing_once() -> None:
    assert len(CASES) >= 150
    reasons = [case.why for case in CASES]
    assert len(set(reasons)) == len(reasons)
    assert {case.expected for case in CASES} == {"permit", "deny", "not-covered"}
