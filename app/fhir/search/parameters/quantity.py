"""Quantity search: a number with its unit, compared as written; units are not converted.

https://hl7.org/fhir/R4/search.html#quantity
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from app.fhir.errors import BadRequest
from app.fhir.search.parameters.criterion import Criterion, Over, prefixed, split, unescape
from app.fhir.search.parameters.keys import key
from app.fhir.search.parameters.number import Range, among, comparison, indexed

CURRENCIES = "urn:iso:std:iso:4217"
"""The system of Money.currency."""


def extract(elements: Iterable[tuple[str, Any]]) -> Iterator[tuple[Range, list[int]]]:
    """The range of every quantity, Money or Range, and the keys of its unit."""
    for type_, value in elements:
        if not isinstance(value, dict):
            continue
        if type_ == "Range":
            low, high = value.get("low", {}), value.get("high", {})
            span = indexed(low.get("value")), indexed(high.get("value"))
            units = _units(low) | _units(high)
        else:
            span = _span(value.get("comparator"), indexed(value.get("value")))
            units = _units(value)
        if span != (None, None):
            yield span, sorted(units)


def _span(comparator: str | None, value: Decimal | None) -> Range:
    if comparator in ("<", "<="):
        return None, value
    if comparator in (">", ">="):
        return value, None
    return value, value


def _units(quantity: Any) -> set[int]:
    """The keys for `|system|code` and for `||code`, which matches the code or the unit."""
    if "currency" in quantity:
        quantity = {"system": CURRENCIES, "code": quantity["currency"]}
    system, code, unit = (quantity.get(name) for name in ("system", "code", "unit"))
    found = {key("unit", name) for name in (code, unit) if name}
    if system and code:
        found.add(key("unit", system, code))
    return found


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: a quantity of the row stands to one of the values as its prefix says, in its unit."""
    return among(criterion, over, [test(value, over) for value in criterion.values])


def test(value: str, over: Over) -> str:
    """SQL: index row `n` stands to the quantity as its prefix says. Raises BadRequest."""
    parts = [unescape(part) for part in split(value, "|")]
    test = comparison(*prefixed(parts[0]), over)
    if len(parts) == 1:
        return test
    if len(parts) != 3 or not parts[2]:
        raise BadRequest("A quantity is written number, number|system|code or number||code.")
    unit = key("unit", parts[1], parts[2]) if parts[1] else key("unit", parts[2])
    return f"({test} AND {over.args.add(unit, 'bigint')} = ANY(n.units))"
