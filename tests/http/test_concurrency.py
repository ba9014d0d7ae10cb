"""https://hl7.org/fhir/R4/http.html#concurrency, #transactional-integrity"""

import asyncio
from collections import Counter

import httpx

from app.storage.database import Database
from tests.build import goal, patient, transaction
from tests.http.conftest import COUNTY, load

VERSIONS = """
SELECT v.version, v.body FROM resource_version AS v JOIN resource AS r USING (rid)
WHERE r.type = 'Goal' AND r.id = $1 ORDER BY v.version
"""


def wish(number: int, id_: str = "ada-goal-1") -> dict:
    return goal(id_, description={"text": f"Wish {number}"})


async def test_of_many_who_saw_the_same_version_one_succeeds(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    async def update(number: int) -> int:
        have = {"If-Match": 'W/"1"'}
        response = await county.put("/Goal/ada-goal-1", json=wish(number), headers=have)
        return response.status_code

    done = Counter(await asyncio.gather(*map(update, range(64))))
    assert done == {200: 1, 412: 63}
    assert len(await database.fetch(VERSIONS, "ada-goal-1")) == 2


async def test_no_update_is_lost_when_each_says_what_it_saw(
    county: httpx.AsyncClient, ada: str
) -> None:
    """Twelve writers add one line each, reading again whenever somebody was faster."""

    async def add(number: int) -> None:
        while True:
            read = await county.get("/Goal/ada-goal-1")
            notes = [*read.json().get("note", []), {"text": str(number)}]
            have = {"If-Match": read.headers["etag"]}
            body = read.json() | {"note": notes}
            response = await county.put("/Goal/ada-goal-1", json=body, headers=have)
            if response.status_code == 200:
                return
            assert response.status_code == 412

    await asyncio.gather(*map(add, range(12)))
    last = (await county.get("/Goal/ada-goal-1")).json()
    assert sorted(int(note["text"]) for note in last["note"]) == list(range(12))
    assert last["meta"]["versionId"] == "13"


async def test_every_update_without_if_match_is_a_version_of_its_own(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    async def update(number: int) -> str:
        response = await county.put("/Goal/ada-goal-1", json=wish(number))
        assert response.status_code == 200
        return response.text

    sent = await asyncio.gather(*map(update, range(20)))
    rows = await database.fetch(VERSIONS, "ada-goal-1")
    assert [row["version"] for row in rows] == list(range(1, 22))
    assert {row["body"] for row in rows[1:]} == set(sent)


async def test_the_same_update_many_times_is_one_version(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    answers = await asyncio.gather(
        *(county.put("/Goal/ada-goal-1", json=wish(0)) for _ in range(20))
    )
    assert {answer.headers["etag"] for answer in answers} == {'W/"2"'}
    assert len({answer.text for answer in answers}) == 1
    assert len(await database.fetch(VERSIONS, "ada-goal-1")) == 2


async def test_many_who_create_the_same_id_make_one_resource(
    operator: httpx.AsyncClient, ada: str, database: Database
) -> None:
    async def put(number: int) -> int:
        response = await operator.put("/Goal/new", json=wish(number, "new"))
        assert response.status_code in (200, 201), response.text
        return response.status_code

    done = Counter(await asyncio.gather(*map(put, range(12))))
    assert done[201] == 1
    assert len(await database.fetch(VERSIONS, "new")) == 12
    count = "SELECT count(*) FROM resource WHERE type = 'Goal' AND id = 'new'"
    assert await database.fetchval(count) == 1


async def test_transactions_that_overlap_all_come_through(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    """Each changes the same four goals in another order; none waits for ever, none is lost."""
    ids = [f"g{number}" for number in range(4)]
    await load(operator, *(wish(0, id_) for id_ in ids))

    async def rotate(number: int) -> int:
        at = number % 4
        resources = [wish(number, id_) for id_ in ids[at:] + ids[:at]]
        return (await county.post("", json=transaction(*resources))).status_code

    assert Counter(await asyncio.gather(*map(rotate, range(1, 17)))) == {200: 16}
    texts = set()
    for id_ in ids:
        last = (await county.get(f"/Goal/{id_}")).json()
        assert last["meta"]["versionId"] == "17"
        texts.add(last["description"]["text"])
    assert len(texts) == 1


async def test_a_transaction_is_seen_whole_or_not_at_all(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    writing = asyncio.create_task(_write_pairs(county))
    while not writing.done():
        response = await county.get("/Goal?patient=ada&_elements=description")
        pair = {entry["resource"]["description"]["text"] for entry in response.json()["entry"]}
        assert len(pair) == 1
    await writing


async def _write_pairs(client: httpx.AsyncClient) -> None:
    for number in range(10):
        pair = transaction(wish(number), wish(number, "ada-goal-2"))
        assert (await client.post("", json=pair)).status_code == 200


async def test_deleting_and_changing_at_once_ends_in_one_of_the_two(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    calls = [county.delete("/Goal/ada-goal-1") for _ in range(5)]
    calls += [county.put("/Goal/ada-goal-1", json=wish(number)) for number in range(5)]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} <= {200, 201, 204}
    rows = await database.fetch(VERSIONS, "ada-goal-1")
    assert [row["version"] for row in rows] == list(range(1, len(rows) + 1))
    gone = rows[-1]["body"] is None
    assert (await county.get("/Goal/ada-goal-1")).status_code == (410 if gone else 200)


async def test_many_clients_at_once_are_more_than_there_are_connections(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, *(patient(f"p{number}", COUNTY) for number in range(20)))
    calls = [county.get(f"/Patient/p{number % 20}") for number in range(100)]
    calls += [county.post("/Goal", json=goal()) for _ in range(50)]
    answers = await asyncio.gather(*calls)
    assert Counter(answer.status_code for answer in answers) == {200: 100, 201: 50}
