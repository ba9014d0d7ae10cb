"""Who goes away, fails or comes alone takes nothing from those who share a transaction."""

import asyncio
from collections.abc import Sequence

import pytest

from app.fhir.errors import Gone
from app.fhir.sharing import UNDER_WAY, Ways
from tests.fhir.test_sharing import Desk, Wish, asked, settled, wishes


@pytest.mark.parametrize("failing", [{}, {"w1": Gone("w1 is gone")}], ids=["written", "refused"])
async def test_who_goes_away_meanwhile_keeps_no_answer_from_the_others(
    failing: dict[str, Exception],
) -> None:
    desk = Desk(dict(failing))
    desk.open.set()
    first = desk.ask(Wish("before"))
    await settled(first)
    desk.open.clear()
    tasks = desk.ask(*wishes(3))
    while desk.begun < 2:
        await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.sleep(0)
    desk.open.set()
    _, second, third = await settled(tasks)
    assert third == "w2 is written"
    assert str(second) == ("w1 is gone" if failing else "w1 is written")
    assert desk.sharing._lines == {}


async def test_no_more_are_under_way_than_so_many() -> None:
    desk = Desk()
    tasks = await asked(desk, *wishes(4))
    tasks += desk.ask(*wishes(4, first=4))
    for _ in range(20):
        await asyncio.sleep(0)
    assert desk.begun == UNDER_WAY
    desk.open.set()
    await settled(tasks)


async def test_one_that_comes_alone_leaves_nothing() -> None:
    desk = Desk()
    desk.open.set()
    await settled(desk.ask(Wish("w0")))
    await asyncio.sleep(0)
    assert desk.sharing._lines == {}
    assert desk.sharing._tasks == set()


async def test_a_caller_stays_in_line_while_something_of_theirs_is_under_way() -> None:
    """Or there would be more and more transactions at a time."""
    desk, first, begun = Desk(), asyncio.Event(), list[str]()

    async def alone(wish: Wish) -> str:
        begun.append(wish.name)
        await (first.wait() if wish.name == "w0" else desk.open.wait())
        return wish.name

    async def together(several: Sequence[Wish]) -> list[str]:
        return [await alone(wish) for wish in several]

    ways = Ways(alone, together)
    tasks = []
    for wish in wishes(UNDER_WAY):
        tasks.append(asyncio.create_task(desk.sharing.write("ada", wish, ways)))
        while len(begun) < len(tasks):
            await asyncio.sleep(0)
    first.set()
    await tasks[0]
    for _ in range(5):
        await asyncio.sleep(0)
    assert desk.sharing._lines["ada"].under_way == UNDER_WAY - 1
    desk.open.set()
    await settled(tasks)


async def test_one_that_comes_alone_and_is_refused_is_not_tried_again() -> None:
    desk = Desk({"w0": Gone("w0 is gone")})
    desk.open.set()
    [answer] = await settled(desk.ask(Wish("w0")))
    assert str(answer) == "w0 is gone"
    assert desk.begun == 1


async def test_who_finds_a_lock_taken_waits_for_it_beside_the_line() -> None:
    desk, free = Desk(), asyncio.Event()

    async def alone(wish: Wish) -> str:
        await free.wait()
        return f"{wish.name} alone"

    async def together(several: Sequence[Wish]) -> list[str]:
        if any(wish.name.startswith("held") for wish in several):
            raise LookupError("taken")
        return [f"{wish.name} of {len(several)}" for wish in several]

    ways = Ways(alone, together)
    held = [
        asyncio.create_task(desk.sharing.write("ada", Wish(f"held{at}"), ways))
        for at in range(2 * UNDER_WAY)
    ]
    await asyncio.sleep(0.01)
    assert await desk.sharing.write("ada", Wish("w0"), ways) == "w0 of 1"
    both = [desk.sharing.write("ada", wish, ways) for wish in wishes(2)]
    assert await asyncio.gather(*both) == ["w0 of 2", "w1 of 2"]
    free.set()
    assert await asyncio.gather(*held) == [f"held{at} alone" for at in range(2 * UNDER_WAY)]


async def test_what_is_being_changed_waits_for_its_turn() -> None:
    desk = Desk()
    before = desk.ask(Wish("w0", resource="g"))
    while desk.begun < 1:
        await asyncio.sleep(0)
    tasks = desk.ask(Wish("w1", resource="g"), Wish("w2"))
    while desk.begun < UNDER_WAY:
        await asyncio.sleep(0)
    desk.open.set()
    await settled([*before, *tasks])
    assert sorted(desk.written) == [["w0"], ["w1"], ["w2"]]
    assert desk.written.index(["w1"]) > desk.written.index(["w0"])


async def test_nobody_waits_for_what_was_cut_short() -> None:
    desk = Desk()
    tasks = await asked(desk, *wishes(3))
    for task in tuple(desk.sharing._tasks):
        task.cancel()
    answers = await settled(tasks)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers)
    assert desk.sharing._lines == {}
    desk.open.set()
    assert await settled(desk.ask(Wish("after"))) == ["after is written"]
