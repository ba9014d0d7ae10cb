"""The web view with the people of the SMART tests: ada and her plan, grace her key worker."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from tests.smart.browser import Browser, Form, Page
from tests.smart.conftest import World, world

PLAN, GOAL = "/plans/ada-plan", "/plans/ada-plan/goals/ada-goal-1"


@dataclass
class Reader:
    """Somebody at the web view, by HTTP alone."""

    browser: Browser
    root: str

    async def see(self, path: str = "", **parameters: str) -> httpx.Response:
        return await self.browser.get(f"{self.root}{path}", **parameters)

    async def form(self, path: str, action: str) -> Form:
        """A form of a page that can be seen."""
        response = await self.see(path)
        assert response.status_code == 200, response.text
        return Page(response.text).form(action)

    async def send(self, form: Form, **values: str | None) -> httpx.Response:
        return await self.browser.send(form, **values)  # type: ignore[arg-type]


async def reader(world: World, username: str = "ada", **headers: str) -> Reader:
    """Somebody who signed in and allowed the web view what it asks."""
    browser = await world.signed_in(username)
    browser.http.headers.update(headers)
    found = Reader(browser, f"{world.issuer}/app")
    response = await found.see()
    allowed = await browser.send(Page(response.text).form("/approve"), decision="allow")
    assert allowed.status_code == 200, allowed.text
    assert urlsplit(str(allowed.url)).path == "/app"
    return found


__all__ = ["world"]
