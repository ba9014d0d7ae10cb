"""Prefer: respond-async — https://hl7.org/fhir/R5/async-bundle.html"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from app.auth import revocations
from app.fhir.interactions import asynchronous
from app.jobs.asynchronous import ATTEMPTS, work
from app.storage.database import Database, DatabaseAway
from tests.build import HL7, goal, plan, transaction
from tests.http.conftest import COUNTY, PARTNER, Json, Service, load, refused

LATER = {"Prefer": "respond-async"}
Work = Callable[[], Any]
GOALS = "SELECT count(*) FROM resource WHERE type = 'Goal' AND body LIKE '%Wish%'"


@pytest.fixture
async def own(dsn: str) -> AsyncIterator[Database]:
    """The connection of a worker."""
    database = await Database.open(dsn, 1)
    yield database
    await database.close()


@pytest.fixture
def do(service: Service, own: Database) -> Work:
    """Does a piece of what waits, as a worker does; False when nothing waits."""
    return lambda: work(service.app.state.engine, own, hours=1)


async def ask(client: httpx.AsyncClient, url: str = "", body: Any = None, **headers: str) -> str:
    """Where to ask for what will come of this request."""
    method = "GET" if body is None else "POST"
    response = await client.request(method, url, json=body, headers=LATER | headers)
    assert (response.status_code, response.content) == (202, b""), response.text
    assert response.headers["preference-applied"] == "respond-async"
    return str(response.headers["content-location"])


async def told(client: httpx.AsyncClient, url: str) -> Json:
    """The one entry of the answer."""
    response = await client.get(url)
    assert response.status_code == 200, response.text
    assert response.headers["expires"]
    found = response.json()
    assert (found["resourceType"], found["type"]) == ("Bundle", "batch-response")
    [entry] = found["entry"]
    return dict(entry)


def wishes(number: int) -> Json:
    return transaction(*(_new(at) for at in range(number)))


def _new(at: int) -> Json:
    made = goal(description={"text": f"Wish {at}"})
    del made["id"]
    return made


def batch(*requests: Json) -> Json:
    return {"resourceType": "Bundle", "type": "batch", "entry": list(requests)}


def get(url: str) -> Json:
    return {"request": {"method": "GET", "url": url}}


async def test_a_transaction_is_done_later(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, body=wishes(3))
    waiting = await county.get(url)
    assert (waiting.status_code, waiting.content) == (202, b"")
    assert waiting.headers["x-progress"] == "waiting"
    assert int(waiting.headers["retry-after"]) > 0
    assert await database.fetchval(GOALS) == 0
    assert await do() is True
    entry = await told(county, url)
    assert entry["response"]["status"] == "200 OK"
    answered = entry["resource"]
    assert answered["type"] == "transaction-response"
    assert [each["response"]["status"] for each in answered["entry"]] == ["201 Created"] * 3
    made = answered["entry"][0]["response"]["location"]
    assert (await county.get(made)).json()["description"]["text"] == "Wish 0"
    assert await told(county, url) == entry
    assert await do() is False
    assert await database.fetchval(GOALS) == 3


async def test_what_was_asked_is_forgotten_when_it_is_done(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    await ask(county, body=wishes(1))
    assert await database.fetchval("SELECT count(*) FROM asynchronous_work") == 1
    await do()
    assert await database.fetchval("SELECT count(*) FROM asynchronous_work") == 0


async def test_the_answer_is_xml_for_who_asks_for_it(
    county: httpx.AsyncClient, ada: str, do: Work
) -> None:
    url = await ask(county, "/Goal?patient=ada")
    await do()
    response = await county.get(url, headers={"Accept": "application/fhir+xml"})
    assert response.headers["content-type"].startswith("application/fhir+xml")
    assert b'<type value="searchset"/>' in response.content


async def test_a_refused_transaction_tells_why(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    bad = goal(subject={"reference": "Patient/nobody"})
    del bad["id"]
    url = await ask(county, body=transaction(_new(1), bad))
    await do()
    entry = await told(county, url)
    assert entry["response"]["status"] == "422 Unprocessable Entity"
    [issue] = entry["response"]["outcome"]["issue"]
    assert issue["expression"][0].startswith("Bundle.entry[1]")
    assert "resource" not in entry
    assert await database.fetchval(GOALS) == 0


async def test_a_batch_is_answered_entry_by_entry(
    county: httpx.AsyncClient, ada: str, do: Work
) -> None:
    new = {"resource": _new(1), "request": {"method": "POST", "url": "Goal"}}
    asked = batch(get("Goal/ada-goal-1"), get("Goal/none"), new, get("Goal?patient=ada"))
    url = await ask(county, body=asked)
    while await do():
        pass
    entry = await told(county, url)
    assert entry["response"]["status"] == "200 OK"
    answers = entry["resource"]["entry"]
    assert [each["response"]["status"][:3] for each in answers] == ["200", "404", "201", "200"]
    assert answers[0]["resource"]["id"] == "ada-goal-1"
    assert answers[3]["resource"]["type"] == "searchset"
    at_once = (await county.post("", json=asked)).json()
    assert answers[0] == at_once["entry"][0]


async def test_a_batch_is_done_piece_by_piece(
    county: httpx.AsyncClient, ada: str, do: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asynchronous, "PIECE", 0.0)
    names = ("Goal/ada-goal-2", "Goal/none", "Goal/ada-goal-1")
    url = await ask(county, body=batch(*map(get, names)))
    for number in (1, 2):
        assert await do() is True
        waiting = await county.get(url)
        assert waiting.headers["x-progress"] == f"{number} of 3 entries done"
    assert await do() is True
    assert await do() is False
    answers = (await told(county, url))["resource"]["entry"]
    found = [each.get("resource", {}).get("id") for each in answers]
    assert found == ["ada-goal-2", None, "ada-goal-1"]


async def test_what_an_entry_of_a_batch_locks_is_free_before_the_next(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    """Or two batches that write the same in another order would wait for each other."""
    new = {"resource": _new(1), "request": {"method": "POST", "url": "Goal"}}
    seen = get("Goal/ada-goal-1")
    url = await ask(county, body=batch(seen, seen, new, new, seen))
    for number in (3, 4):
        assert await do() is True
        assert (await county.get(url)).headers["x-progress"] == f"{number} of 5 entries done"
        assert await database.fetchval(GOALS) == number - 2
    assert await do() is True
    assert len((await told(county, url))["resource"]["entry"]) == 5


async def test_a_long_batch_lets_others_go_first(
    county: httpx.AsyncClient, ada: str, do: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asynchronous, "PIECE", 0.0)
    long = await ask(county, body=batch(*[get("Goal/ada-goal-1")] * 3))
    short = await ask(county, "/Goal?patient=ada")
    await do()
    await do()
    assert (await county.get(short)).status_code == 200
    assert (await county.get(long)).headers["x-progress"] == "1 of 3 entries done"


async def test_what_points_to_what_was_hidden_since_is_cut(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work
) -> None:
    await load(operator, *plan(PARTNER, organization=COUNTY))
    url = await ask(partner, "/CarePlan?patient=ada&_include=CarePlan:goal")
    await do()
    before = (await partner.get(url)).content
    assert before.count(b"ada-goal-2") > 1
    secret = {"security": [{"system": f"{HL7}/v3-ActCode", "code": "SUD"}]}
    await load(operator, goal("ada-goal-2", meta=secret))
    entry = await told(partner, url)
    assert "ada-goal-2" not in str(entry["resource"]["entry"])
    assert "ada-goal-1" in str(entry["resource"]["entry"])
    assert "REDACTED" in str(entry["resource"]["entry"])


async def test_an_empty_batch_has_an_empty_answer(
    county: httpx.AsyncClient, ada: str, do: Work
) -> None:
    url = await ask(county, body=batch())
    await do()
    assert "entry" not in (await told(county, url))["resource"]


@pytest.mark.parametrize("url", ["/Goal?patient=ada", "/Goal/_history", "/Patient/ada/$everything"])
async def test_a_search_a_history_and_everything_can_wait(
    county: httpx.AsyncClient, ada: str, do: Work, url: str
) -> None:
    at_once = (await county.get(url)).json()
    later = await ask(county, url)
    await do()
    answered = (await told(county, later))["resource"]
    assert answered["type"] == at_once["type"]
    assert {each["fullUrl"] for each in answered["entry"]} == {
        each["fullUrl"] for each in at_once["entry"]
    }


async def test_what_answers_at_once_is_answered_at_once(
    county: httpx.AsyncClient, ada: str
) -> None:
    assert (await county.get("/Goal/ada-goal-1", headers=LATER)).status_code == 200
    assert (await county.get("/metadata", headers=LATER)).status_code == 200


async def test_what_is_no_bundle_to_run_is_refused_at_once(
    county: httpx.AsyncClient, ada: str
) -> None:
    document = {"resourceType": "Bundle", "type": "document"}
    response = await county.post("", json=document, headers=LATER)
    refused(response, 400, "invalid", "Bundle.type")


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


async def test_what_is_cancelled_is_not_done(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, body=wishes(2))
    assert (await county.delete(url)).status_code == 202
    assert (await county.get(url)).status_code == 404
    assert (await county.delete(url)).status_code == 404
    assert await do() is False
    assert await database.fetchval(GOALS) == 0


async def test_an_answer_can_be_thrown_away(county: httpx.AsyncClient, ada: str, do: Work) -> None:
    url = await ask(county, "/Goal?patient=ada")
    await do()
    assert (await county.delete(url)).status_code == 202
    assert (await county.get(url)).status_code == 404


async def test_an_answer_expires(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, "/Goal?patient=ada")
    await do()
    await database.execute("UPDATE asynchronous_request SET expires = now() - interval '1 s'")
    assert (await county.get(url)).status_code == 404


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
        await _counted(database, "revoked_token", 1)
        await do()
        assert (await told(county, url))["response"]["status"] == "401 Unauthorized"
        await _counted(database, "revoked_token", 0)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)


async def _counted(database: Database, table: str, number: int) -> None:
    """Wait until the table has so many rows."""
    while await database.fetchval(f"SELECT count(*) FROM {table}") != number:
        await asyncio.sleep(0.02)


async def test_workers_do_each_request_once(
    service: Service, county: httpx.AsyncClient, ada: str, dsn: str, database: Database
) -> None:
    urls = [await ask(county, body=wishes(2)) for _ in range(6)]
    workers = [await Database.open(dsn, 1) for _ in range(3)]

    async def run(own: Database) -> None:
        while await work(service.app.state.engine, own, hours=1):
            pass

    await asyncio.gather(*map(run, workers))
    for own in workers:
        await own.close()
    for url in urls:
        assert (await told(county, url))["response"]["status"] == "200 OK"
    assert await database.fetchval(GOALS) == 12


async def test_a_worker_that_dies_has_done_nothing_and_another_does_it(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, body=wishes(60))
    task = asyncio.create_task(do())
    killed = 0
    while not killed and not task.done():
        killed = await database.fetchval(
            "SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks AS l"
            " WHERE relation = 'resource_version'::regclass AND mode = 'RowExclusiveLock'"
            # Its number is the same in the databases of other tests.
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    with pytest.raises((DatabaseAway, asyncpg.PostgresError)):
        await task
    assert await database.fetchval(GOALS) == 0
    waiting = await county.get(url)
    assert (waiting.status_code, waiting.headers["x-progress"]) == (202, "in progress")
    await do()
    assert (await told(county, url))["response"]["status"] == "200 OK"
    assert await database.fetchval(GOALS) == 60


async def test_what_is_cancelled_while_it_is_done_is_taken_back(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, body=wishes(60))
    task = asyncio.create_task(do())
    while not await database.fetchval("SELECT max(attempts) FROM asynchronous_request"):
        await asyncio.sleep(0)
    assert (await county.delete(url)).status_code == 202
    assert await task is True
    assert await database.fetchval(GOALS) == 0
    assert await do() is True
    assert await do() is False


async def test_what_ends_the_server_again_and_again_is_given_up(
    county: httpx.AsyncClient, ada: str, do: Work, database: Database
) -> None:
    url = await ask(county, body=batch(get("Goal/ada-goal-1"), get("Goal/ada-goal-2")))
    await database.execute("UPDATE asynchronous_request SET attempts = $1", ATTEMPTS)
    await do()
    answers = (await told(county, url))["resource"]["entry"]
    assert [each["response"]["status"][:3] for each in answers] == ["503", "503"]


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


async def test_who_asked_is_in_the_audit_trail_of_what_was_done(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str, do: Work
) -> None:
    url = await ask(county, body=wishes(1), **{"X-Request-Id": "later-1"})
    await do()
    events = (await operator.get("/AuditEvent?entity:identifier=later-1")).json()["entry"]
    agents = [each["resource"]["agent"][0]["who"] for each in events]
    assert all("county" in str(each) for each in agents)
    assert events
    await told(county, url)
