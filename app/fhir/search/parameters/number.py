"""Number search, and the comparisons that quantity search shares with it.

https://hl7.org/fhir/R4/search.html#number
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from app.fhir.errors import BadRequest
from app.fhir.search.parameters.criterion import Criterion, Over, prefixed, unescape
from app.fhir.search.parameters.keys import param

Range = tuple[Decimal | None, Decimal | None]
"""[lo, hi], None where it is open; a plain number is both ends."""

DECIMAL = re.compile(r"[-+]?[0-9]{1,200}(\.[0-9]{1,200})?([eE][-+]?[0-9]{1,3})?\Z")
LARGEST_EXPONENT = 1000

CONDITIONS = {
    "eq": "n.lo >= {a} AND n.lo < {b} AND n.hi < {b}",
    "ne": "NOT coalesce(n.lo >= {a} AND n.hi < {b}, false)",
    "gt": "(n.hi > {v} OR n.hi IS NULL)",
    "lt": "(n.lo < {v} OR n.lo IS NULL)",
    "ge": "(n.hi >= {v} OR n.hi IS NULL)",
    "le": "(n.lo <= {v} OR n.lo IS NULL)",
    "sa": "n.lo > {v}",
    "eb": "n.hi < {v}",
    "ap": "(n.hi >= {a} OR n.hi IS NULL) AND (n.lo <= {b} OR n.lo IS NULL)",
}
"""Each prefix over [lo, hi] of the resource, the value v and the range [a, b) of its precision.

"When a comparison prefix … is provided, the implicit precision of the number is ignored".
"""


def extract(elements: Iterable[tuple[str, Any]]) -> Iterator[tuple[Range, list[int]]]:
    """The range of every number or Range, and no units."""
    for type_, value in elements:
        if type_ == "Range":
            low, high = value.get("low", {}), value.get("high", {})
            yield (indexed(low.get("value")), indexed(high.get("value"))), []
        elif (number := indexed(value)) is not None:
            yield (number, number), []


def indexed(value: Any) -> Decimal | None:
    """The number as it is indexed; None for what is no number, or beyond any measure."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if abs(number.adjusted()) <= LARGEST_EXPONENT else None


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: a number of the row stands to one of the values as its prefix says."""
    return among(criterion, over, [test(value, over) for value in criterion.values])


def test(value: str, over: Over) -> str:
    """SQL: index row `n` stands to the number as its prefix says. Raises BadRequest."""
    return comparison(*prefixed(unescape(value)), over)


def among(criterion: Criterion, over: Over, tests: list[str]) -> str:
    """SQL: a row of index_number passes one of the tests."""
    number = param(criterion.type, criterion.parameter.code)
    return (
        f"EXISTS (SELECT FROM index_number AS n WHERE n.rid = {over.alias}.rid"
        f" AND n.param = {number} AND ({' OR '.join(tests)}))"
    )


def comparison(prefix: str, text: str, over: Over) -> str:
    """SQL: index row `n` stands to the number as the prefix says. Raises BadRequest."""
    if not DECIMAL.match(text):
        raise BadRequest("A number is written like 5, 5.40 or 5.4e-3, after a prefix or none.")
    value = Decimal(text)
    low, high = _tenth(value) if prefix == "ap" else _precision(value)
    condition = CONDITIONS[prefix]
    bounds = {
        name: over.args.add(bound, "numeric") if f"{{{name}}}" in condition else ""
        for name, bound in (("a", low), ("b", high), ("v", value))
    }
    return f"({condition.format(**bounds)})"


def _precision(value: Decimal) -> tuple[Decimal, Decimal]:
    """Half a unit of the last written digit to either side: 5.40 means [5.395, 5.405)."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    half = Decimal(5).scaleb(exponent - 1)
    return value - half, value + half


def _tenth(value: Decimal) -> tuple[Decimal, Decimal]:
    margin = abs(value) / 10
    return value - margin, value + margin
