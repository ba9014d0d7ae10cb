"""Secrets that are rotated with overlap and that expire, and how often a client may ask."""

import asyncio
import logging
import time

import httpx
import pytest

from app.auth.authority import Authority
from app.auth.budgets import Budgets
from app.auth.client_terms import (
    Expiring,
    NoSecret,
    expiring,
    exposition,
    limit_rate,
    rotate_secret,
)
from app.auth.clients import Client, Registration, create_client, find_client
from app.auth.registrations import remove_client
from app.jobs.expiry import warn
from app.storage.database import Database
from tests.http.conftest import serving

Partner = tuple[Client, str]
CALLBACK = "https://app.example/callback"
ASKED = {"grant_type": "client_credentials", "scope": "system/Goal.rs"}


async def status(http: httpx.AsyncClient, client: Client, secret: str) -> int:
    answer = await http.post("/auth/token", data=ASKED, auth=(client.id, secret))
    return answer.status_code


async def test_both_secrets_count_until_the_overlap_ends(
    http: httpx.AsyncClient, database: Database, partner: Partner
) -> None:
    client, first = partner
    second = await rotate_secret(database, client.id)
    assert [await status(http, client, one) for one in (first, second, "x")] == [200, 200, 401]
    await database.execute("UPDATE client_terms SET previous_expires = now()")
    assert [await status(http, client, one) for one in (first, second)] == [401, 200]


async def test_without_overlap_the_secret_before_ends_at_once(
    http: httpx.AsyncClient, database: Database, partner: Partner
) -> None:
    client, first = partner
    second = await rotate_secret(database, client.id, overlap=0)
    assert [await status(http, client, one) for one in (first, second)] == [401, 200]


async def test_only_the_last_two_secrets_count(
    http: httpx.AsyncClient, database: Database, partner: Partner
) -> None:
    client, first = partner
    second = await rotate_secret(database, client.id)
    third = await rotate_secret(database, client.id)
    found = [await status(http, client, one) for one in (first, second, third)]
    assert found == [401, 200, 200]


async def test_a_secret_expires_and_overlap_does_not_prolong_it(
    http: httpx.AsyncClient, database: Database, partner: Partner
) -> None:
    client, _ = partner
    second = await rotate_secret(database, client.id, overlap=0, lifetime=90)
    assert await status(http, client, second) == 200
    await database.execute("UPDATE client_terms SET secret_expires = now()")
    assert await status(http, client, second) == 401
    third = await rotate_secret(database, client.id, overlap=24)
    assert [await status(http, client, one) for one in (second, third)] == [401, 200]


async def test_only_hashes_are_kept(database: Database, partner: Partner) -> None:
    client, first = partner
    second = await rotate_secret(database, client.id)
    rows = str(await database.fetch("SELECT * FROM client_terms, client"))
    assert first not in rows
    assert second not in rows


async def test_who_has_no_secret_has_none_to_rotate(database: Database, backend: Client) -> None:
    for client_id in (backend.id, "nobody"):
        with pytest.raises(NoSecret):
            await rotate_secret(database, client_id)


async def test_a_client_of_the_same_id_later_is_not_the_one_before(
    authority: Authority, database: Database, partner: Partner
) -> None:
    client, _ = partner
    await rotate_secret(database, client.id)
    await remove_client(authority, client.id)
    assert await database.fetchval("SELECT count(*) FROM client_terms") == 0


