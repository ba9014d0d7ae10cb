from datetime import date

import pytest

from app.isp.element import covers, day, days_after, last_day, months_after, versioned
from tests.build import reference


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-02-03", date(2026, 2, 3), date(2026, 2, 3)),
        ("2026-02-03T23:59:00-05:00", date(2026, 2, 3), date(2026, 2, 3)),
    ],
)
def test_a_date_covers_all_its_days(text: str, first: date, last: date) -> None:
    assert (day(text), last_day(text)) == (first, last)


def test_what_is_no_date_is_no_day() -> None:
    assert day(None) is last_day("") is day("soon") is None


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2025, 8, 31), 6, date(2026, 2, 28)),
        (date(2025, 9, 1), 12, date(2026, 9, 1)),
        (date(2026, 1, 31), -2, date(2025, 11, 30)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(9999, 12, 31), 1, date.max),
        (date(1, 1, 1), -1, date.min),
    ],
)
def test_months_end_where_people_expect(start: date, months: int, end: date) -> None:
    assert months_after(start, months) == end


def test_days_stay_within_the_calendar() -> None:
    assert days_after(date(2026, 2, 28), 1) == date(2026, 3, 1)
    assert days_after(date.max, 1) == date.max
    assert days_after(date.min, -1) == date.min


def test_a_period_is_open_where_it_says_nothing() -> None:
    today = date(2026, 1, 5)
    assert covers(None, today)
    assert covers({"start": "2026-01-05", "end": "2026-01-05"}, today)
    assert covers({"end": "2026"}, today)
    assert not covers({"start": "2026-01-06"}, today)


def test_references_are_read_without_their_version() -> None:
    several = [
        reference("Goal/a/_history/3"),
        reference("Goal/b"),
        reference("#c"),
        {"display": "d"},
    ]
    assert versioned(several) == [("Goal/a", "3"), ("Goal/b", None)]
