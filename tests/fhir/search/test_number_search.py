"""Number and quantity search: precision, prefixes, units, open ranges."""

from decimal import Decimal
from typing import Any

import pytest

from app.fhir import json
from app.fhir.errors import BadRequest

UCUM = "http://unitsofmeasure.org"


def measured(id_: str, value: str, **quantity: Any) -> dict[str, Any]:
    amount = {"value": json.Number(value), "system": UCUM, "code": "kg", "unit": "kilogram"}
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"text": "weight"},
        "valueQuantity": amount | quantity,
    }


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("5.4", "ab"),
        ("5.40", "b"),
        ("5", "abd"),
        ("ne5.4", "cde"),
        ("gt5.4", "ce"),
        ("ge5.4", "bce"),
        ("lt5.4", "ad"),
        ("le5.4", "abd"),
        ("sa5.4", "ce"),
        ("eb5.4", "ad"),
        ("ap5", "abd"),
        ("54e-1", "ab"),
        ("-5.4", ""),
        ("1e2", "e"),
        ("5.4,100", "abe"),
    ],
)
async def test_a_value_means_its_precision_and_a_prefix_the_number(shelf, value, found) -> None:
    values = {"a": "5.36", "b": "5.4", "c": "6.00", "d": "4.5", "e": "1E2"}
    await shelf.put(*(measured(id_, number) for id_, number in values.items()))
    assert sorted(await shelf.find(f"Observation?value-quantity={value}")) == sorted(found)


async def test_a_unit_is_compared_as_written(shelf) -> None:
    await shelf.put(measured("a", "5"), measured("b", "5", code="g", unit="gram"))
    assert await shelf.find(f"Observation?value-quantity=5|{UCUM}|kg") == ["a"]
    assert await shelf.find("Observation?value-quantity=5||kg") == ["a"]
    assert await shelf.find("Observation?value-quantity=5||gram") == ["b"]
    assert await shelf.find("Observation?value-quantity=5|urn:other|kg") == []
    assert await shelf.find(f"Observation?value-quantity=gt4|{UCUM}|g") == ["b"]


async def test_a_comparator_makes_an_open_range(shelf) -> None:
    await shelf.put(measured("a", "5", comparator="<"), measured("b", "5", comparator=">="))
    assert await shelf.find("Observation?value-quantity=lt1") == ["a"]
    assert await shelf.find("Observation?value-quantity=gt9") == ["b"]
    assert await shelf.find("Observation?value-quantity=5") == []


async def test_a_number_is_found(shelf) -> None:
    risk = {"resourceType": "RiskAssessment", "status": "final", "subject": {}}
    likely = [{"probabilityDecimal": json.Number("0.8")}]
    between = [{"probabilityRange": {"low": {"value": 10}, "high": {"value": 20}}}]
    await shelf.put(risk | {"id": "a", "prediction": likely})
    await shelf.put(risk | {"id": "b", "prediction": between})
    assert await shelf.find("RiskAssessment?probability=0.8") == ["a"]
    assert await shelf.find("RiskAssessment?probability=gt0.5") == ["b", "a"]
    assert await shelf.find("RiskAssessment?probability=0.7") == []


async def test_a_quantity_can_be_missing(shelf) -> None:
    plain = measured("b", "1")
    del plain["valueQuantity"]
    await shelf.put(measured("a", "1"), plain)
    assert await shelf.find("Observation?value-quantity:missing=true") == ["b"]


async def test_a_number_beyond_measure_is_stored_but_not_indexed(shelf) -> None:
    await shelf.put(measured("a", "1e300"), measured("b", "1"))
    huge = measured("c", "1")
    huge["valueQuantity"]["value"] = Decimal("1e99999")
    await shelf.put(huge)
    assert await shelf.find("Observation?value-quantity=gt2") == ["a"]


@pytest.mark.parametrize("value", ["five", "5|kg", "5|a|b|c", "5||", "1e9999", "NaN", "gt"])
async def test_what_is_no_quantity_is_refused(shelf, value: str) -> None:
    with pytest.raises(BadRequest):
        await shelf.find(f"Observation?value-quantity={value}")
