"""How many statements it takes to judge a plan: one, however large the plan is."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from asyncpg.connection import LoggedQuery

from app.storage.database import Database
from tests.build import goal, organization, reference
from tests.http.conftest import COUNTY, Service, load, record, serving
from tests.worlds.whole import whole


@pytest.fixture
async def service(dsn: str, database: Database) -> AsyncIterator[Service]:
    """Takes plans that refer to practitioners and forms whom nobody wrote down."""
    async with serving(dsn, references="lenient") as running:
        yield running


@contextmanager
def heard(service: Service) -> Iterator[list[str]]:
    """The statements that read resources, as the driver sends them."""
    seen: list[str] = []

    def listen(query: LoggedQuery) -> None:
        if "resource" in query.query and "INSERT INTO audit_event" not in query.query:
            seen.append(query.query)

    database = service.app.state.engine.database
    pools = (database._readers, database._writers, database._searchers)
    held = [one._con for pool in pools for one in pool._holders if one._con]
    assert held
    for one in held:
        one.add_query_logger(listen)
    yield seen
    for one in held:
        one.remove_query_logger(listen)


async def test_a_plan_of_sixty_resources_is_fetched_by_one_statement(service: Service) -> None:
    operator = await service.as_("operator")
    await load(operator, organization("county"))
    stored = [{k: v for k, v in one.items() if k != "meta"} for one in whole().all()]
    for one in stored:
        if one["resourceType"] == "Patient":
            one["managingOrganization"] = reference(COUNTY)
    more = [goal(f"more-{number}") for number in range(60 - len(stored))]
    await record(service, *stored, *more)
    county = await service.as_("provider-organization", COUNTY)
    url = "/CarePlan/ada/$isp-validate?date=2026-01-05"
    assert (await county.get(url)).status_code == 200
    with heard(service) as statements:
        response = await county.get(url)
    assert response.status_code == 200, response.text
    assert "more-3" not in response.text
    assert len(statements) == 1


async def test_the_ear_hears(service: Service) -> None:
    operator = await service.as_("operator")
    await load(operator, organization("county"))
    with heard(service) as statements:
        await operator.get("/Organization/county")
        await operator.get("/Organization?name=county")
    assert len(statements) >= 2
