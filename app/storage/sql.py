"""The two ends of an SQL statement: the arguments that go in, the rows that come out."""

from typing import Any, Protocol


class Arguments:
    """Values for the placeholders of a statement; pass `*arguments.values` to the database."""

    __slots__ = ("values",)

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = list(values)

    def add(self, value: Any, cast: str | None = None) -> str:
        """The placeholder of one more value: "$3", or "$3::bigint[]" with a cast."""
        self.values.append(value)
        place = f"${len(self.values)}"
        return f"{place}::{cast}" if cast else place


class Row(Protocol):
    """A row by column name, whether a database Record or a dict."""

    def __getitem__(self, column: str, /) -> Any: ...
