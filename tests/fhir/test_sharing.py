"""What one caller asks for at the same time is written together, and answered one by one."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from app.fhir.errors import Gone, Unavailable
from app.fhir.sharing import MOST, UNDER_WAY, Sharing, Ways
from app.storage.database import DatabaseAway


@dataclass(frozen=True, slots=True)
class Wish:
    """Something to be written, of so many resources."""

    name: str
    resource: str = ""
    size: int = 1

    @property
    def keys(self) -> list[tuple[str, str]]:
        return [("Goal", f"{self.resource or self.name}{at}") for at in range(self.size)]


class Desk:
    """Writes down what was written in one go; what is there to fail fails."""

    def __init__(self, failing: dict[str, Exception] | None = None) -> None:
        self.sharing: Sharing[Wish, str] = Sharing()
        self.written: list[list[str]] = []
        self.failing = failing or {}
        self.open = asyncio.Event()
        self.begun = 0

    async def alone(self, wish: Wish) -> str:
        return (await self.together([wish]))[0]

    async def together(self, several: Sequence[Wish]) -> list[str]:
        names = [wish.name for wish in several]
        self.begun += 1
        await self.open.wait()
        for name in names:
            if name in self.failing:
                raise self.failing[name]
        self.written.append(names)
        return [f"{name} is written" for name in names]

    @property
    def after(self) -> list[list[str]]:
        """What was written after those that made it wait."""
        return [names for names in self.written if not names[0].startswith("before")]

    def ask(self, *wishes: Wish, caller: str = "ada") -> list["asyncio.Task[str]"]:
        ways = Ways(self.alone, self.together)
        return [asyncio.create_task(self.sharing.write(caller, one, ways)) for one in wishes]


def wishes(count: int, first: int = 0) -> list[Wish]:
    return [Wish(f"w{number}") for number in range(first, first + count)]


async def settled(tasks: Sequence["asyncio.Task[str]"]) -> list[str | BaseException]:
    async with asyncio.timeout(5):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def asked(desk: Desk, *wanted: Wish, caller: str = "ada") -> list["asyncio.Task[str]"]:
    """As many as make the others wait are under way, and these wait."""
    before: list[asyncio.Task[str]] = []
    already = desk.begun
    for at in range(UNDER_WAY):
        before += desk.ask(Wish(f"before{at}"), caller=caller)
        while desk.begun - already <= at:
            await asyncio.sleep(0)
    tasks = desk.ask(*wanted, caller=caller)
    await asyncio.sleep(0)
    return before + tasks


async def test_what_comes_while_nothing_else_does_is_written_by_itself() -> None:
    desk = Desk()
    desk.open.set()
    for wish in wishes(3):
        assert await settled(desk.ask(wish)) == [f"{wish.name} is written"]
    assert desk.written == [["w0"], ["w1"], ["w2"]]


async def test_what_comes_meanwhile_is_written_together_in_the_order_of_asking() -> None:
    desk = Desk()
    tasks = await asked(desk, *wishes(5))
    desk.open.set()
    answers = await settled(tasks)
    assert answers[UNDER_WAY:] == [f"w{at} is written" for at in range(5)]
    assert desk.after == [[f"w{at}" for at in range(5)]]


async def test_what_comes_at_once_is_written_together() -> None:
    desk = Desk()
    desk.open.set()
    await settled(desk.ask(*wishes(5)))
    assert desk.written == [["w0", "w1", "w2", "w3", "w4"]]


async def test_the_same_resource_is_never_written_twice_in_one_go() -> None:
    desk = Desk()
    tasks = await asked(desk, Wish("a", "x"), Wish("b", "x"), Wish("c"), Wish("d", "x"))
    desk.open.set()
    assert "b is written" in await settled(tasks)
    assert desk.after[0] == ["a", "c"]
    later = [name for names in desk.after[1:] for name in names]
    assert later == ["b", "d"]


async def test_nobody_gets_ahead_of_who_asked_for_the_same_resource_before() -> None:
    desk = Desk()
    large = Wish("large", "x", size=MOST - 1)
    tasks = await asked(desk, Wish("a", size=2), large, Wish("b", "x"), Wish("c"))
    desk.open.set()
    await settled(tasks)
    order = [name for names in desk.written for name in names]
    assert desk.after[0] == ["a"]
    assert order.index("large") < order.index("b")


async def test_callers_do_not_share() -> None:
    desk = Desk()
    mine = await asked(desk, Wish("mine"), Wish("mine too"))
    theirs = await asked(desk, Wish("theirs"), caller="ben")
    desk.open.set()
    await settled(mine + theirs)
    assert ["mine", "mine too"] in desk.written
    assert ["theirs"] in desk.written


async def test_one_that_is_refused_leaves_the_others_as_they_are() -> None:
    desk = Desk({"w1": Gone("w1 is gone")})
    tasks = await asked(desk, *wishes(3))
    desk.open.set()
    first, second, third = (await settled(tasks))[UNDER_WAY:]
    assert (first, third) == ("w0 is written", "w2 is written")
    assert str(second) == "w1 is gone"
    assert sorted(desk.after) == [["w0"], ["w2"]]


@pytest.mark.parametrize("error", [DatabaseAway("lost"), Unavailable("who knows")])
async def test_nothing_is_repeated_that_may_have_been_written(error: Exception) -> None:
    desk = Desk({"w0": error})
    tasks = await asked(desk, *wishes(3))
    desk.open.set()
    assert (await settled(tasks))[UNDER_WAY:] == [error] * 3
    assert desk.after == []


async def test_who_went_away_is_left_out() -> None:
    desk = Desk()
    tasks = await asked(desk, *wishes(3))
    tasks[UNDER_WAY].cancel()
    desk.open.set()
    await settled(tasks)
    assert desk.after == [["w1", "w2"]]


async def test_nothing_is_left_when_all_is_written() -> None:
    desk = Desk({"w1": Gone("w1 is gone")})
    tasks = await asked(desk, *wishes(8))
    desk.open.set()
    await settled(tasks)
    assert desk.sharing._lines == {}
    assert deque(desk.sharing._tasks) == deque()
