"""The database goes away and comes back; the service says so and carries on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.storage import postmaster
from app.storage.embedded import TUNING
from app.storage.migrate import migrate
from app.storage.postmaster import Server
from tests.build import goal, organization, plan, transaction
from tests.conftest import CLEAN, FAST
from tests.http.conftest import COUNTY, Service, load, refused, serving

VERSIONS = "SELECT count(*) FROM resource_version"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
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
        owner = await asyncpg.connect(own.dsn)
        await owner.execute(CLEAN)
        await owner.close()
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


async def test_a_stop_in_the_middle_of_a_transaction_leaves_nothing_half(
    own: Server, service: Service
) -> None:
    client = await service.as_("provider-organization", COUNTY)
    database = service.app.state.engine.database
    before = await database.fetchval(VERSIONS)
    other = await asyncpg.connect(own.dsn)
    await other.execute("BEGIN; SELECT FROM resource WHERE id = 'ada-goal-2' FOR UPDATE")
    wishes = [goal(id_, description={"text": "New"}) for id_ in ("ada-goal-1", "ada-goal-2")]
    writing = asyncio.create_task(client.post("", json=transaction(*wishes)))
    while not await other.fetchval(WAITING):
        await asyncio.sleep(0.002)
    postmaster.stop(own)
    refused(await writing, 503, "transient")
    other.terminate()
    start(own)
    assert await database.fetchval(VERSIONS) == before
    assert (await client.post("", json=transaction(*wishes))).status_code == 200
