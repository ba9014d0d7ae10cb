"""A write that waited for another is judged by the records as they are when its turn comes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.fhir.change import Change
from app.fhir.commit import commit
from app.fhir.context import Context
from app.fhir.errors import MethodNotAllowed
from app.storage.database import Database
from tests.admitted import context, put
from tests.build import goal, organization, patient
from tests.http.conftest import COUNTY, Service, serving

THEIRS = goal("g", "Patient/ada", description={"text": "theirs"})
WRITES = {
    "an update": put(THEIRS, may_create=False),
    "an update of a version": put(THEIRS, may_create=False, if_match=frozenset({"1"})),
    "a deletion": Change("delete", "DELETE", "Goal", "g"),
}


@pytest.fixture
async def running(dsn: str, database: Database) -> AsyncIterator[Service]:
    async with serving(dsn) as service:
        yield service


@pytest.mark.parametrize("what", WRITES)
async def test_what_became_somebody_elses_while_a_write_waited_stays_theirs(
    running: Service, database: Database, what: str
) -> None:
    engine = running.app.state.engine
    operator, county = context(engine), context(engine, "clinician", organization=COUNTY)
    people = [patient("ada", COUNTY), patient("bob", "Organization/other")]
    made = [organization("county"), organization("other"), *people, goal("g")]
    await commit(operator, [put(each) for each in made])
    inside, release = asyncio.Event(), asyncio.Event()

    async def hold(_: Context) -> None:
        inside.set()
        await release.wait()

    moved = asyncio.create_task(commit(operator, [put(goal("g", "Patient/bob"))], hold))
    await inside.wait()
    waiting = asyncio.create_task(commit(county, [WRITES[what]]))
    async with asyncio.timeout(20):
        while not await database.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        ):
            await asyncio.sleep(0.01)
    release.set()
    await moved
    [found] = await asyncio.gather(waiting, return_exceptions=True)
    if isinstance(found, BaseException):
        assert isinstance(found, MethodNotAllowed)
    else:
        assert [each.outcome for each in found] == ["absent"]
    row = await engine.database.fetchrow(
        "SELECT patient, deleted, version FROM resource WHERE id = 'g'"
    )
    assert tuple(row) == ("bob", False, 2)
