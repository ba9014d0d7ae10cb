"""Sharing: what one caller asks to write at the same time is written in one transaction.

Written by itself, each request costs round trips, a commit and a flush of the disk. While some of a
caller's are under way, those that come meanwhile gather, and the next transaction takes them all:
the busier the caller, the less each costs. docs/decisions/0025-writes.md
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from app.fhir.errors import FHIRError, Unavailable
from app.storage.database import DatabaseAway

UNDER_WAY = 2
"""Transactions of one caller at a time, before others gather: one of them may be at the disk."""

MOST = 100
"""Resources that one transaction takes along."""

Key = tuple[str, str]
"""The type and logical id of a resource."""


class Asked(Protocol):
    """What is asked to be written: the types and ids of its resources."""

    @property
    def keys(self) -> Collection[Key]: ...


A = TypeVar("A", bound=Asked)
R = TypeVar("R")


class Apart(Exception):
    """What was asked cannot be written together with others: each is to be written by itself."""


@dataclass(frozen=True, slots=True)
class Ways(Generic[A, R]):
    """How to write one by itself, waiting for whatever it takes; and one or several in one
    transaction, all of them or none, without waiting for anybody's lock."""

    alone: Callable[[A], Awaitable[R]]
    together: Callable[[Sequence[A]], Awaitable[Sequence[R]]]


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[A, R]):
    asked: A
    done: "asyncio.Future[R]"


@dataclass(slots=True)
class _Line(Generic[A, R]):
    """How many transactions a caller has under way, what they change, and what waits, in the order
    of asking."""

    under_way: int = 0
    changing: set[Key] = field(default_factory=set)
    waiting: deque[_Waiting[A, R]] = field(default_factory=deque)


class Sharing(Generic[A, R]):
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, _Line[A, R]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, caller: Hashable, asked: A, ways: Ways[A, R]) -> R:
        """Write it, by itself or with others of the same caller. If one of them is refused, each is
        written by itself, so that nobody is told of another's refusal.

        Raises whatever `ways.alone` does.
        """
        line = self._lines.setdefault(caller, _Line())
        waiting: _Waiting[A, R] = _Waiting(asked, asyncio.get_running_loop().create_future())
        line.waiting.append(waiting)
        if line.under_way < UNDER_WAY:
            line.under_way += 1
            # A task, so that what else came in this turn of the event loop is taken along.
            task = asyncio.create_task(self._go(caller, line, ways))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            return await waiting.done
        except Apart:
            return await ways.alone(asked)

    async def _go(self, caller: Hashable, line: _Line[A, R], ways: Ways[A, R]) -> None:
        """Write what waits until nothing does, or only what somebody else is changing."""
        try:
            while batch := taken(line.waiting, line.changing):
                keys = {key for each in batch for key in each.asked.keys}
                line.changing |= keys
                await _settle(batch, ways)
                line.changing -= keys
        finally:
            line.under_way -= 1
            if not line.under_way:
                del self._lines[caller]
                _leave(line.waiting)


def taken(waiting: deque[_Waiting[A, R]], changing: Collection[Key] = ()) -> list[_Waiting[A, R]]:
    """Take the first of those who wait, at most MOST resources, none of them twice and none that is
    being changed.

    The others stay, and nobody who asks for the same resource gets ahead of them.
    """
    found: list[_Waiting[A, R]] = []
    left: list[_Waiting[A, R]] = []
    seen, most = set(changing), MOST + len(changing)
    for each in waiting:
        if each.done.done():
            continue
        is_next = len(seen) + len(each.asked.keys) <= most and seen.isdisjoint(each.asked.keys)
        (found if is_next else left).append(each)
        seen.update(each.asked.keys)
    waiting.clear()
    waiting.extend(left)
    return found


async def _settle(batch: Sequence[_Waiting[A, R]], ways: Ways[A, R]) -> None:
    """Write a batch, and tell those who wait what became of it."""
    try:
        found = await ways.together([each.asked for each in batch])
    except Exception as error:
        # Of a database that went away nobody knows whether it was written. What is wrong with one
        # that is by itself is its own; a lock that is taken it waits for elsewhere.
        is_own = len(batch) == 1 and isinstance(error, FHIRError)
        is_told = is_own or isinstance(error, DatabaseAway | Unavailable)
        for each in batch:
            if not each.done.done():
                each.done.set_exception(error if is_told else Apart())
    else:
        for each, result in zip(batch, found, strict=True):
            if not each.done.done():
                each.done.set_result(result)
    finally:
        _leave(batch)


def _leave(waiting: Iterable[_Waiting[A, R]]) -> None:
    """Nobody waits for what was cut short, as when the server stops."""
    for each in waiting:
        each.done.cancel()
