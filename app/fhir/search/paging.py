"""Paging: where in the order of a search a page begins, as the cursor of a page link holds it.

A position is the sort key values of a row, never a permission and never a result: pages are
stateless, and a row that came or went does not shift the others.
https://hl7.org/fhir/R4/http.html#paging
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from asyncpg import Record

from app.fhir.search.query import Query
from app.fhir.search.sort import Key, order_of

READERS: Mapping[str, Callable[[Any], Any]] = {
    "timestamptz": datetime.fromisoformat,
    "numeric": Decimal,
    "text": str,
    "bigint": int,
}
"""How the value of a key is read from a cursor, by its SQL type."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an order: the values of its keys in the row that a page begins after.

    `is_missing`: among the resources without the first key. `is_backward`: the page ends before it.
    """

    is_missing: bool
    is_backward: bool
    values: tuple[Any, ...]


def from_cursor(query: Query, content: Sequence[Any] | None) -> Position | None:
    """The position that a cursor of this query holds."""
    if content is None:
        return None
    is_missing, is_backward, values = content
    order = order_of(query, is_missing=is_missing)
    read = tuple(map(_read, order, values))
    return Position(is_missing, is_backward, read)


def _read(key: Key, value: Any) -> Any:
    return None if value is None else READERS[key.cast](value)


def to_cursor(query: Query, row: Record, *, is_backward: bool) -> list[Any]:
    """What the cursor of the page after (or before) this row holds."""
    is_missing = row.get("is_missing") or False
    order = order_of(query, is_missing=is_missing)
    return [is_missing, is_backward, [_written(row[key.name]) for key in order]]


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
