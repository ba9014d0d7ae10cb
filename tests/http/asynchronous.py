"""Requests that are answered later, and a worker that does them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from app.jobs.asynchronous import work
from app.storage.database import Database
from tests.build import goal, transaction
from tests.http.conftest import Json, Service

LATER = {"Prefer": "respond-async"}
Work = Callable[[], Any]
GOALS = "SELECT count(*) FROM resource WHERE type = 'Goal' AND body LIKE '%Wish%'"


@pytest.fixture
async def own(dsn: str) -> AsyncIterator[Database]:
    """The connection of a worker."""
    database = await Database.open(dsn, 1)
    yield database
    await database.close()


@pytest.fixture
def do(service: Service, own: Database) -> Work:
    """Does a piece of what waits, as a worker does; False when nothing waits."""
    return lambda: work(service.app.state.engine, own, hours=1)


async def ask(client: httpx.AsyncClient, url: str = "", body: Any = None, **headers: str) -> str:
    """Where to ask for what will come of this request."""
    method = "GET" if body is None else "POST"
    response = await client.request(method, url, json=body, headers=LATER | headers)
    assert (response.status_code, response.content) == (202, b""), response.text
    assert response.headers["preference-applied"] == "respond-async"
    return str(response.headers["content-location"])


async def told(client: httpx.AsyncClient, url: str) -> Json:
    """The one entry of the answer."""
    response = await client.get(url)
    assert response.status_code == 200, response.text
    assert response.headers["expires"]
    found = response.json()
    assert (found["resourceType"], found["type"]) == ("Bundle", "batch-response")
    [entry] = found["entry"]
    return dict(entry)


def wishes(number: int) -> Json:
    return transaction(*(_new(at) for at in range(number)))


def _new(at: int) -> Json:
    made = goal(description={"text": f"Wish {at}"})
    del made["id"]
    return made


def batch(*requests: Json) -> Json:
    return {"resourceType": "Bundle", "type": "batch", "entry": list(requests)}


def get(url: str) -> Json:
    return {"request": {"method": "GET", "url": url}}


async def counted(database: Database, table: str, number: int) -> None:
    """Wait until the table has so many rows."""
    while await database.fetchval(f"SELECT count(*) FROM {table}") != number:
        await asyncio.sleep(0.02)
