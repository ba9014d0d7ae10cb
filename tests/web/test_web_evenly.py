"""The web view tells by no clock what it does not show: app/routers/evenly.py, for people."""

import asyncio
import time

import httpx
import pytest

from tests.security.exits import Exit
from tests.security.test_timing import listened, steps
from tests.smart.conftest import World
from tests.web.conftest import GOAL, PLAN, Reader, reader

__all__ = ["listened"]

HIDDEN = [
    "/plans/bea-plan",
    "/plans/bea-plan/document",
    "/plans/bea-plan/document.pdf",
    "/plans/bea-plan/crisis-card",
    "/plans/ada-plan/goals/bea-goal-1",
    "/plans/ada-plan/goals/bea-goal-1/chart.svg",
    "/plans/ada-plan/goals/bea-goal-1/numbers",
]
FORMS = [
    (PLAN, "/review", {"reason": "I want to."}),
    (PLAN, "/signature", {"decision": "sign", "read": "yes", "content": "-"}),
    (GOAL, "/progress", {"status": "improving", "note": "A walk.", "version": "1"}),
    (GOAL, "/answer", {"answer": "agree", "version": "1"}),
]
"""The page of a form, where it is sent to, and what it says."""


def absent(path: str) -> str:
    """The same of what never was."""
    return path.replace("bea-plan", "nil-plan").replace("bea-goal", "nil-goal")


def theirs(path: str) -> str:
    """The same of somebody else's."""
    return path.replace("ada-", "bea-")


@pytest.fixture
async def ada(world: World) -> Reader:
    return await reader(world)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is waited for from now on, by a clock that nobody else has."""
    found: list[float] = []

    async def sleep(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    return found


async def sent(ada: Reader, path: str, action: str, said: dict[str, str]) -> httpx.Response:
    """A form of a page of ada's own, sent to the same of somebody else's or of nobody's."""
    mine = path.replace("bea-", "ada-").replace("nil-", "ada-")
    csrf = (await ada.form(mine, action)).values["csrf"]
    url = f"{ada.root}{path}{action}"
    origin = {"Origin": ada.browser.origin}
    return await ada.browser.http.post(url, data={**said, "csrf": csrf}, headers=origin)


async def test_a_page_about_nobody_leaves_at_a_step(
    world: World, ada: Reader, waited: list[float]
) -> None:
    step = world.service.settings.even_milliseconds / 1000
    for path in (*HIDDEN, *map(absent, HIDDEN)):
        waited.clear()
        assert (await ada.see(path)).status_code == 404
        assert waited.count(step) == 1, path


async def test_a_form_about_nobody_is_answered_at_a_step(
    world: World, ada: Reader, waited: list[float]
) -> None:
    step = world.service.settings.even_milliseconds / 1000
    for path, action, said in FORMS:
        for other in (theirs(path), absent(theirs(path))):
            waited.clear()
            assert (await sent(ada, other, action, said)).status_code == 404
            assert waited.count(step) == 1, f"{other}{action}"


async def test_a_page_about_somebody_leaves_at_once(
    world: World, ada: Reader, waited: list[float]
) -> None:
    step = world.service.settings.even_milliseconds / 1000
    for path in ("", PLAN, GOAL, f"{PLAN}/document"):
        assert (await ada.see(path)).status_code == 200
    assert waited.count(step) == 0


async def test_an_empty_list_leaves_at_a_step(world: World, waited: list[float]) -> None:
    step = world.service.settings.even_milliseconds / 1000
    gus = await reader(world, "gus")
    waited.clear()
    response = await gus.see()
    assert response.status_code == 200
    assert "/plans/" not in response.text
    assert waited.count(step) == 1


async def test_a_hidden_page_takes_the_steps_of_one_that_is_not_there(
    world: World, ada: Reader, listened: None
) -> None:
    http, database = ada.browser.http, world.database
    counted = 0
    for path in HIDDEN:
        hidden, nothing = (Exit("GET", f"{ada.root}{each}") for each in (path, absent(path)))
        await steps(http, database, nothing)
        found = await steps(http, database, hidden)
        assert found == await steps(http, database, nothing), path
        counted += len(found[1])
    assert counted > 2 * len(HIDDEN)
