"""How many there are is not kept for later: what is closed in between could not be taken out."""

import httpx
import pytest

from tests.build import HL7, consent, goal, transaction
from tests.http.asynchronous import LATER, Work, ask, batch, do, get, own, told
from tests.http.conftest import PARTNER, Json, found, load
from tests.http.test_asynchronous_closed import do_all, record

__all__ = ["do", "own", "record"]

COUNTS = ["Goal?_summary=count", "Goal?_count=0", "Goal/_history?_count=0"]
DERIVED = ["CarePlan/$isp-metrics", "CarePlan/$isp-metrics?patient=ada", "CarePlan/$due-reviews"]


@pytest.mark.parametrize("url", [*COUNTS, *DERIVED])
async def test_a_batch_that_is_done_later_has_no_counts(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work, url: str
) -> None:
    later = await ask(partner, body=batch(get(url), get("Goal/ada-goal-1")))
    await do_all(do)
    count, read = (await told(partner, later))["resource"]["entry"]
    assert count["response"]["status"] == "400 Bad Request"
    [issue] = count["response"]["outcome"]["issue"]
    assert issue["code"] == "not-supported"
    assert "respond-async" in issue["diagnostics"]
    assert "resource" not in count
    assert read["resource"]["id"] == "ada-goal-1"


@pytest.mark.parametrize("url", [f"/{each}" for each in (*COUNTS, *DERIVED)])
async def test_a_count_is_answered_at_once(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, url: str
) -> None:
    response = await partner.get(url, headers=LATER)
    assert response.status_code == 200, response.text
    assert "preference-applied" not in response.headers


async def test_a_batch_that_is_done_at_once_has_counts(
    record: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    response = await partner.post("", json=batch(*map(get, (*COUNTS, *DERIVED))))
    assert {each["response"]["status"] for each in response.json()["entry"]} == {"200 OK"}


def more() -> list[Json]:
    return [goal(f"more-{number}") for number in range(3)]


async def total(partner: httpx.AsyncClient, url: str) -> tuple[int | None, int]:
    """What the answer says there is, and how many of them it holds."""
    answer = (await told(partner, url))["resource"]
    return answer.get("total"), len(answer.get("entry", []))


async def test_a_total_counts_what_is_left(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work
) -> None:
    await load(record, *more())
    url = await ask(partner, "/Goal?_total=accurate&_include=Goal:patient")
    await do_all(do)
    assert await total(partner, url) == (5, 6)
    hidden = goal("more-1", meta={"security": [{"system": f"{HL7}/v3-ActCode", "code": "SUD"}]})
    await load(record, hidden)
    assert await total(partner, url) == (4, 5)
    await load(record, consent(PARTNER, "deny"))
    assert await total(partner, url) == (0, 0)


async def test_a_total_of_what_the_answer_does_not_hold_is_left_out(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work
) -> None:
    await load(record, *more())
    search = await ask(partner, "/Goal?_total=accurate&_count=2")
    history = await ask(partner, "/Goal/_history?_count=2")
    await do_all(do)
    assert await total(partner, search) == (None, 2)
    assert (await total(partner, history))[1] == 2
    assert len(found(await partner.get("/Goal?_total=accurate&_count=2"))) == 2


async def test_a_transaction_that_is_done_later_tells_no_counts(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work
) -> None:
    body = transaction(goal("new"))
    del body["entry"]
    body["entry"] = [get("Goal?_summary=count"), get("Goal")]
    url = await ask(partner, body=body)
    await do_all(do)
    counted, _ = (await told(partner, url))["resource"]["entry"]
    assert "total" not in counted["resource"]


async def test_what_was_said_of_a_record_goes_with_the_record(
    record: httpx.AsyncClient, partner: httpx.AsyncClient, do: Work
) -> None:
    url = await ask(partner, body=batch(get("Goal/ada-goal-1/$validate")))
    await do_all(do)
    [before] = (await told(partner, url))["resource"]["entry"]
    assert before["resource"]["resourceType"] == "OperationOutcome"
    await load(record, consent(PARTNER, "deny"))
    [after] = (await told(partner, url))["resource"]["entry"]
    assert after == {"response": before["response"]}


async def test_the_person_is_told_who_had_a_record_judged(
    record: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    asked = "/AuditEvent?patient=ada&entity=Goal/ada-goal-1&_summary=count"
    before = (await record.get(asked)).json()["total"]
    assert (await partner.get("/Goal/ada-goal-1/$validate")).status_code == 200
    assert (await record.get(asked)).json()["total"] == before + 1
