"""_summary and _elements: parts of a resource that say they are parts."""

import copy

import pytest

from app.fhir.errors import BadRequest
from app.fhir.registry import STORED
from app.fhir.subset import SUBSETTED, SUMMARIES, check_summary, subset
from tests.build import goal, patient, reference

MANDATORY = {"resourceType", "id", "meta", "lifecycleStatus", "description", "subject"}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "meta": {"versionId": "3", "tag": [{"code": "mine"}]},
    "text": {"status": "generated"},
    "status": "final",
    "_status": {"id": "s"},
    "code": {"text": "Steps"},
    "subject": reference("Patient/ada"),
    "effectiveDateTime": "2026-01-01",
    "valueInteger": 7,
    "_valueInteger": {"id": "v"},
    "note": [{"text": "Well done"}],
    "component": [{"code": {"text": "Left"}, "interpretation": [{"text": "x"}]}],
}


def test_elements_keeps_what_was_named_and_what_is_mandatory() -> None:
    assert set(subset(goal(), None, ("startDate",))) == MANDATORY | {"startDate"}
    assert set(subset(goal(), None, ("nothing",))) == MANDATORY


def test_an_element_comes_with_its_id_and_extensions() -> None:
    found = subset(OBSERVATION, None, ("valueInteger",))
    assert {"valueInteger", "_valueInteger", "status", "_status"} <= set(found)
    assert "note" not in found


def test_the_summary_keeps_choices_and_cuts_inside_elements() -> None:
    found = subset(OBSERVATION, "true", ())
    assert {"effectiveDateTime", "valueInteger", "_valueInteger", "component"} <= set(found)
    assert not {"note", "text"} & set(found)
    assert found["component"] == [{"code": {"text": "Left"}}]


def test_text_and_data_divide_a_resource() -> None:
    text, data = (subset(OBSERVATION, kind, ()) for kind in ("text", "data"))
    assert set(text) == {"resourceType", "id", "meta", "text", "status", "_status", "code"}
    assert set(data) == set(OBSERVATION) - {"text"}


def test_a_part_says_that_it_is_one_and_keeps_its_tags() -> None:
    for kind in ("true", "text", "data", None):
        meta = subset(OBSERVATION, kind, ("note",))["meta"]
        assert meta["versionId"] == "3"
        assert meta["tag"] == [{"code": "mine"}, SUBSETTED]


def test_what_was_cut_is_left_as_it_was() -> None:
    before = copy.deepcopy(OBSERVATION)
    for kind in ("true", "text", "data", None):
        subset(OBSERVATION, kind, ("code",))
    assert before == OBSERVATION


@pytest.mark.parametrize("type_", sorted(STORED))
def test_every_type_has_a_summary(type_: str) -> None:
    bare = {"resourceType": type_, "id": "x", "language": "en"}
    assert set(subset(bare, "true", ())) == {"resourceType", "id", "meta"}


def test_a_summary_is_one_of_five() -> None:
    assert [check_summary(value) for value in SUMMARIES] == list(SUMMARIES)
    for wrong in ("all", "", "TRUE", "true "):
        with pytest.raises(BadRequest, match="true, text, data"):
            check_summary(wrong)


def test_a_name_is_not_half_of_another() -> None:
    person = patient(active=True, activeX="no element, but not named either")
    assert "activeX" not in subset(person, None, ("active",))
