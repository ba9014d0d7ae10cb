"""Together: reads of the same text that wait at the same time become one statement.

Beginning a statement costs PostgreSQL and its driver more than finding a few rows by key. Whoever
comes while the same text is being asked waits for the next turn, which answers several callers: the
busier the server, the less a read costs. Nobody waits where nobody else asks. A turn begins after
all whom it answers have come, so that everybody sees what was committed before they asked.
docs/decisions/0024-together.md
"""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from asyncpg import DataError, Record

ABREAST = 4
"""Turns of one text that may be under way at the same time: other texts need connections, too."""

SLOW = 0.01
"""Seconds after which another turn begins beside one; until then it is cheaper to wait."""

MOST = 8
"""Callers whom one turn answers: with more, the worker and PostgreSQL wait for each other."""

TEXTS = 512
"""Texts for which the types of the parameters are remembered."""

PLACE = re.compile(r"\$(\d+)")

Values = tuple[Any, ...]
Types = tuple[str, ...]
Fetch = Callable[[str, Values], Awaitable[list[Record]]]
Describe = Callable[[str], Awaitable[Types]]


@dataclass(frozen=True, slots=True, eq=False)
class _Caller:
    """The values somebody asks with, and where the rows go."""

    values: Values
    lists: list[Any]
    """Those of the values that are lists: they must be the same for all whom a turn answers."""

    rows: "asyncio.Future[list[Record]]"


class _Apart(Exception):
    """Somebody's value was refused: each is to ask alone, so that only they are told of it."""


class _Line:
    """Who waits to ask one text, and how many turns are under way: at least one."""

    __slots__ = ("timer", "turns", "waiting")

    def __init__(self) -> None:
        self.timer: asyncio.TimerHandle | None = None
        self.turns = 1
        self.waiting: deque[_Caller] = deque()

    def next(self) -> list[_Caller]:
        """Take the callers of the next turn off the line: the first, and those with the same lists;
        nobody who has given up."""
        there = [caller for caller in self.waiting if not caller.rows.done()]
        chosen = [caller for caller in there if caller.lists == there[0].lists][:MOST]
        self.waiting = deque(caller for caller in there if caller not in chosen)
        return chosen


