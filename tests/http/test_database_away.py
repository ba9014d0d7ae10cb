"""The database goes away and comes back; the service says so and carries on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from app.storage import postmaster
from app.storage.embedded import TUNING
from app.storage.migrate import migrate
from app.storage.postmaster import Server
from tests.build import goal, organization, plan
from tests.conftest import FAST
from tests.http.conftest import COUNTY, Service, load, refused, serving


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A PostgreSQL of its own, to be stopped and started at will."""
    server = postmaster.locate(Path(tmp_path_factory.mktemp("away")))
    start(server)
    yield server
    postmaster.stop(server)


def start(server: Server) -> None:
    postmaster.start(server, {**TUNING, **FAST, "shared_buffers": "32MB"})


@pytest.fixture
async def service(own: Server) -> AsyncIterator[Service]:
    await migrate(own.dsn)
    async with serving(own.dsn) as running:
        operator = await running.as_("operator")
        await load(operator, organization("county"), *plan(organization=COUNTY))
        yield running


async def test_while_the_database_is_away_the_service_says_so_and_afterwards_goes_on(
    own: Server, service: Service
) -> None:
    client = await service.as_("provider-organization", COUNTY)
    before = await client.get("/Goal/ada-goal-1")
    for _ in range(2):
        postmaster.stop(own)
        for response in await everything(client):
            refused(response, 503, "transient")
            assert int(response.headers["retry-after"]) > 0
        start(own)
        assert (await client.get("/Goal/ada-goal-1")).content == before.content
    made = await client.put("/Goal/ada-goal-1", json=goal(lifecycleStatus="completed"))
    assert made.headers["etag"] == 'W/"2"'


async def everything(client: httpx.AsyncClient) -> list[httpx.Response]:
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": "Patient/ada"}}],
    }
    return [
        await client.get("/Goal/ada-goal-1"),
        await client.get("/Goal?patient=ada"),
        await client.get("/Goal/_history"),
        await client.post("/Goal", json=goal()),
        await client.put("/Goal/ada-goal-1", json=goal(lifecycleStatus="completed")),
        await client.delete("/Goal/ada-goal-1"),
        await client.post("", json=batch),
    ]


async def test_a_token_nobody_has_seen_yet_waits_for_the_database_too(
    own: Server, service: Service
) -> None:
    fresh = await service.as_("provider-organization", COUNTY, client_id="fresh")
    postmaster.stop(own)
    response = await fresh.get("/Goal/ada-goal-1")
    start(own)
    refused(response, 503, "transient")
    assert (await fresh.get("/Goal/ada-goal-1")).status_code == 200


async def test_a_crash_in_the_middle_of_writing_leaves_nothing_half(
    own: Server, service: Service
) -> None:
    client = await service.as_("provider-organization", COUNTY)
    versions = await service.app.state.engine.database.fetchval(
        "SELECT count(*) FROM resource_version"
    )
    postmaster.stop(own)
    assert (await client.post("/Goal", json=goal())).status_code == 503
    start(own)
    await asyncio.sleep(
        0.05
    )  # starting blocked the loop, which has yet to hear of lost connections
    again = "SELECT count(*) FROM resource_version"
    assert await service.app.state.engine.database.fetchval(again) == versions
