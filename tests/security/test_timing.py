"""What is hidden takes the steps that nothing takes, so that no clock tells the two apart.

Counted in statements and events, which a busy machine does not change; `python -m bench.hidden`
measures how long they take.
"""

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest

from app.fhir import json
from app.fhir.search.compile import FEW
from app.storage.database import Database
from tests.http.conftest import Service, load
from tests.security.exits import Exit, referring, showing, writing
from tests.security.test_leaks import REASONS, Reason, caller, operator

__all__ = ["operator"]

STATEMENTS: ContextVar[list[str] | None] = ContextVar("statements", default=None)
NUMBERS = "SELECT nextval('resource_rid')"
"""Drawn by the hundred, whoever comes first."""
PATIENTS = f" LIMIT {FEW + 1}) AS f"
"""The end of what is counted once a minute, whatever the caller searches for."""
EVENTS = "SELECT count(*) FROM audit_event"


@pytest.fixture
def listened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement with arguments is noted for the request it is part of."""
    execute = asyncpg.Connection._execute

    async def noted(self: Any, query: str, *args: Any, **named: Any) -> Any:
        statements = STATEMENTS.get()
        if statements is not None and query != NUMBERS and not query.endswith(PATIENTS):
            statements.append(query)
        return await execute(self, query, *args, **named)

    monkeypatch.setattr(asyncpg.Connection, "_execute", noted)


PEOPLE = [
    "/Patient/eve",
    "/Patient?_id=eve",
    "/Goal?patient=eve",
    "/Goal?patient=eve&_summary=count",
    "/Patient/eve/Goal",
    "/Patient/eve/_history",
    "/Patient/eve/$disclosures",
    "/Patient/eve/$consent-decision",
    "/CarePlan/$isp-metrics?patient=eve",
]


def absent(way: Exit, id_: str) -> Exit:
    """The same asked of an id that never was."""
    other = "n" * len(id_)
    body = json.dump(way.body).decode().replace(id_, other)
    headers = tuple((name, value.replace(id_, other)) for name, value in way.headers)
    return replace(
        way, url=way.url.replace(id_, other), body=json.parse(body.encode()), headers=headers
    )


def asked_by_id(reason: Reason) -> Iterator[tuple[Exit, Exit]]:
    """What asks for the hidden, and the same of nothing."""
    ways = [(way, absent(way, "secret")) for way in (*showing(), *writing(), *referring())]
    if any(each["id"] == "eve" for each in reason.hidden):
        people = [Exit("GET", url) for url in PEOPLE]
        ways += [(way, absent(way, "eve")) for way in people]
    return ((way, other) for way, other in ways if way != other)


async def steps(
    client: httpx.AsyncClient, database: Database, way: Exit
) -> tuple[int, list[str], int]:
    """The status, the statements in order, and how many events were written."""
    before = await database.fetchval(EVENTS)
    noted: list[str] = []
    token = STATEMENTS.set(noted)
    try:
        response = await client.request(
            way.method, way.url, json=way.body, headers=dict(way.headers)
        )
    finally:
        STATEMENTS.reset(token)
    return response.status_code, noted, await database.fetchval(EVENTS) - before


@pytest.mark.parametrize("name", REASONS)
async def test_the_hidden_takes_the_steps_of_what_is_not_there(
    service: Service, database: Database, operator: httpx.AsyncClient, listened: None, name: str
) -> None:
    reason = REASONS[name]
    await load(operator, *reason.hidden)
    client = await caller(service, reason)
    await client.get("/Goal/warm")
    counted = 0
    for way, other in asked_by_id(reason):
        hidden = await steps(client, database, way)
        assert hidden == await steps(client, database, other), str(way)
        counted += len(hidden[1])
    assert counted > 100
