"""What $consent-decision is asked, and what it answers."""

from typing import Any

import httpx
import pytest

from tests.build import SUD, goal, organization
from tests.http.conftest import Json, load


def parameters(**given: Any) -> Json:
    parts = []
    for name, value in given.items():
        if isinstance(value, dict) and "resourceType" in value:
            parts.append({"name": name, "resource": value})
        elif isinstance(value, dict):
            parts.append({"name": name, "valueReference": value})
        else:
            parts.append({"name": name, "valueString": value})
    made: Json = {"resourceType": "Parameters"}
    return made | ({"parameter": parts} if parts else {})


async def decisions(client: httpx.AsyncClient, **given: Any) -> list[Json]:
    url = "/Patient/ada/$consent-decision"
    response = await client.post(url, json=parameters(**given))
    assert response.status_code == 200, response.text
    return [told(each) for each in response.json().get("parameter", [])]


def told(decision: Json) -> Json:
    made: Json = {}
    for part in decision["part"]:
        [value] = [v for k, v in part.items() if k.startswith("value")]
        made[part["name"]] = value["reference"] if isinstance(value, dict) else value
    return made


@pytest.fixture
async def world(operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str) -> None:
    await load(operator, organization("partner"), goal("sober", **SUD))