class Together:
    """The lines of one worker; belongs to one event loop.

    `fetch` runs a statement, `describe` tells the PostgreSQL types of its parameters.
    """

    def __init__(self, fetch: Fetch, describe: Describe) -> None:
        self._fetch = fetch
        self._describe = describe
        self._types: dict[str, Types] = {}
        self._lines: dict[str, _Line] = {}
        self._turns: set[asyncio.Task[None]] = set()

    async def fetch(self, sql: str, values: Values) -> list[Record]:
        """The rows of one SELECT, in its order; they may have one more column at the end, `at_`.

        Raises what `fetch` raises for the values of this caller.
        """
        line = self._lines.get(sql)
        if line is not None:
            try:
                return await self._wait(sql, line, values)
            except _Apart:
                return await self._fetch(sql, values)
        line = self._lines[sql] = _Line()
        try:
            return await self._fetch(sql, values)
        finally:
            self._hand_on(sql, line)

    def _wait(self, sql: str, line: _Line, values: Values) -> "asyncio.Future[list[Record]]":
        lists = [value for value in values if isinstance(value, list | tuple)]
        caller = _Caller(values, lists, asyncio.get_running_loop().create_future())
        line.waiting.append(caller)
        self._watch(sql, line)
        return caller.rows

    def _watch(self, sql: str, line: _Line) -> None:
        if line.waiting and line.timer is None:
            loop = asyncio.get_running_loop()
            line.timer = loop.call_later(SLOW, self._go_beside, sql, line)

    def _go_beside(self, sql: str, line: _Line) -> None:
        """The turns under way take long: whoever waits has one beside them."""
        line.timer = None
        if line.turns < ABREAST and (callers := line.next()):
            line.turns += 1
            self._begin(sql, line, callers)
        self._watch(sql, line)

    def _begin(self, sql: str, line: _Line, callers: Sequence[_Caller]) -> None:
        turn = asyncio.create_task(self._take_turn(sql, line, callers))
        self._turns.add(turn)
        turn.add_done_callback(self._turns.discard)

    def _hand_on(self, sql: str, line: _Line) -> None:
        """End a turn: whoever came meanwhile has the next one."""
        if line.timer is not None:
            line.timer.cancel()
            line.timer = None
        if callers := line.next():
            self._begin(sql, line, callers)
            self._watch(sql, line)
            return
        line.turns -= 1
        if line.turns == 0:
            del self._lines[sql]

    async def _take_turn(self, sql: str, line: _Line, callers: Sequence[_Caller]) -> None:
        try:
            for caller, rows in zip(callers, await self._answers(sql, callers), strict=True):
                if not caller.rows.done():
                    caller.rows.set_result(rows)
        except Exception as error:
            is_apart = isinstance(error, DataError) and len(callers) > 1
            _refuse(callers, _Apart() if is_apart else error)
        finally:
            for caller in callers:
                caller.rows.cancel()
            self._hand_on(sql, line)

    async def _answers(self, sql: str, callers: Sequence[_Caller]) -> Iterable[list[Record]]:
        if len(callers) == 1:
            return [await self._fetch(sql, callers[0].values)]
        return await self._of_all(sql, callers)

    async def _of_all(self, sql: str, callers: Sequence[_Caller]) -> Iterable[list[Record]]:
        many = of_all(sql, await self._types_of(sql))
        if not many.columns:
            rows = await self._fetch(sql, callers[0].values)
            return [rows for _ in callers]
        shared = (callers[0].values[at] for at in many.lists)
        columns = ([caller.values[at] for caller in callers] for at in many.columns)
        found: list[list[Record]] = [[] for _ in callers]
        for row in await self._fetch(many.sql, (*shared, *columns)):
            found[row["at_"] - 1].append(row)
        return found

    async def _types_of(self, sql: str) -> Types:
        if sql not in self._types:
            if len(self._types) >= TEXTS:
                self._types.clear()
            self._types[sql] = await self._describe(sql)
        return self._types[sql]


@dataclass(frozen=True, slots=True)
class OfAll:
    """A statement for many callers; `lists` and `columns` are the places of the values it takes:
    the lists of any of them, and for each column a value of every caller."""

    sql: str
    lists: list[int]
    columns: list[int]


@lru_cache(maxsize=TEXTS)
def of_all(sql: str, types: Types) -> OfAll:
    """A SELECT asked once for each of many callers; its last column, `at_`, is the caller's number.

    Whatever is not a list becomes a column of a table of callers. `types` are those of the
    parameters.
    """
    lists = [at for at, type_ in enumerate(types) if type_.endswith("[]")]
    columns = [at for at in range(len(types)) if at not in lists]
    places = {at: f"${number}" for number, at in enumerate([*lists, *columns], 1)}
    names = {at: f"of_{at + 1}" for at in columns}
    table = ", ".join(f"{places[at]}::{types[at]}[]" for at in columns)
    one = PLACE.sub(lambda found: _place(int(found[1]) - 1, names, places), sql)
    return OfAll(
        f"SELECT s_.*, q_.at_ FROM unnest({table}) WITH ORDINALITY"
        f" AS q_({', '.join(names.values())}, at_) CROSS JOIN LATERAL ({one}) AS s_",
        lists,
        columns,
    )


def _place(at: int, names: Mapping[int, str], places: Mapping[int, str]) -> str:
    return f"q_.{names[at]}" if at in names else places[at]


def _refuse(callers: Iterable[_Caller], error: BaseException) -> None:
    for caller in callers:
        if not caller.rows.done():
            caller.rows.set_exception(error)
