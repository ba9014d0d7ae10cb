"""Whoever signs in learns by no answer and by no clock of people who are hidden from them."""

import asyncio
import re
import time

import pytest

from tests.build import organization, patient
from tests.http.conftest import load
from tests.security.test_timing import STATEMENTS, listened
from tests.smart.browser import Browser, Form, Page
from tests.smart.conftest import SCOPE, World, world

__all__ = ["listened", "world"]

TOKENS = re.compile(r'value="[^"]*"')


@pytest.fixture
async def asked(world: World) -> tuple[Browser, Form]:
    """Grace, who is asked whose records an app is for; cem is nobody's she knows."""
    operator = await world.service.as_("operator")
    await load(operator, organization("elsewhere"), patient("cem", "Organization/elsewhere"))
    app, browser = await world.app(), await world.signed_in("grace")
    page = Page((await world.asked(app, browser, SCOPE)).text)
    return browser, page.form("/patient")


async def test_choosing_who_is_hidden_is_choosing_nobody(
    world: World, asked: tuple[Browser, Form], listened: None
) -> None:
    browser, form = asked
    answers = [await browser.send(form, patient=who) for who in ("cem", "nil")]
    assert [each.status_code for each in answers] == [404, 404]
    hidden, nothing = (TOKENS.sub("", each.text) for each in answers)
    assert hidden == nothing
    found = [await statements(browser, form, who) for who in ("nil", "cem", "nil")]
    assert found[1] == found[2]
    assert len(found[1]) > 2


async def statements(browser: Browser, form: Form, who: str) -> list[str]:
    """What the database is asked when somebody is chosen."""
    noted: list[str] = []
    token = STATEMENTS.set(noted)
    try:
        await browser.send(form, patient=who)
    finally:
        STATEMENTS.reset(token)
    return noted


async def test_the_choice_of_a_person_leaves_at_a_step(
    world: World, asked: tuple[Browser, Form], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    browser, form = asked
    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    step = world.service.settings.even_milliseconds / 1000
    for who in ("cem", "nil"):
        waited.clear()
        await browser.send(form, patient=who)
        assert waited.count(step) == 1
