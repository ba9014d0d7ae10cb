"""The patch between two versions, applied to the first, gives the second."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.fhir.patch.difference import difference
from app.fhir.patch.fhirpath_patch import fhirpath_patch
from app.fhir.validation.structure import validate
from tests.official import examples

Json = dict[str, Any]
OFFICIAL = [one for one in examples() if not validate(one, one["resourceType"])]


def patch(before: Json, after: Json) -> Json:
    parts = list(difference(before, after))
    return {"resourceType": "Parameters", **({"parameter": parts} if parts else {})}


def check(before: Json, after: Json) -> Json:
    """The patch, which is valid and does what it should."""
    made = patch(before, after)
    assert fhirpath_patch(before, made) == after
    return made


def told(before: Json, after: Json) -> list[tuple[str, ...]]:
    """Each operation as its type and path."""
    found = check(before, after).get("parameter", [])
    return [tuple(p.get("valueCode") or p["valueString"] for p in one["part"][:2]) for one in found]


def goal(**elements: Any) -> Json:
    return {"resourceType": "Goal", "id": "g", "description": {"text": "a"}, **elements}


@pytest.mark.parametrize(
    ("before", "after", "operations"),
    [
        (goal(), goal(), []),
        (goal(), goal(startDate="2026-01-01"), [("add", "Goal")]),
        (goal(startDate="2026-01-01"), goal(), [("delete", "Goal.start")]),
        (
            goal(startDate="2026-01-01"),
            goal(startCodeableConcept={"text": "x"}),
            [("replace", "Goal.start")],
        ),
        (goal(), goal(description={"text": "b"}), [("replace", "Goal.description.text")]),
        (
            goal(note=[{"text": "1"}, {"text": "2"}]),
            goal(note=[{"text": "2"}]),
            [("delete", "Goal.note[0]")],
        ),
        (
            goal(note=[{"text": "2"}]),
            goal(note=[{"text": "1"}, {"text": "2"}]),
            [("insert", "Goal.note")],
        ),
        (
            goal(note=[{"text": "1"}, {"text": "2"}]),
            goal(note=[{"text": "1"}, {"text": "3"}]),
            [("replace", "Goal.note[1].text")],
        ),
        (goal(), goal(note=[{"text": "1"}, {"text": "2"}]), [("add", "Goal"), ("add", "Goal")]),
        (
            goal(target=[{"detailString": "x"}]),
            goal(target=[{"dueDate": "2026-01-01"}]),
            [("add", "Goal.target[0]"), ("delete", "Goal.target[0].detail")],
        ),
        (
            goal(),
            goal(_startDate={"extension": [{"url": "http://x.example", "valueCode": "unknown"}]}),
            [("add", "Goal")],
        ),
        (
            goal(text={"status": "generated", "div": "<div>a</div>"}),
            goal(text={"status": "generated", "div": "<div>b</div>"}),
            [("replace", "Goal.text.div")],
        ),
        (
            goal(contained=[{"resourceType": "Patient", "id": "p", "gender": "male"}]),
            goal(contained=[{"resourceType": "Patient", "id": "p", "gender": "female"}]),
            [("replace", "Goal.contained[0].gender")],
        ),
        (
            goal(contained=[{"resourceType": "Patient", "id": "p"}]),
            goal(contained=[{"resourceType": "Organization", "id": "p", "name": "n"}]),
            [("replace", "Goal.contained[0]")],
        ),
    ],
)
def test_what_changed_is_told(before: Json, after: Json, operations: list[tuple[str, ...]]) -> None:
    assert told(before, after) == operations


def test_the_version_is_the_servers() -> None:
    before = goal(meta={"versionId": "1", "lastUpdated": "2026-01-01T00:00:00Z"})
    after = goal(meta={"versionId": "2", "lastUpdated": "2026-01-02T00:00:00Z"})
    assert patch(before, after) == {"resourceType": "Parameters"}
    tagged = goal(meta={**after["meta"], "tag": [{"code": "x"}]})
    assert fhirpath_patch(before, patch(before, tagged))["meta"]["tag"] == [{"code": "x"}]


@pytest.mark.parametrize("number", range(0, len(OFFICIAL) - 1, 5))
def test_an_example_becomes_the_next_of_its_type(number: int) -> None:
    before = OFFICIAL[number]
    others = [one for one in OFFICIAL if one["resourceType"] == before["resourceType"]]
    after = {**others[(others.index(before) + 1) % len(others)], "id": before.get("id")}
    without = [{k: v for k, v in one.items() if k not in ("id", "meta")} for one in (before, after)]
    check(*without)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member or item of a JSON value, as its holder and its name or number."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        if key not in ("resourceType", "id", "meta"):
            yield value, key
            if isinstance(value[key], dict | list):
                yield from places(value[key])


def changed(resource: Json, data: st.DataObject) -> Json:
    """The resource with something taken out, doubled or moved."""
    made = deepcopy(resource)
    for _ in range(data.draw(st.integers(1, 3))):
        found = list(places(made))
        if not found:
            break
        holder, key = data.draw(st.sampled_from(found))
        if isinstance(holder, list):
            how = data.draw(st.sampled_from(("double", "reverse", "drop")))
            if how == "double":
                holder.insert(key, deepcopy(holder[key]))
            elif how == "reverse":
                holder.reverse()
            elif len(holder) > 1:
                del holder[key]
        elif len(holder) > 1 and not _is_blank(holder[key]):
            del holder[key]
    return made


def _is_blank(value: Any) -> bool:
    """Nulls beside extensions, which say nothing by themselves: without them all is as it was."""
    return isinstance(value, list) and not any(value)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_is_changed_in_an_example_is_told(data: st.DataObject) -> None:
    resource = data.draw(st.sampled_from(OFFICIAL))
    after = changed(resource, data)
    if any(issue.severity == "error" for issue in validate(after, after["resourceType"])):
        return
    check(resource, after)
    check(after, resource)
