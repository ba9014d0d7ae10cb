"""The series of a goal, its trend, and the chart of it."""

from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.isp.chart import HEIGHT, WIDTH, rows, stacked, svg, told
from app.isp.codes import EXTENSION
from app.isp.series import Series, every, series
from app.isp.words import words
from tests.build import concept, goal, reference

Json = dict[str, Any]
ENGLISH = words("en")


def baseline(value: float, on: str = "2025-09-01") -> Json:
    parts = [{"url": "value", "valueQuantity": {"value": value}}, {"url": "date", "valueDate": on}]
    return {"url": f"{EXTENSION}/goal-baseline", "extension": parts}


def target(**detail: Any) -> list[Json]:
    return [{"measure": {"text": "Walks"}, "dueDate": "2026-03-01"} | detail]


def walks(value: float, unit: str = "walk") -> Json:
    return {"value": value, "unit": unit}


def seen(on: str, value: Any, id_: str | None = None, **elements: Any) -> Json:
    made: Json = {"resourceType": "Observation", "id": id_ or f"o-{on}", "status": "final"}
    value = {"valueInteger": value} if isinstance(value, int) else {"valueQuantity": value}
    made |= {"focus": [reference("Goal/ada-goal-1")], "effectiveDateTime": on}
    return made | value | elements


def read(own: Json, *others: Json) -> Series:
    known = {f"{one['resourceType']}/{one['id']}": one for one in (own, *others)}
    return series(own, known)


def measured(first: float, to: float, *values: float) -> Series:
    own = goal(target=target(detailQuantity=walks(to)), extension=[baseline(first)])
    days = (f"2025-10-{number:02}" for number in range(1, 29))
    return read(own, *(seen(on, walks(value)) for on, value in zip(days, values, strict=False)))


@pytest.mark.parametrize(
    ("first", "to", "values", "trend"),
    [
        (0, 5, [], "unknown"),
        (0, 5, [2], "toward"),
        (0, 5, [0], "steady"),
        (2, 5, [1], "away"),
        (0, 5, [3, 3], "steady"),
        (0, 5, [4, 3], "away"),
        (0, 5, [4, 5], "reached"),
        (0, 5, [9], "reached"),
        (17, 9, [12], "toward"),
        (17, 9, [12, 13], "away"),
        (17, 9, [12, 8], "reached"),
    ],
)
def test_a_trend_is_told_in_the_direction_of_the_target(
    first: float, to: float, values: list[float], trend: str
) -> None:
    assert measured(first, to, *values).trend == trend


def test_what_counts_is_of_the_goal_in_its_unit_and_stands() -> None:
    own = goal(target=target(detailQuantity=walks(5)))
    own["outcomeReference"] = [reference("Observation/listed")]
    found = read(
        own,
        seen("2025-10-02", walks(2)),
        seen("2025-10-01", walks(1), "listed", focus=[]),
        seen("2025-10-03", walks(3), focus=[reference("Goal/other")]),
        seen("2025-10-04", walks(4, "mile")),
        seen("2025-10-05", walks(5), status="entered-in-error"),
        {**seen("2025-10-06", 1), "valueInteger": None, "valueString": "well"},
        seen("2025-10-07", 7),
    )
    assert [(one.day.day, one.value) for one in found.points] == [(1, 1), (2, 2), (7, 7)]


def test_of_one_day_the_value_written_last_counts() -> None:
    own = goal(target=target(detailQuantity=walks(5)))
    late = seen("2025-10-01", walks(3), "late", meta={"lastUpdated": "2025-10-02T00:00:00Z"})
    early = seen("2025-10-01", walks(1), "early", meta={"lastUpdated": "2025-10-01T00:00:00Z"})
    assert [one.value for one in read(own, late, early).points] == [3]


@pytest.mark.parametrize(
    ("detail", "number"),
    [
        ({"detailQuantity": walks(5)}, 5),
        ({"detailInteger": 4}, 4),
        ({"detailRange": {"low": walks(2), "high": walks(3)}}, 2),
        ({"detailRange": {"high": walks(3)}}, 3),
        ({"detailString": "well"}, None),
        ({"detailBoolean": True}, None),
    ],
)
def test_a_target_of_any_kind_is_read(detail: Json, number: int | None) -> None:
    found = read(goal(target=target(**detail)))
    assert found.target == (None if number is None else Decimal(number))
    assert found.measure == "Walks"


