"""Conditions, conditional references and addresses: https://hl7.org/fhir/R4/http.html#trules"""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx

from app.storage.database import Database
from tests.build import care_plan, goal, reference
from tests.http.conftest import create, refused
from tests.http.transactions import answers, asking, bundle, places, posting, statuses
from tests.http.wishes import MINE, SYSTEM, once, wish

COUNT = "SELECT count(*) FROM resource WHERE type = 'Goal' AND NOT deleted"


async def test_a_create_under_a_condition_is_referred_to_like_any_other(
    county: httpx.AsyncClient, ada: str
) -> None:
    mine = f"urn:uuid:{uuid4()}"
    first = await answers(county, once(wish(), mine), posting(care_plan(mine)))
    second = await answers(county, posting(care_plan(mine)), once(wish(), mine))
    assert (statuses(first), statuses(second)) == (["201", "201"], ["201", "200"])
    goal_at, plan_at = places(first)
    again_at, same_at = places(second)
    assert same_at == goal_at
    assert again_at != plan_at
    assert (await county.get(f"/{again_at}")).json()["goal"] == [reference(goal_at)]
    response = second[1]["response"]
    assert response["etag"] == 'W/"1"'
    assert response["location"].endswith(f"/{goal_at}/_history/1")
    assert "resource" not in second[1]


async def test_what_was_there_comes_back_when_preferred(
    county: httpx.AsyncClient, ada: str
) -> None:
    made = await create(county, wish())
    [entry] = await answers(county, once(wish()), Prefer="return=representation")
    assert entry["resource"] == made


async def test_racing_transactions_make_one_resource(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    before = await database.fetchval(COUNT)

    async def post(number: int) -> str:
        mine, other = f"urn:uuid:{uuid4()}", f"identifier={SYSTEM}|2"
        entries = [once(wish(), mine), once(wish("2"), condition=other), posting(care_plan(mine))]
        if number % 2:
            entries.reverse()
        answered = await answers(county, *entries)
        assert sorted(statuses(answered))[-1] == "201"
        return "".join(statuses(answered))

    done = Counter(await asyncio.gather(*map(post, range(64))))
    assert sum(done.values()) == 64
    assert await database.fetchval(COUNT) == before + 2


async def test_transactions_that_overlap_in_every_way_all_come_through(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    """Updates, patches, conditions and new ids, each time in another order."""
    await create(county, wish())
    patch = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [
                    {"name": "type", "valueCode": "add"},
                    {"name": "path", "valueString": "Goal"},
                    {"name": "name", "valueString": "note"},
                    {"name": "value", "valueAnnotation": {"text": "x"}},
                ],
            }
        ],
    }

    async def post(number: int) -> int:
        entries = [
            asking("PUT", "Goal/ada-goal-1", goal(language=f"x-{number}")),
            asking("PATCH", "Goal/ada-goal-2", patch),
            asking("PUT", f"Goal?{MINE}", wish(language=f"x-{number}")),
            asking("PUT", "Goal/new-1", goal("new-1", language=f"x-{number}")),
            asking("PUT", "Goal/new-2", goal("new-2", language=f"x-{number}")),
            once(wish("3"), condition=f"identifier={SYSTEM}|3"),
        ]
        at = number % len(entries)
        response = await operator.post("", json=bundle(*entries[at:], *entries[:at]))
        return response.status_code

    assert Counter(await asyncio.gather(*map(post, range(32)))) == {200: 32}
    assert len((await county.get("/Goal/ada-goal-2")).json()["note"]) == 32
    assert (await county.get("/Goal/new-1")).headers["etag"] == 'W/"32"'


async def test_one_resource_twice_is_refused_however_it_is_named(
    county: httpx.AsyncClient, ada: str
) -> None:
    made = await create(county, wish())
    by_id = asking("PUT", f"Goal/{made['id']}", wish() | {"id": made["id"], "language": "en"})
    by_condition = asking("PUT", f"Goal?{MINE}", wish(language="de"))
    for entries in ((by_id, by_condition), (by_condition, by_id)):
        response = await county.post("", json=bundle(posting(goal()), *entries))
        said = refused(response, 400, "invalid", response.json()["issue"][0]["expression"][0])
        assert said == f"Goal/{made['id']} is changed twice in one transaction."
    assert (await county.get(f"/Goal/{made['id']}")).headers["etag"] == 'W/"1"'


async def test_what_is_deleted_already_matches_nothing(county: httpx.AsyncClient, ada: str) -> None:
    made = await create(county, wish())
    deletions = (asking("DELETE", f"Goal?{MINE}"), asking("DELETE", f"Goal/{made['id']}"))
    assert statuses(await answers(county, *deletions[::-1])) == ["204", "204"]


async def test_two_creates_under_one_condition_are_one_resource_twice(
    county: httpx.AsyncClient, ada: str
) -> None:
    response = await county.post("", json=bundle(once(wish()), once(wish())))
    refused(response, 400, "duplicate", "Bundle.entry[1]")
    await create(county, wish())
    assert statuses(await answers(county, once(wish()), once(wish()))) == ["200", "200"]


async def test_a_deletion_comes_before_the_conditions(county: httpx.AsyncClient, ada: str) -> None:
    made = await create(county, wish())
    answered = await answers(county, once(wish()), asking("DELETE", f"Goal?{MINE}"))
    assert statuses(answered) == ["201", "204"]
    assert places(answered[:1]) != [f"Goal/{made['id']}"]


async def test_a_conditional_update_creates_or_changes(county: httpx.AsyncClient, ada: str) -> None:
    mine = f"urn:uuid:{uuid4()}"
    entries = (asking("PUT", f"Goal?{MINE}", wish(), mine), posting(care_plan(mine)))
    first = await answers(county, *entries)
    entries[0]["resource"]["language"] = "en"
    second = await answers(county, *entries)
    assert (statuses(first), statuses(second)) == (["201", "201"], ["200", "201"])
    assert places(first)[0] == places(second)[0]
    plan = (await county.get(f"/{places(second)[1]}")).json()
    assert plan["goal"] == [reference(places(first)[0])]


async def test_one_condition_that_fails_takes_all_back(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    for _ in range(2):
        await create(county, wish())
    before = await database.fetchval(COUNT)
    response = await county.post("", json=bundle(posting(goal()), once(wish())))
    refused(response, 412, "multiple-matches", "Bundle.entry[1]")
    assert await database.fetchval(COUNT) == before


async def test_a_batch_performs_each_condition_for_itself(
    county: httpx.AsyncClient, ada: str
) -> None:
    entries = [
        once(wish()),
        once(wish()),
        asking("PUT", f"Goal?{MINE}", wish(language="en")),
        asking("DELETE", f"Goal?{MINE}"),
        asking("DELETE", f"Goal?{MINE}"),
    ]
    response = await county.post("", json={**bundle(*entries), "type": "batch"})
    assert statuses(response.json()["entry"]) == ["201", "200", "200", "204", "204"]


async def test_a_large_transaction_under_conditions_is_written_once(
    county: httpx.AsyncClient, ada: str
) -> None:
    entries = [
        once(wish(str(number)), condition=f"identifier={SYSTEM}|{number}") for number in range(120)
    ]
    first, second = await answers(county, *entries), await answers(county, *entries)
    assert (set(statuses(first)), set(statuses(second))) == ({"201"}, {"200"})
    assert places(first) == places(second)
