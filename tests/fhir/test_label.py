"""The labels of what leaves: how high, what the law forbids, and what a notice rests on."""

from typing import Any

import pytest

from app.fhir.label import (
    ACT_CODE,
    DISPLAY,
    JUSTIFIED,
    NOTICE,
    PART_2,
    REFRAIN,
    grounds_of,
    highest,
    is_sealed,
    noticed,
)
from app.fhir.marks import marks_of
from tests.build import goal

URLS = ["https://isp.example.org/fhir/Consent/one", "https://isp.example.org/fhir/Consent/two"]
ELSE: dict[str, Any] = {
    "extension": [{"url": "urn:other", "valueString": "kept"}],
    "security": [
        {"system": ACT_CODE, "code": "ETH"},
        {
            "system": "urn:other",
            "code": REFRAIN,
            "extension": [{"url": JUSTIFIED, "valueRelatedArtifact": {"url": "urn:none"}}],
        },
    ],
}


@pytest.mark.parametrize(
    ("levels", "expected"), [([], None), ([None], None), ([2, None, 4, 0], 4), ([None, 0], 0)]
)
def test_the_highest_level_counts(levels: list[int | None], expected: int | None) -> None:
    assert highest(levels) == expected


@pytest.mark.parametrize(
    ("seals", "expected"),
    [(None, False), ([], False), (["PSYTHPN"], False), (["PSYTHPN", PART_2], True)],
)
def test_only_a_record_of_a_program_is_sealed(seals: list[str] | None, expected: bool) -> None:
    assert is_sealed({"seals": seals}) is expected


def test_a_notice_names_what_it_rests_on_and_leaves_the_rest() -> None:
    made = noticed(goal(meta=ELSE), URLS)
    assert grounds_of(made) == URLS
    assert made["meta"]["extension"][:-1] == ELSE["extension"]
    assert made["meta"]["extension"][-1]["valueAnnotation"]["text"] == NOTICE
    assert made["meta"]["security"][:-1] == ELSE["security"]


def test_a_notice_is_given_once_and_rests_on_what_was_said_last() -> None:
    made = noticed(noticed(goal(meta=ELSE), URLS[:1]), URLS[1:])
    assert grounds_of(made) == URLS[1:]
    assert [each["url"] for each in made["meta"]["extension"]] == ["urn:other", DISPLAY]
    assert [each["code"] for each in made["meta"]["security"]] == ["ETH", REFRAIN, REFRAIN]


def test_a_notice_may_rest_on_nothing() -> None:
    assert grounds_of(noticed(goal(meta={}), [])) == []


@pytest.mark.parametrize("meta", [{}, ELSE, {"security": [{"system": ACT_CODE, "code": REFRAIN}]}])
def test_what_bears_no_notice_has_no_grounds(meta: dict[str, Any]) -> None:
    assert grounds_of(goal(meta=meta)) is None
    assert grounds_of({"resourceType": "Goal"}) is None


def test_a_row_without_labels_has_none() -> None:
    row = {"confidentiality": 2, "traits": [1], "lo": None, "hi": None}
    bare = marks_of({**row, "labels": None, "seals": None})
    assert (bare.labels, bare.seals) == ((), ())
    full = marks_of({**row, "labels": ["HIV"], "seals": [PART_2]})
    assert (full.labels, full.seals) == (("HIV",), (PART_2,))
