"""Sorting: the order of the matches, and where in it a page begins.

Resources without a value for the first key come last. The first key leads through its index, so
that a page of a large type reads a page of rows; the others are looked up per row.
https://hl7.org/fhir/R4/search.html#sort
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.fhir.search.parameters.keys import param
from app.fhir.search.query import Query, Sort
from app.fhir.search.sort_value import expression
from app.storage.sql import Arguments

TABLES = {
    "date": ("index_date", "lo", "timestamptz"),
    "string": ("index_string", "folded", "text"),
    "number": ("index_number", "lo", "numeric"),
    "quantity": ("index_number", "lo", "numeric"),
}
COLUMNS = {"_id": ("id", "text"), "_lastUpdated": ("last_updated", "timestamptz")}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an order: its SQL expression over the row, and how it runs.

    `name` is the column of the result that holds it. NULL comes last, first when `is_reversed`.
    """

    name: str
    expression: str
    cast: str
    is_descending: bool
    is_nullable: bool = False
    is_reversed: bool = False

    def reversed(self) -> "Key":
        """The same key, backwards."""
        turned = not self.is_descending
        return replace(self, is_descending=turned, is_reversed=not self.is_reversed)


Order = tuple[Key, ...]

NEWEST = (Sort("_lastUpdated", "column", True),)
"""The order when none is asked for."""


def order_of(query: Query, *, is_missing: bool) -> Order:
    """The order in which the matches of a query come: see `keys`."""
    return keys(query.type, query.sort or NEWEST, is_missing=is_missing)


def is_indexed(sort: Sort) -> bool:
    """Whether the key leads through an index table, not through a column of the row."""
    return sort.type in TABLES


def keys(type_: str, sorts: Sequence[Sort], *, is_missing: bool) -> Order:
    """The order by these keys; `is_missing` for the resources without a value for the first.

    Those follow in order of _lastUpdated. The row number comes last, so that no two rows are equal.
    """
    found = [_key(type_, at, sort) for at, sort in enumerate(sorts)]
    first = sorts[0]
    if is_indexed(first):
        found[0] = _newest(first.is_descending) if is_missing else _leading(first)
    return (*found, Key("rid", "r.rid", "bigint", sorts[-1].is_descending))


def _newest(is_descending: bool) -> Key:
    return Key("last_updated", "r.last_updated", "timestamptz", is_descending)


def _leading(sort: Sort) -> Key:
    """The first key, as the joined index row `i` holds it."""
    _, column, cast = TABLES[sort.type]
    return Key("k0", f"i.{column}", cast, sort.is_descending)


def _key(type_: str, at: int, sort: Sort) -> Key:
    if sort.code in COLUMNS:
        name, cast = COLUMNS[sort.code]
        return Key(name, f"r.{name}", cast, sort.is_descending)
    if sort.type not in TABLES:
        text = expression(type_, sort.code, is_descending=sort.is_descending)
        return Key(f"k{at}", text, "text", sort.is_descending, is_nullable=True)
    table, column, cast = TABLES[sort.type]
    extreme = "max" if sort.is_descending else "min"
    number = param(type_, sort.code)
    value = (
        f"(SELECT {extreme}(k.{column}) FROM {table} AS k"
        f" WHERE k.rid = r.rid AND k.param = {number})"
    )
    return Key(f"k{at}", value, cast, sort.is_descending, is_nullable=True)


def order_by(order: Order) -> str:
    """The ORDER BY list."""
    return ", ".join(_ordered(key) for key in order)


def _ordered(key: Key) -> str:
    text = key.expression + (" DESC" if key.is_descending else "")
    if not key.is_nullable:
        return text
    return text + (" NULLS FIRST" if key.is_reversed else " NULLS LAST")


def after(order: Order, values: Sequence[Any], args: Arguments) -> str:
    """SQL: the row comes after the one that has these values."""
    if len({key.is_descending for key in order}) == 1 and not any(k.is_nullable for k in order):
        left = ", ".join(key.expression for key in order)
        right = ", ".join(args.add(v, k.cast) for k, v in zip(order, values, strict=True))
        return f"({left}) {'<' if order[0].is_descending else '>'} ({right})"
    first, value = order[0], values[0]
    beyond = _beyond(first, value, args)
    if len(order) == 1:
        return beyond
    same = f"{first.expression} IS NOT DISTINCT FROM {args.add(value, first.cast)}"
    return f"({beyond} OR ({same} AND {after(order[1:], values[1:], args)}))"


def _beyond(key: Key, value: Any, args: Arguments) -> str:
    if value is None:
        return f"{key.expression} IS NOT NULL" if key.is_reversed else "false"
    sign = "<" if key.is_descending else ">"
    test = f"{key.expression} {sign} {args.add(value, key.cast)}"
    if key.is_nullable and not key.is_reversed:
        return f"({test} OR {key.expression} IS NULL)"
    return test
