"""How many statements it takes to judge a plan: one, however large the plan is, and one more for
all that it refers to and that may be hidden."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asyncpg.connection import Connection, LoggedQuery

from app.storage.database import Database
from tests.build import goal, organization, reference
from tests.http.conftest import COUNTY, Service, load, record, serving
from tests.worlds.whole import whole


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements on resources, as the driver sends them over connections made from now on."""
    seen: list[str] = []
    begin = Connection.__init__

    def listen(query: LoggedQuery) -> None:
        if "resource" in query.query and "INSERT INTO audit_event" not in query.query:
            seen.append(query.query)

    def begin_heard(self: Connection, *given: Any, **named: Any) -> None:
        begin(self, *given, **named)
        self.add_query_logger(listen)

    monkeypatch.setattr(Connection, "__init__", begin_heard)
    return seen


@pytest.fixture
async def service(dsn: str, database: Database, heard: list[str]) -> AsyncIterator[Service]:
    """Takes plans that refer to practitioners and forms whom nobody wrote down."""
    async with serving(dsn, references="lenient") as running:
        yield running


async def test_a_plan_of_sixty_resources_is_judged_by_two_statements(
    service: Service, heard: list[str]
) -> None:
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
    heard.clear()
    response = await county.get(url)
    assert response.status_code == 200, response.text
    assert "more-3" not in response.text
    assert len(heard) == 2


async def test_what_takes_two_statements_is_counted(service: Service, heard: list[str]) -> None:
    operator = await service.as_("operator")
    await load(operator, organization("county"))
    heard.clear()
    for url in ("/Organization/county", "/Organization?name=county"):
        assert (await operator.get(url)).status_code == 200
    assert len(heard) == 2
