"""FHIR's data types in plain words."""

from typing import Any

import pytest

from app.fhir.json import Number
from app.isp.words import chosen, display_name, words
from tests.build import concept

EN, ES = words("en"), words("es")


@pytest.mark.parametrize(
    ("timing", "english", "spanish"),
    [
        (
            {"frequency": 1, "period": 1, "periodUnit": "wk"},
            "once a week",
            "una vez por semana",
        ),
        (
            {"frequency": 2, "period": 3, "periodUnit": "mo"},
            "2 times every 3 months",
            "2 veces cada 3 meses",
        ),
        (
            {"frequency": 1, "period": Number("1.0"), "periodUnit": "d", "duration": 30}
            | {"durationUnit": "min"},
            "once a day, 30 minutes each time",
            "una vez por día, 30 minutos cada vez",
        ),
        ({"count": 4}, "4 times", "4 veces"),
        ({}, "", ""),
    ],
)
def test_how_often(timing: dict[str, Any], english: str, spanish: str) -> None:
    assert EN.timing({"repeat": timing}) == english
    assert ES.timing({"repeat": timing}) == spanish


def test_a_timing_code() -> None:
    assert EN.timing({"code": {"coding": [{"code": "BID"}]}}) == "twice a day"


@pytest.mark.parametrize(
    ("given", "english", "spanish"),
    [
        ("2026-03-02", "March 2, 2026", "2 de marzo de 2026"),
        ("2026-03-02T10:00:00-05:00", "March 2, 2026", "2 de marzo de 2026"),
        ("2026-03", "March 2026", "marzo de 2026"),
        ("2026", "2026", "2026"),
        (None, "", ""),
        ("", "", ""),
    ],
)
def test_a_day_says_no_more_than_was_written(given: Any, english: str, spanish: str) -> None:
    assert (EN.day(given), ES.day(given)) == (english, spanish)


def test_a_number_keeps_its_spelling() -> None:
    assert EN.quantity({"value": Number("2.50"), "unit": "km"}) == "2.50 km"
    assert EN.quantity({"value": Number("20.0"), "unit": "h", "comparator": "<"}) == "< 20 h"
    assert EN.quantity(None) == ""


def test_how_much_for_how_long() -> None:
    ratio = {
        "numerator": {"value": 4, "unit": "units"},
        "denominator": {"value": 1, "unit": "week"},
    }
    assert EN.ratio(ratio) == "4 units a week"
    ratio["denominator"] = {"value": 2, "code": "wk"}
    assert EN.ratio(ratio).startswith("4 units in 2")


def test_the_text_comes_before_our_word_and_that_before_the_display() -> None:
    coded = concept("x", "vegan")
    coded["coding"][0]["display"] = "Vegan diet"
    assert EN.concept(coded | {"text": "No animals"}, "diet") == "No animals"
    assert ES.concept(coded, "diet") == "Vegana"
    assert ES.concept(coded) == "Vegan diet"
    assert EN.concept(None) == ""


def test_the_official_name_comes_first() -> None:
    names = [{"use": "usual", "given": ["Mari"]}, {"use": "official", "family": "Alvarez"}]
    assert display_name({"name": names}) == "Alvarez"
    assert display_name({"name": "Open Door"}) == "Open Door"
    assert display_name({}) == ""


@pytest.mark.parametrize(
    ("asked", "header", "spoken", "language"),
    [
        ("es", "en", "en", "es"),
        (None, "es-MX,en;q=0.5", None, "es"),
        (None, "en;q=0.1, es;q=0.9", None, "es"),
        (None, "es;q=0", "en", "en"),
        (None, "*", "es", "es"),
        (None, "\x00;;q=x", "es-419", "es"),
        (None, "", None, "en"),
    ],
)
def test_the_language_is_chosen(
    asked: str | None, header: str, spoken: str | None, language: str
) -> None:
    person = [{"language": concept("urn:ietf:bcp:47", spoken), "preferred": True}] if spoken else []
    assert chosen(asked, header, person).language == language
