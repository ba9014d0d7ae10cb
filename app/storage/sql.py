"""The two ends of an SQL statement: the arguments that go in, the rows that come out."""

import re
from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from typing import Any, Protocol, Self

from asyncpg import Connection as _Connection
from asyncpg.pool import PoolConnectionProxy

Connection = _Connection | PoolConnectionProxy
"""A connection, of a pool or not."""

NAME = re.compile(r"[A-Za-z0-9.-]+")

Named = tuple[tuple[Hashable, str], ...]
Beginning = tuple[int, tuple[Hashable, ...], Named]
"""How many values, which queries and which shared values a statement has, when a part of it is
begun."""

Needs = tuple[tuple[Any, ...], Named, Named]
"""The values, queries and shared values that a part of a statement adds to it."""


class Arguments:
    """Values for the placeholders of a statement, and queries it asks once and uses often.

    A statement is complete by `statement` only.
    """

    __slots__ = ("_once", "_shared", "values")

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = list(values)
        self._once: dict[Hashable, str] = {}
        self._shared: dict[Hashable, str] = {}

    def add(self, value: Any, cast: str | None = None) -> str:
        """The placeholder of one more value: "$3", or "$3::bigint[]" with a cast."""
        self.values.append(value)
        place = f"${len(self.values)}"
        return f"{place}::{cast}" if cast else place

    def shared(self, values: tuple[Any, ...], cast: str) -> str:
        """The placeholder of an array that all parts of the statement have in common."""
        key = values, cast
        if key not in self._shared:
            self._shared[key] = self.add(list(values), cast)
        return self._shared[key]

    def once(self, column: str, key: Hashable, query: Callable[[], str]) -> str:
        """A column of the one row of a query, which the statement asks once for each key."""
        if key not in self._once:
            self._once[key] = query()
        return f"(SELECT {column} FROM once_{[*self._once].index(key)})"

    @classmethod
    def after(cls, beginning: Beginning) -> Self:
        """Those of a statement that has come so far, for a part that is made to be kept."""
        args = cls(*(None for _ in range(beginning[0])))
        args._once.update((key, "") for key in beginning[1])
        args._shared.update(beginning[2])
        return args

    @property
    def beginning(self) -> Beginning:
        """Where a part begins: the same part is the same text only after the same beginning."""
        return len(self.values), tuple(self._once), tuple(self._shared.items())

    def needs(self, beginning: Beginning) -> Needs:
        """What was added since."""
        once, shared = tuple(self._once.items()), tuple(self._shared.items())
        return (
            tuple(self.values[beginning[0] :]),
            once[len(beginning[1]) :],
            shared[len(beginning[2]) :],
        )

    def take(self, needs: Needs) -> None:
        """Add what a part that was kept needs."""
        self.values.extend(needs[0])
        self._once.update(needs[1])
        self._shared.update(needs[2])

    def statement(self, sql: str) -> tuple[Any, ...]:
        """The statement with all it needs, and its values: what the database is given."""
        if not self._once:
            return sql, *self.values
        tables = ", ".join(
            f"once_{at} AS MATERIALIZED ({query})" for at, query in enumerate(self._once.values())
        )
        rest = f", {sql[5:]}" if sql.startswith("WITH ") else f" {sql}"
        return f"WITH {tables}{rest}", *self.values


def literals(names: Iterable[str]) -> str:
    """Names of the specification or of this code, never a caller's text, as SQL literals."""
    return ", ".join(f"'{name}'" for name in names)


@lru_cache(maxsize=512)
def array(names: tuple[str, ...]) -> str:
    """Such names as an SQL array of text. Raises ValueError for what cannot be one."""
    if not all(map(NAME.fullmatch, names)):
        raise ValueError("no name of the specification or of this code")
    return f"ARRAY[{literals(names)}]::text[]"


class Row(Protocol):
    """A row by column name, whether a database Record or a dict."""

    def __getitem__(self, column: str, /) -> Any: ...