def test_a_milestone_is_a_goal_that_says_so() -> None:
    kind = concept("http://terminology.hl7.org/CodeSystem/goal-relationship-type", "milestone")
    parts = [
        {"url": "type", "valueCodeableConcept": kind},
        {"url": "target", "valueReference": reference("Goal/ada-goal-1")},
    ]
    tie = {"url": "http://hl7.org/fhir/StructureDefinition/goal-relationship", "extension": parts}
    step = goal("step", extension=[tie], target=target(detailQuantity=walks(2)))
    other = goal("other", extension=[tie], target=target(detailQuantity=walks(9, "mile")))
    found = read(goal(target=target(detailQuantity=walks(5))), step, other, goal("third"))
    assert [(one.goal, one.value) for one in found.milestones] == [
        ("Goal/other", None),
        ("Goal/step", 2),
    ]


@given(
    first=st.floats(-1e6, 1e6),
    to=st.floats(-1e6, 1e6),
    values=st.lists(st.floats(-1e6, 1e6), max_size=28),
)
def test_whatever_was_measured_lies_on_the_canvas(
    first: float, to: float, values: list[float]
) -> None:
    root = ElementTree.fromstring(str(svg(measured(first, to, *values), ENGLISH)))
    circles = list(root.iter("{http://www.w3.org/2000/svg}circle"))
    assert len(circles) == len(values) + 2
    for one in circles:
        assert 0 <= float(one.attrib["cx"]) <= WIDTH
        assert 0 <= float(one.attrib["cy"]) <= HEIGHT


def test_where_there_is_no_number_the_chart_says_so() -> None:
    made = str(svg(read(goal(target=[])), ENGLISH))
    assert "There is no number to show yet." in made


def test_the_table_says_all_that_the_chart_shows() -> None:
    found = rows(measured(0, 5, 1, 2), ENGLISH)
    assert [(one.day, one.value) for one in found] == [
        ("September 1, 2025", "0 walk"),
        ("October 1, 2025", "1 walk"),
        ("October 2, 2025", "2 walk"),
        ("March 1, 2026", "5 walk"),
    ]


def test_the_last_day_of_time_is_drawn_too() -> None:
    own = goal(target=target(detailQuantity=walks(5)), extension=[baseline(0, "0001-01-01")])
    own["target"][0]["dueDate"] = "9999-12-31"
    assert read(own).due == date.max
    ElementTree.fromstring(str(svg(read(own), ENGLISH)))


def several() -> list[Series]:
    """A goal of three targets, two of which count in the same unit, and one says no number."""
    own = goal(extension=[baseline(1)])
    own["target"] = [
        *target(measure={"text": "How I feel"}, detailString="better"),
        *target(detailQuantity=walks(5)),
        *target(measure={"text": "Friends"}, detailQuantity=walks(3, "person")),
        *target(measure={"text": "Walks alone"}, detailQuantity=walks(2), dueDate="2026-05-01"),
    ]
    seen_ = (
        seen("2025-10-01", walks(2)),
        seen("2025-10-02", walks(1, "person")),
        seen("2025-10-03", walks(1), code={"text": "Walks alone"}),
        seen("2025-10-04", walks(3), code={"text": "Walks"}),
    )
    return every(own, {f"{o['resourceType']}/{o['id']}": o for o in (own, *seen_)})


def test_every_target_has_a_series_of_its_own() -> None:
    found = [(o.measure, o.target, [p.value for p in o.points], o.trend) for o in several()]
    assert found == [
        ("Walks", 5, [2, 3], "toward"),
        ("Friends", 3, [1], "steady"),
        ("Walks alone", 2, [1], "steady"),
    ]
    assert [one.baseline is not None for one in several()] == [True, False, False]


def test_the_charts_of_several_targets_stand_one_below_the_other() -> None:
    found = several()
    root = ElementTree.fromstring(str(stacked(found, ENGLISH)))
    assert int(root.attrib["height"]) == HEIGHT * 3
    inner = [one for one in root if one.tag.endswith("svg")]
    assert [int(one.attrib["y"]) for one in inner] == [0, HEIGHT, 2 * HEIGHT]
    ids = [one.attrib["id"] for one in root.iter() if "id" in one.attrib]
    assert len(ids) == len(set(ids)) > 3
    assert all(word in told(found, ENGLISH) for word in ("Walks.", "Friends.", "Walks alone."))
    assert str(stacked(found[:1], ENGLISH)) == str(svg(found[0], ENGLISH))
