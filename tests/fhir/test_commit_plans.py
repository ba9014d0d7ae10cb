"""How PostgreSQL finds what a write meets, whatever it knew of the tables before."""

import time
from collections.abc import AsyncIterator

import pytest

from app.fhir.commit import commit
from app.fhir.context import Context
from app.fhir.errors import Unprocessable
from tests.admitted import context, put
from tests.build import goal, patient
from tests.conftest import new_database
from tests.http.conftest import serving

MANY = 100


@pytest.fixture
async def operator(server: str) -> AsyncIterator[Context]:
    """An operator of a service that has just been installed."""
    dsn = await new_database(server, f"isp_fresh_{time.monotonic_ns()}")
    async with serving(dsn) as running:
        yield context(running.app.state.engine)


async def test_what_was_first_asked_of_an_empty_table_is_found_by_its_id(operator: Context) -> None:
    fetched: list[int] = []

    async def count(within: Context) -> None:
        fetched.append(
            await within.store.fetchval(
                "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables"
                " WHERE relname = 'resource'"
            )
        )

    with pytest.raises(Unprocessable):
        await commit(operator, [put(goal("early"))])
    people = [patient(f"p{number}", None) for number in range(MANY)]
    await commit(operator, [put(one) for one in (patient("ada", None), *people)])
    goals = [goal(f"g{number}") for number in range(MANY)]
    await commit(operator, [put(one) for one in goals])
    await commit(operator, [put(goal("g1", description={"text": "Another"}))], count)
    assert fetched[0] < MANY
