"""What was there before is indexed whatever happens meanwhile."""

import asyncio
import sys

import httpx
import pytest

from app.fhir.indexing import index, step
from app.fhir.registry import Registered, adopt
from app.jobs import indexing
from app.publishing import publish
from app.storage import registry as statements
from app.storage.database import Database
from tests.build import goal, patient
from tests.http.conftest import Service, found, load, serving
from tests.http.registering import MEASURE, WORDS, forgotten, register, told

__all__ = ["forgotten"]


async def test_an_interrupted_index_goes_on_where_it_was(
    service: Service, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, ada: str
) -> None:
    monkeypatch.setattr(statements, "RESOURCES", statements.RESOURCES.replace("200", "3"))
    await load(operator, *(goal(f"g{at}", description={"text": f"{at}"}) for at in range(8)))
    await load(operator, WORDS)
    engine = service.app.state.engine
    assert [await step(engine) for _ in range(3)] == [0, 3, 3]
    assert (await told(operator))["words"]["indexed"] == 6
    await load(operator, MEASURE)  # begins again, with both
    await index(engine)
    assert found(await operator.get("/Goal?words=7")) == ["Goal/g7"]
    assert len(found(await operator.get("/Goal?measure=walks"))) == 10


async def test_a_write_that_began_before_is_waited_for(
    service: Service, operator: httpx.AsyncClient, database: Database, ada: str
) -> None:
    engine = service.app.state.engine
    async with database.transaction() as connection:
        await connection.execute("UPDATE resource SET digest = digest WHERE id = 'ada-goal-1'")
        await load(operator, WORDS)
        work = asyncio.create_task(index(engine))
        await asyncio.sleep(0.3)
        assert not work.done()
        assert (await told(operator))["words"]["indexed"] == 0
    assert await work == 2


async def test_writers_and_the_index_lose_nothing_between_them(
    service: Service, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, ada: str
) -> None:
    monkeypatch.setattr(statements, "RESOURCES", statements.RESOURCES.replace("200", "5"))
    await load(operator, *(goal(f"g{at}", description={"text": "before"}) for at in range(40)))

    async def write(at: int) -> None:
        await load(operator, goal(f"g{at}", description={"text": f"after {at}"}))
        await load(operator, goal(f"n{at}", description={"text": f"new {at}"}))

    async def all_written() -> None:
        for at in range(0, 40, 2):
            await write(at)

    await load(operator, WORDS)
    await asyncio.gather(index(service.app.state.engine), all_written())
    for text, count in (("before", 20), ("after", 20), ("new", 20)):
        assert len(found(await operator.get(f"/Goal?words={text}&_count=100"))) == count, text


STEPS = """
import asyncio, sys
from app.fhir.indexing import step
from app.main import create_app
from app.settings import Settings
from app.storage import registry

registry.RESOURCES = registry.RESOURCES.replace("LIMIT 200", "LIMIT 3")

async def main():
    app = create_app(Settings(database_url=sys.argv[1]))
    async with app.router.lifespan_context(app):
        while await step(app.state.engine) is not None:
            print("stepped", flush=True)
            await asyncio.sleep(0.2)

asyncio.run(main())
"""


async def test_an_index_survives_the_kill_of_who_was_at_it(
    service: Service, operator: httpx.AsyncClient, dsn: str
) -> None:
    await load(operator, patient("ada", None))
    await load(operator, *(goal(f"g{at:02}", description={"text": f"{at}"}) for at in range(12)))
    await load(operator, WORDS)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STEPS, dsn, stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdout is not None
    for _ in range(3):
        await worker.stdout.readline()
    worker.kill()
    await worker.wait()
    reached = (await told(operator))["words"]["indexed"]
    assert 0 < reached < 12
    assert await index(service.app.state.engine) == 12 - reached
    assert len(found(await operator.get("/Goal?words:missing=false&_count=50"))) == 12


async def test_a_worker_notices_by_itself(
    service: Service, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, ada: str
) -> None:
    """Nobody asks by the new parameter, so nothing but the job can have noticed it."""
    monkeypatch.setattr(indexing, "EVERY", 0.01)
    keeping = asyncio.create_task(indexing.keep(service.settings, service.app.state.engine))
    await load(operator, WORDS)
    async with asyncio.timeout(20):
        while "words" not in (await operator.get("/metadata")).text:
            await asyncio.sleep(0.02)
    keeping.cancel()
    assert len(found(await operator.get("/Goal?words=I walk"))) == 2


async def test_a_restart_publishes_none_of_it_again(
    service: Service, operator: httpx.AsyncClient, dsn: str, ada: str
) -> None:
    await register(service, operator, WORDS)
    adopt(Registered())
    async with serving(dsn) as again:
        assert (await publish(again.app.state.engine)).refused == []
        client = await again.as_("operator")
        assert len(found(await client.get("/Goal?words=I walk"))) == 2
        assert found(await client.get("/SearchParameter?code=words")) == [
            "SearchParameter/own-words"
        ]
