"""What becomes of a request that waits: cancelled, expired, done once, given up."""

import asyncio

import asyncpg
import httpx
import pytest

from app.jobs.asynchronous import ATTEMPTS, work
from app.storage.database import Database, DatabaseAway
from tests.http.asynchronous import GOALS, Work, ask, batch, do, get, own, told, wishes
from tests.http.conftest import Service

__all__ = ["do", "own"]


async def test_what_is_cancelled_is_not_done(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, body=wishes(2))
    assert (await county.delete(url)).status_code == 202
    assert (await county.get(url)).status_code == 404
    assert (await county.delete(url)).status_code == 404
    assert await do() is False
    assert await database.fetchval(GOALS) == 0


async def test_an_answer_can_be_thrown_away(county: httpx.AsyncClient, ada: str, do: Work) -> None:
    url = await ask(county, "/Goal?patient=ada")
    await do()
    assert (await county.delete(url)).status_code == 202
    assert (await county.get(url)).status_code == 404


async def test_an_answer_expires(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, "/Goal?patient=ada")
    await do()
    await database.execute("UPDATE asynchronous_request SET expires = now() - interval '1 s'")
    assert (await county.get(url)).status_code == 404


async def test_workers_do_each_request_once(
    service: Service, county: httpx.AsyncClient, ada: str, dsn: str, database: Database
) -> None:
    urls = [await ask(county, body=wishes(2)) for _ in range(6)]
    workers = [await Database.open(dsn, 1) for _ in range(3)]

    async def run(worker: Database) -> None:
        while await work(service.app.state.engine, worker, hours=1):
            pass

    await asyncio.gather(*map(run, workers))
    for worker in workers:
        await worker.close()
    for url in urls:
        assert (await told(county, url))["response"]["status"] == "200 OK"
    assert await database.fetchval(GOALS) == 12


async def test_a_worker_that_dies_has_done_nothing_and_another_does_it(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, body=wishes(60))
    task = asyncio.create_task(do())
    killed = 0
    while not killed and not task.done():
        killed = await database.fetchval(
            "SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks AS l"
            " WHERE relation = 'resource_version'::regclass AND mode = 'RowExclusiveLock'"
            # Its number is the same in the databases of other tests.
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    with pytest.raises((DatabaseAway, asyncpg.PostgresError)):
        await task
    assert await database.fetchval(GOALS) == 0
    waiting = await county.get(url)
    assert (waiting.status_code, waiting.headers["x-progress"]) == (202, "in progress")
    await do()
    assert (await told(county, url))["response"]["status"] == "200 OK"
    assert await database.fetchval(GOALS) == 60


async def test_what_is_cancelled_while_it_is_done_is_taken_back(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, body=wishes(60))
    task = asyncio.create_task(do())
    while not await database.fetchval("SELECT max(attempts) FROM asynchronous_request"):
        await asyncio.sleep(0)
    assert (await county.delete(url)).status_code == 202
    assert await task is True
    assert await database.fetchval(GOALS) == 0
    assert await do() is True
    assert await do() is False


async def test_what_ends_the_server_again_and_again_is_given_up(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, body=batch(get("Goal/ada-goal-1"), get("Goal/ada-goal-2")))
    await database.execute("UPDATE asynchronous_request SET attempts = $1", ATTEMPTS)
    await do()
    answers = (await told(county, url))["resource"]["entry"]
    assert [each["response"]["status"][:3] for each in answers] == ["503", "503"]
