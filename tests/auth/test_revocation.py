"""Revocation over HTTP, and how it reaches every worker."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.auth import jose
from app.auth.access_token import Grant, authenticate, issue
from app.auth.authority import Authority, Event
from app.auth.clients import Client, Registration, create_client
from app.auth.revocations import SWEEP_EVERY, Revocations
from app.fhir.errors import Unauthorized
from app.settings import Settings
from app.storage.database import Database, DatabaseAway
from tests.auth.assertions import ASSERTION_TYPE, assertion, form


@pytest.fixture
async def other(settings: Settings, dsn: str) -> AsyncIterator[Authority]:
    """Another worker: connections, memory and ears of its own."""

    async def audit(event: Event) -> None:
        return None

    database = await Database.open(dsn, 3)
    authority = await Authority.open(settings, database, audit)
    yield authority
    await authority.close()
    await database.close()


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def signed(client: Client, key: jose.Claims, **parameters: str) -> dict[str, str]:
    return {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(client.id, key),
    } | parameters


async def token_of(http: httpx.AsyncClient, client: Client, key: jose.Claims) -> str:
    response = await http.post("/auth/token", data=form(assertion(client.id, key)))
    return str(response.json()["access_token"])


async def is_good(authority: Authority, token: str) -> bool:
    try:
        await authenticate(authority, f"Bearer {token}")
    except Unauthorized:
        return False
    return True


async def test_a_revoked_token_ends_at_once_on_every_worker(
    http: httpx.AsyncClient,
    authority: Authority,
    other: Authority,
    backend: Client,
    key: jose.Claims,
) -> None:
    await until(lambda: authority.revocations.is_current and other.revocations.is_current)
    token = await token_of(http, backend, key)
    assert await is_good(authority, token)
    assert await is_good(other, token)
    response = await http.post("/auth/revoke", data=signed(backend, key, token=token))
    assert response.status_code == 200
    assert not await is_good(authority, token)
    async with asyncio.timeout(10):
        while await is_good(other, token):
            await asyncio.sleep(0.001)
    assert other.revocations.is_current


async def test_a_worker_that_hears_nothing_asks_the_table(
    http: httpx.AsyncClient,
    authority: Authority,
    other: Authority,
    backend: Client,
    key: jose.Claims,
) -> None:
    token = await token_of(http, backend, key)
    assert await is_good(other, token)
    other.watching.cancel()
    deaf = replace(other, revocations=Revocations(other.database, lambda: None))
    await http.post("/auth/revoke", data=signed(backend, key, token=token))
    assert not deaf.revocations.is_current
    assert not await is_good(deaf, token)


async def test_a_worker_started_later_knows_what_was_revoked(
    http: httpx.AsyncClient, other: Authority, backend: Client, key: jose.Claims
) -> None:
    token = await token_of(http, backend, key)
    await http.post("/auth/revoke", data=signed(backend, key, token=token))
    await until(lambda: other.revocations.is_current)
    assert not await is_good(other, token)


async def test_a_worker_cut_off_listens_again_and_has_missed_nothing(
    http: httpx.AsyncClient,
    database: Database,
    other: Authority,
    backend: Client,
    key: jose.Claims,
) -> None:
    await until(lambda: other.revocations.is_current)
    first, second = [await token_of(http, backend, key) for _ in range(2)]
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database() AND backend_type = 'client backend'"
    )
    await until(lambda: not other.revocations.is_current)
    await http.post("/auth/revoke", data=signed(backend, key, token=first))
    assert not await is_good(other, first)
    assert await is_good(other, second)
    await until(lambda: other.revocations.is_current)
    assert not await is_good(other, first)
    assert await is_good(other, second)
    await http.post("/auth/revoke", data=signed(backend, key, token=second))
    async with asyncio.timeout(10):
        while await is_good(other, second):
            await asyncio.sleep(0.001)


async def test_nobody_is_believed_when_neither_memory_nor_table_can_tell(
    settings: Settings, authority: Authority
) -> None:
    token = (await issue(authority, Grant("client", "system/Goal.rs", "ehr-system"))).token
    away = await Database.open("postgresql://nobody@127.0.0.1:1/nothing", 2)
    worker = await Authority.open(settings, away, authority.audit)
    worker.callers.put(token, await authenticate(authority, f"Bearer {token}"))
    with pytest.raises(DatabaseAway):
        await authenticate(worker, f"Bearer {token}")
    await worker.close()
    await away.close()


@pytest.mark.parametrize("token", ["nonsense", "a.b.c"])
async def test_revoking_what_is_no_token_succeeds(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims, token: str
) -> None:
    response = await http.post("/auth/revoke", data=signed(backend, key, token=token))
    assert response.status_code == 200


async def test_revoking_needs_a_token_and_a_client(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    response = await http.post("/auth/revoke", data=signed(backend, key))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    response = await http.post("/auth/revoke", data={"token": "x"})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


async def test_a_client_cannot_revoke_the_token_of_another(
    http: httpx.AsyncClient,
    authority: Authority,
    backend: Client,
    partner: tuple[Client, str],
    key: jose.Claims,
) -> None:
    token = await token_of(http, backend, key)
    client, secret = partner
    response = await http.post("/auth/revoke", data={"token": token}, auth=(client.id, secret))
    assert response.json()["error"] == "unauthorized_client"
    assert await is_good(authority, token)


async def test_a_token_may_be_revoked_twice(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    token = await token_of(http, backend, key)
    for _ in range(2):
        response = await http.post("/auth/revoke", data=signed(backend, key, token=token))
        assert response.status_code == 200


async def test_a_client_asks_about_its_own_token(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    token = await token_of(http, backend, key)
    body = (await http.post("/auth/introspect", data=signed(backend, key, token=token))).json()
    assert (body["active"], body["client_id"], body["scope"]) == (
        True,
        backend.id,
        "system/Goal.rs",
    )
    assert body["exp"] > time.time()
    await http.post("/auth/revoke", data=signed(backend, key, token=token))
    body = (await http.post("/auth/introspect", data=signed(backend, key, token=token))).json()
    assert body == {"active": False}


async def test_about_the_token_of_another_a_client_learns_nothing(
    http: httpx.AsyncClient, backend: Client, partner: tuple[Client, str], key: jose.Claims
) -> None:
    token = await token_of(http, backend, key)
    client, secret = partner
    response = await http.post("/auth/introspect", data={"token": token}, auth=(client.id, secret))
    assert response.json() == {"active": False}


async def test_with_the_introspection_scope_a_client_asks_about_any_token(
    http: httpx.AsyncClient, database: Database, backend: Client, key: jose.Claims
) -> None:
    token = await token_of(http, backend, key)
    scope = "__introspection system/Goal.r"
    asked = Registration("Gateway", scope, "partner-system", "client_secret_basic")
    client, secret = await create_client(database, asked)
    auth = (client.id, secret or "")
    response = await http.post("/auth/introspect", data={"token": token}, auth=auth)
    assert response.json()["client_id"] == backend.id
    data = {"grant_type": "client_credentials", "scope": "__introspection"}
    bearer = (await http.post("/auth/token", data=data, auth=auth)).json()["access_token"]
    headers = {"Authorization": f"Bearer {bearer}"}
    response = await http.post("/auth/introspect", data={"token": token}, headers=headers)
    assert response.json()["client_id"] == backend.id


async def test_a_bearer_without_the_introspection_scope_is_refused(
    http: httpx.AsyncClient, backend: Client, key: jose.Claims
) -> None:
    token = await token_of(http, backend, key)
    for bearer, status in ((token, 400), ("nonsense", 401)):
        headers = {"Authorization": f"Bearer {bearer}"}
        response = await http.post("/auth/introspect", data={"token": token}, headers=headers)
        assert response.status_code == status
        assert "active" not in response.json()


async def test_what_expired_is_swept_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.auth.revocations.HEARTBEAT", 0.01)
    assert SWEEP_EVERY > 1
    monkeypatch.setattr("app.auth.revocations.SWEEP_EVERY", 2)
    long_ago = "now() - interval '1 day'"
    await database.execute(f"INSERT INTO revoked_token VALUES ('gone', {long_ago})")
    await database.execute(f"INSERT INTO used_assertion VALUES ('me', 'gone', {long_ago})")
    watching = asyncio.create_task(Revocations(database, lambda: None).watch())
    sql = (
        "SELECT (SELECT count(*) FROM revoked_token WHERE jti = 'gone')"
        " + (SELECT count(*) FROM used_assertion WHERE jti = 'gone')"
    )
    async with asyncio.timeout(10):
        while await database.fetchval(sql):
            await asyncio.sleep(0.02)
    watching.cancel()
