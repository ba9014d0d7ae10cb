"""Prefer: respond-async — https://hl7.org/fhir/R5/async-bundle.html"""

import httpx
import pytest

from app.fhir.interactions import asynchronous
from app.storage.database import Database
from tests.build import HL7, goal, plan, transaction
from tests.http.asynchronous import GOALS, LATER, Work, _new, ask, batch, do, get, own, told, wishes
from tests.http.conftest import COUNTY, PARTNER, load, refused

__all__ = ["do", "own"]


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