async def test_what_ends_soon_is_told_in_log_list_and_metrics(
    database: Database, partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    client, _ = partner
    await rotate_secret(database, client.id, lifetime=90)
    assert await expiring(database) == []
    assert client.id not in (await exposition(database)).decode()
    await rotate_secret(database, client.id, lifetime=10)
    [one] = await expiring(database)
    assert one.client_id == client.id
    with caplog.at_level(logging.WARNING):
        assert await warn(database) == 1
    assert f"isp client rotate-secret {client.id}" in caplog.text
    text = (await exposition(database)).decode()
    line = next(one for one in text.splitlines() if client.id in one)
    assert 9 * 86_400 < float(line.rpartition(" ")[2]) <= 10 * 86_400
    assert "has expired" in Expiring(client.id, one.expires).told(one.expires)


async def test_workers_share_the_minute_of_a_client(database: Database, partner: Partner) -> None:
    client, _ = partner
    await limit_rate(database, client.id, 50)
    workers = [Budgets(database) for _ in range(3)]
    tried = [worker.take(client.id) for _ in range(60) for worker in workers]
    waits = await asyncio.gather(*tried)
    passed = waits.count(None)
    assert passed <= 50
    more = [await worker.take(client.id) for _ in range(60) for worker in workers]
    assert passed + more.count(None) == 50
    assert all(wait is None or 1 <= wait <= 60 for wait in waits + more)


async def test_a_worker_started_later_gives_no_more(database: Database, partner: Partner) -> None:
    client, _ = partner
    await limit_rate(database, client.id, 3)
    assert [await Budgets(database).take(client.id) for _ in range(3)] == [None] * 3
    assert await Budgets(database).take(client.id)


async def test_the_next_minute_is_a_new_one(database: Database, partner: Partner) -> None:
    client, _ = partner
    await limit_rate(database, client.id, 2)
    for _ in range(3):
        wait = await Budgets(database).take(client.id)
    assert wait
    await database.execute("UPDATE client_usage SET expires = now()")
    assert await Budgets(database).take(client.id) is None


async def test_without_a_limit_the_database_is_hardly_asked(
    database: Database, backend: Client
) -> None:
    budgets = Budgets(database)
    assert await budgets.take(backend.id) is None
    began = time.perf_counter()
    for _ in range(1_000):
        assert await budgets.take(backend.id) is None
    assert time.perf_counter() - began < 1
    assert await database.fetchval("SELECT count(*) FROM client_usage") == 0


async def test_too_many_tokens_are_refused(
    http: httpx.AsyncClient, database: Database, partner: Partner
) -> None:
    client, secret = partner
    await limit_rate(database, client.id, 2)
    assert [await status(http, client, secret) for _ in range(2)] == [200, 200]
    answer = await http.post("/auth/token", data=ASKED, auth=(client.id, secret))
    assert (answer.status_code, answer.json()["error"]) == (429, "slow_down")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert await status(http, client, "wrong") == 401


async def test_nobody_spends_what_a_public_client_has(
    http: httpx.AsyncClient, database: Database, authority: Authority
) -> None:
    asked = Registration("App", "patient/Goal.rs", "individual", "none", redirect_uris=(CALLBACK,))
    client, _ = await create_client(database, asked)
    await limit_rate(database, client.id, 2)
    guess = {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK}
    guess |= {"client_id": client.id, "code_verifier": "v" * 43}
    answers = [await http.post("/auth/token", data=guess) for _ in range(5)]
    assert [answer.json()["error"] for answer in answers] == ["invalid_grant"] * 5
    assert await authority.budgets.take(client.id) is None


async def test_too_many_requests_are_refused(
    dsn: str, database: Database, partner: Partner
) -> None:
    client, _ = partner
    await limit_rate(database, client.id, 2)
    async with serving(dsn) as service:
        asked = await service.as_("operator", client_id=client.id)
        assert [(await asked.get("/Goal")).status_code for _ in range(2)] == [200, 200]
        answer = await asked.get("/Goal")
        assert answer.status_code == 429
        assert answer.json()["issue"][0]["code"] == "throttled"
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        other = await service.as_("operator")
        assert (await other.get("/Goal")).status_code == 200


async def test_nobody_is_limited_who_is_no_client(database: Database) -> None:
    with pytest.raises(LookupError):
        await limit_rate(database, "nobody", 5)
    assert await find_client(database, "nobody") is None
