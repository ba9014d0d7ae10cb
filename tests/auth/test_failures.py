"""What OAuth endpoints answer when they cannot decide; nothing a client sends breaks them."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.auth import jose
from app.auth.authority import Authority, Event
from app.auth.clients import Client
from app.auth.keys import Keys
from app.routers.oauth import oauth_router
from app.storage.database import Database
from tests.auth.assertions import assertion, form

NASTY = ["\x00", "a\x00b", "a b", "é", "x" * 129, "\x1b[2J"]
GRANT = {"grant_type": "client_credentials", "scope": "system/Goal.rs"}


@pytest.fixture
async def away(tmp_path: Path) -> AsyncIterator[Database]:
    """A database that nobody can reach."""
    database = await Database.open(f"postgresql:///x?host={tmp_path}")
    yield database
    await database.close()


def serving(authority: Authority) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(oauth_router(authority))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=authority.issuer)


@pytest.mark.parametrize("client_id", NASTY)
@pytest.mark.parametrize("action", ["token", "revoke", "introspect"])
async def test_what_cannot_be_a_client_id_is_an_unknown_client(
    http: httpx.AsyncClient, events: list[Event], action: str, client_id: str
) -> None:
    credentials = base64.b64encode(f"{client_id}:x".encode()).decode()
    asked: list[dict[str, Any]] = [
        {"data": {**GRANT, "token": "x", "client_id": client_id, "client_secret": "x"}},
        {"data": {**GRANT, "token": "x", "client_id": client_id}},
        {"data": {**GRANT, "token": "x"}, "headers": {"Authorization": f"Basic {credentials}"}},
    ]
    for each in asked:
        response = await http.post(f"/auth/{action}", **each)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert [(event.error, event.client_id) for event in events] == [("invalid_client", None)] * 3


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "\ud800", "sub": "\ud800"},
        {"iss": "a\x00", "sub": "a\x00"},
        {"jti": "\ud800"},
        {"jti": "a\x00b"},
        {"jti": 1},
        {"exp": 10**400},
        {"aud": ["\ud800"]},
    ],
)
async def test_claims_that_no_database_holds_are_refused(
    http: httpx.AsyncClient,
    backend: Client,
    key: jose.Claims,
    events: list[Event],
    claims: dict[str, Any],
) -> None:
    response = await http.post("/auth/token", data=form(assertion(backend.id, key, **claims)))
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    [event] = events
    assert event.error == "invalid_client"
    assert event.client_id in (backend.id, None)


@pytest.mark.parametrize("action", ["token", "revoke", "introspect"])
async def test_while_the_database_is_away_a_client_is_asked_to_come_again(
    authority: Authority, away: Database, action: str
) -> None:
    async with serving(replace(authority, database=away)) as http:
        data = {**GRANT, "token": "x", "client_id": "a", "client_secret": "b"}
        response = await http.post(f"/auth/{action}", data=data)
    assert response.status_code == 503
    assert response.json()["error"] == "temporarily_unavailable"
    assert int(response.headers["retry-after"]) > 0
    assert response.headers["cache-control"] == "no-store"


async def test_the_keys_of_the_server_are_asked_for_again_later(
    authority: Authority, away: Database
) -> None:
    async with serving(replace(authority, keys=Keys(away))) as http:
        response = await http.get("/auth/jwks")
    assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        (RuntimeError("Maria Alvarez"), 500, "server_error"),
        (asyncpg.QueryCanceledError("too long"), 504, "temporarily_unavailable"),
    ],
)
async def test_what_nobody_foresaw_is_recorded_and_told_without_its_words(
    authority: Authority, events: list[Event], failure: Exception, status: int, error: str
) -> None:
    class Failing:
        async def fetchrow(self, *_: object) -> None:
            raise failure

    broken: Any = Failing()
    async with serving(replace(authority, database=broken)) as http:
        response = await http.post("/auth/token", data={**GRANT, "client_id": "a"})
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert "Maria" not in response.text
    assert [event.error for event in events] == [error]


async def test_an_event_says_who_asked_from_where_under_which_request_id(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims, events: list[Event]
) -> None:
    headers = {"X-Request-Id": "mine-1"}
    response = await http.post(
        "/auth/token", data=form(assertion(backend.id, key)), headers=headers
    )
    assert response.headers["x-request-id"] == "mine-1"
    [event] = events
    assert (event.request_id, event.source, event.client_id) == ("mine-1", "127.0.0.1", backend.id)
    made = await http.post("/auth/token", data={})
    assert events[1].request_id == made.headers["x-request-id"] != "mine-1"
