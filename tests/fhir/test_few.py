"""app/fhir/few.py: what decides a plan is counted once in a while."""

import pytest

from app.fhir import few
from app.fhir.few import BELIEVED, MOST, Few


class Counted:
    def __init__(self) -> None:
        self.times, self.answer = 0, True

    async def __call__(self) -> bool:
        self.times += 1
        return self.answer


async def test_a_count_is_believed_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    known, count, now = Few(), Counted(), 1000.0
    monkeypatch.setattr(few.time, "monotonic", lambda: now)
    assert [await known.is_so("a", count) for _ in range(3)] == [True] * 3
    count.answer = False
    now += BELIEVED - 1
    assert await known.is_so("a", count)
    now += 1
    assert not await known.is_so("a", count)
    assert count.times == 2


async def test_each_caller_is_counted() -> None:
    known, few_, many = Few(), Counted(), Counted()
    many.answer = False
    assert await known.is_so("a", few_)
    assert not await known.is_so("b", many)
    assert await known.is_so("a", many)


async def test_no_more_callers_are_remembered_than_there_is_room_for() -> None:
    known, count = Few(), Counted()
    for caller in range(MOST + 1):
        await known.is_so(caller, count)
    await known.is_so(MOST, count)
    assert count.times == MOST + 1
    await known.is_so(0, count)
    assert count.times == MOST + 2
