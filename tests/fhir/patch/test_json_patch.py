"""https://www.rfc-editor.org/rfc/rfc6902, https://www.rfc-editor.org/rfc/rfc7396"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir import json
from app.fhir.errors import BadRequest, FHIRError, TooLarge, Unprocessable
from app.fhir.patch.json_patch import json_patch, merge_patch

GOAL = b'{"resourceType":"Goal","note":[{"text":"a"},{"text":"b"}],"target":{"value":1.50}}'


def goal() -> Any:
    return json.parse(GOAL)


@pytest.mark.parametrize(
    ("operation", "path", "value"),
    [
        ({"op": "add", "path": "/language", "value": "en"}, "language", "en"),
        ({"op": "add", "path": "/note/-", "value": 1}, "note", [{"text": "a"}, {"text": "b"}, 1]),
        ({"op": "add", "path": "/note/0", "value": 1}, "note", [1, {"text": "a"}, {"text": "b"}]),
        ({"op": "remove", "path": "/note/0"}, "note", [{"text": "b"}]),
        (
            {"op": "replace", "path": "/note/1/text", "value": "c"},
            "note",
            [{"text": "a"}, {"text": "c"}],
        ),
        (
            {"op": "move", "from": "/note/0", "path": "/note/1"},
            "note",
            [{"text": "b"}, {"text": "a"}],
        ),
        ({"op": "copy", "from": "/note/0/text", "path": "/language"}, "language", "a"),
        ({"op": "test", "path": "/note/0/text", "value": "a"}, "resourceType", "Goal"),
    ],
)
def test_an_operation_does_what_the_rfc_says(operation: Any, path: str, value: Any) -> None:
    assert json_patch(goal(), [operation])[path] == value


def test_a_resource_stays_as_it_was_and_so_do_its_numbers() -> None:
    before = goal()
    after = json_patch(before, [{"op": "copy", "from": "/target", "path": "/also"}])
    assert json.dump(before) == GOAL
    assert json.dump(after["also"]) == b'{"value":1.50}'
    assert json.dump(json_patch(before, [])) == GOAL


@pytest.mark.parametrize(
    ("patch", "error"),
    [
        ([{"op": "test", "path": "/note/0/text", "value": "b"}], Unprocessable),
        ([{"op": "test", "path": "/none", "value": "b"}], Unprocessable),
        ([{"op": "remove", "path": "/none"}], Unprocessable),
        ([{"op": "remove", "path": "/note/7"}], Unprocessable),
        ([{"op": "replace", "path": "/none", "value": 1}], Unprocessable),
        ([{"op": "add", "path": "/note/9", "value": 1}], Unprocessable),
        ([{"op": "add", "path": "/note/x", "value": 1}], Unprocessable),
        ([{"op": "add", "path": "/resourceType/x", "value": 1}], Unprocessable),
        ([{"op": "move", "from": "/none", "path": "/note"}], Unprocessable),
        ([{"op": "copy", "from": 7, "path": "/note"}], FHIRError),
        ([{"op": "add", "path": "note", "value": 1}], FHIRError),
        ([{"op": "add", "path": "/note"}], BadRequest),
        ([{"op": "erase", "path": "/note"}], BadRequest),
        ([{"path": "/note"}], BadRequest),
        ([{"op": "add", "path": 7, "value": 1}], FHIRError),
        ([{"op": "add", "value": 1}], BadRequest),
        ([[]], BadRequest),
        ({}, BadRequest),
        ("x", BadRequest),
        ([{"op": "remove", "path": "/note"}] * 1001, TooLarge),
    ],
)
def test_what_does_not_fit_is_refused(patch: Any, error: type[FHIRError]) -> None:
    with pytest.raises(error):
        json_patch(goal(), patch)


def test_copying_has_an_end() -> None:
    double = {"op": "copy", "from": "/note", "path": "/note/-"}
    with pytest.raises(FHIRError):
        json_patch(goal(), [double] * 60)
    long = json_patch(goal(), [{"op": "add", "path": "/x", "value": "x" * 200_000}])
    with pytest.raises(TooLarge):
        json_patch(long, [{"op": "copy", "from": "/x", "path": f"/x{n}"} for n in range(9)])


def test_nesting_has_an_end() -> None:
    deeper = [{"op": "move", "from": "/x", "path": "/y"}, {"op": "add", "path": "/x", "value": {}}]
    deeper.append({"op": "move", "from": "/y", "path": "/x/y"})
    with pytest.raises(BadRequest):
        json_patch(json_patch(goal(), [{"op": "add", "path": "/x", "value": 1}]), deeper * 80)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "/", "-"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "op", "path"]), inner, max_size=3)
    ),
    max_leaves=6,
)
PATHS = st.sampled_from(["", "/", "/a", "/a/0", "/a/-", "/a/b", "/note", "/note/0", "a", "/~2"])
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"])},
    optional={"path": PATHS | VALUES, "from": PATHS | VALUES, "value": VALUES},
)


@given(st.lists(OPERATIONS, max_size=4))
def test_no_patch_does_more_than_being_refused(patch: Any) -> None:
    try:
        json_patch(goal(), patch)
    except FHIRError:
        assert json.dump(goal()) == GOAL


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_the_rfc_says(target: Any, patch: Any, expected: Any) -> None:
    before = repr(target)
    assert merge_patch(target, patch) == expected
    assert repr(target) == before
