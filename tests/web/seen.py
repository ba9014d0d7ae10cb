"""What was seen on a page, and what is stored."""

import httpx

from app.routers.web.screen import words
from tests.http.conftest import Json
from tests.smart.browser import Page
from tests.smart.conftest import World


async def stored(world: World, path: str) -> Json:
    operator = await world.service.as_("operator")
    response = await operator.get(path)
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


async def provenances(world: World) -> list[Json]:
    found = await stored(world, "/Provenance?target=CarePlan/ada-plan&_count=100")
    return [entry["resource"] for entry in found.get("entry", ())]


def text(response: httpx.Response) -> str:
    return " ".join(Page(response.text).text)


def told(response: httpx.Response, status: int, key: str) -> None:
    assert response.status_code == status, response.text
    assert words("en")(key) in text(response)
