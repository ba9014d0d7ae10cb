"""Pages that were open when somebody's access ended show and change nothing more."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.build import care_team, consent
from tests.http.conftest import load
from tests.smart.conftest import World
from tests.web.conftest import GOAL, PLAN, Reader, reader

GRACE = "PractitionerRole/grace-key-worker"
PAGES = [
    *(PLAN, GOAL, f"{PLAN}/document", f"{PLAN}/document.pdf", f"{PLAN}/crisis-card"),
    *(f"{GOAL}/chart.svg", f"{GOAL}/numbers"),
]
FORMS = [
    (PLAN, "/review", {"reason": "I want to."}),
    (GOAL, "/progress", {"status": "improving", "note": "A walk."}),
]


@pytest.fixture
async def operator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Lets Grace see Ada again afterwards."""
    operator = await world.service.as_("operator")
    yield operator
    gone = await operator.delete("/Consent/not-grace")
    assert gone.status_code in (200, 204, 404)


@pytest.fixture
async def grace(world: World, operator: httpx.AsyncClient) -> Reader:
    await load(operator, care_team(GRACE, id_="ada-team"))
    return await reader(world, "grace")


async def deny(operator: httpx.AsyncClient) -> None:
    await load(operator, consent(GRACE, "deny", id_="not-grace"))


async def test_an_open_page_shows_nothing_more(operator: httpx.AsyncClient, grace: Reader) -> None:
    for page in PAGES:
        assert (await grace.see(page)).status_code == 200, page
    await deny(operator)
    nothing = await grace.see("/plans/nothing")
    for page in PAGES:
        response = await grace.see(page)
        assert response.status_code == 404, page
        assert response.text == nothing.text
    for page in ("", "/reviews"):
        response = await grace.see(page)
        assert response.status_code == 200
        assert "ada-" not in response.text
        assert "Test Ada" not in response.text


async def test_a_form_that_was_open_changes_nothing_more(
    operator: httpx.AsyncClient, grace: Reader
) -> None:
    forms = [(await grace.form(page, action), said) for page, action, said in FORMS]
    await deny(operator)
    before = (await operator.get("/Patient/ada/$everything")).text
    for form, said in forms:
        response = await grace.send(form, **said)
        assert response.status_code == 404, form.action
        assert "library" not in response.text
    after = (await operator.get("/Patient/ada/$everything")).text
    assert count(after) == count(before)


def count(everything: str) -> int:
    return everything.count('"fullUrl"')
