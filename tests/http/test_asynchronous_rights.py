"""Whose an answer is that comes later, by which rights, and how many may wait."""

import asyncio

import httpx
import pytest

from app.auth import revocations
from app.storage.database import Database
from tests.http.asynchronous import (
    GOALS,
    LATER,
    Work,
    ask,
    batch,
    counted,
    do,
    get,
    own,
    told,
    wishes,
)
from tests.http.conftest import COUNTY, Service, refused

__all__ = ["do", "own"]


async def test_nobody_else_can_ask_for_it_or_cancel_it(
    service: Service, county: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str, do: Work
) -> None:
    url = await ask(county, "/Goal?patient=ada")
    await do()
    name = "client-provider-organization-Organization/county"
    person = await service.as_(
        "provider-organization", COUNTY, client_id=name, user="u", fhir_user="Practitioner/p"
    )
    other = await service.as_("provider-organization", COUNTY, client_id="another")
    nothing = (await stranger.get(f"{url}0")).json()
    for client in (stranger, person, other):
        response = await client.get(url)
        assert (response.status_code, response.json()) == (404, nothing)
        assert (await client.delete(url)).status_code == 404
    assert (await county.get(url)).status_code == 200


async def test_rights_are_judged_when_it_is_done(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str, do: Work
) -> None:
    url = await ask(county, "/Goal?patient=ada")
    await _taken_from_the_county(operator)
    await do()
    assert "entry" not in (await told(county, url))["resource"]


async def test_rights_are_judged_again_when_it_is_told(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str, do: Work
) -> None:
    found = await ask(county, "/Goal?patient=ada")
    read = await ask(county, body=batch(get("Goal/ada-goal-1"), get("Goal?patient=ada")))
    while await do():
        pass
    assert (await told(county, found))["resource"]["entry"]
    await _taken_from_the_county(operator)
    assert not (await told(county, found))["resource"].get("entry")
    one, several = (await told(county, read))["resource"]["entry"]
    assert one == {"response": one["response"]}
    assert not several["resource"].get("entry")
    for url in (found, read):
        assert b"ada-goal" not in (await county.get(url)).content.replace(b"_history", b"")


async def _taken_from_the_county(operator: httpx.AsyncClient) -> None:
    record = (await operator.get("/Patient/ada")).json()
    del record["managingOrganization"]
    assert (await operator.put("/Patient/ada", json=record)).status_code == 200
    team = (await operator.get("/CareTeam/ada-team")).json()
    del team["participant"]
    assert (await operator.put("/CareTeam/ada-team", json=team)).status_code == 200


async def test_a_token_that_was_revoked_does_nothing_more(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, body=wishes(1))
    await database.execute(
        "INSERT INTO revoked_token (jti, expires)"
        " SELECT asked::json #>> '{caller,token_id}', now() + interval '1 h' FROM asynchronous_work"
    )
    await do()
    entry = await told(county, url)
    assert entry["response"]["status"] == "401 Unauthorized"
    assert await database.fetchval(GOALS) == 0


async def test_a_revocation_is_known_as_long_as_something_waits(
    county: httpx.AsyncClient,
    ada: str,
    do: Work,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(revocations, "HEARTBEAT", 0.01)
    monkeypatch.setattr(revocations, "SWEEP_EVERY", 1)
    url = await ask(county, body=wishes(1))
    await database.execute("UPDATE asynchronous_request SET created = now() - interval '1 h'")
    await database.execute(
        "INSERT INTO revoked_token (jti, expires)"
        " SELECT asked::json #>> '{caller,token_id}', now() - interval '30 min'"
        " FROM asynchronous_work UNION SELECT 'older', now() - interval '2 h'"
    )
    sweeping = asyncio.create_task(revocations.Revocations(database, lambda: None).watch())
    async with asyncio.timeout(20):
        await counted(database, "revoked_token", 1)
        await do()
        assert (await told(county, url))["response"]["status"] == "401 Unauthorized"
        await counted(database, "revoked_token", 0)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)


async def test_a_client_may_let_only_so_many_wait(county: httpx.AsyncClient, ada: str) -> None:
    for _ in range(20):
        await ask(county, "/Goal?patient=ada")
    response = await county.get("/Goal?patient=ada", headers=LATER)
    refused(response, 429, "throttled")
    assert response.headers["retry-after"]


async def test_what_one_person_lets_wait_leaves_room_for_another(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    one, another = [
        await service.as_(
            "provider-organization", COUNTY, client_id="app", user=name, fhir_user="Practitioner/p"
        )
        for name in ("one", "another")
    ]
    for _ in range(20):
        await ask(one, "/Goal?patient=ada")
    refused(await one.get("/Goal?patient=ada", headers=LATER), 429, "throttled")
    await ask(another, "/Goal?patient=ada")
