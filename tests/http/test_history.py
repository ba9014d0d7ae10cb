"""https://hl7.org/fhir/R4/http.html#history"""

import asyncio

import httpx
import pytest

from app.storage.database import Database
from tests.build import consent, goal, patient, practitioner
from tests.http.conftest import COUNTY, PARTNER, Json, change, create, links, load, pages, refused
from tests.http.following import Follower


def versions(response: httpx.Response) -> list[str]:
    """The entries of a history as Type/id@version, newest first."""
    assert response.status_code == 200, response.text
    bundle = response.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "history")
    return [named(entry) for entry in bundle.get("entry", [])]


def named(entry: Json) -> str:
    place = entry["fullUrl"].split("/fhir/")[1]
    return f"{place}@{entry['response']['etag'][3:-1]}"


@pytest.fixture
async def told(county: httpx.AsyncClient, ada: str) -> list[str]:
    """The instants of versions 1, 2 and 3 (the deletion) of Goal/ada-goal-1."""
    await change(county, goal(), lifecycleStatus="completed")
    await asyncio.sleep(0.002)
    await county.delete("/Goal/ada-goal-1")
    entries = (await county.get("/Goal/ada-goal-1/_history")).json()["entry"]
    return [entry["response"]["lastModified"] for entry in reversed(entries)]


async def test_the_history_of_a_resource_begins_with_its_latest_version(
    county: httpx.AsyncClient, ada: str
) -> None:
    made = await create(county, goal())
    place = f"Goal/{made['id']}"
    changed = await change(county, made, lifecycleStatus="completed")
    second, first = (await county.get(f"/{place}/_history")).json()["entry"]
    assert second["resource"] == changed
    assert second["request"] == {"method": "PUT", "url": place}
    assert second["response"]["etag"] == 'W/"2"'
    assert second["response"]["status"].startswith("200")
    assert second["response"]["lastModified"] == changed["meta"]["lastUpdated"]
    assert first["resource"] == made
    assert first["request"] == {"method": "POST", "url": "Goal"}
    assert first["response"]["status"].startswith("201")
    assert first["fullUrl"] == f"{str(county.base_url).rstrip('/')}/{place}"


async def test_the_history_of_a_type_holds_all_of_it(county: httpx.AsyncClient, told: list) -> None:
    assert versions(await county.get("/Goal/_history")) == [
        "Goal/ada-goal-1@3",
        "Goal/ada-goal-1@2",
        "Goal/ada-goal-2@1",
        "Goal/ada-goal-1@1",
    ]


async def test_the_history_of_the_system_holds_every_type_but_the_audit_trail(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    for client in (county, operator):
        types = {name.split("/")[0] for name in versions(await client.get("/_history"))}
        assert types == {"Organization", "Patient", "CareTeam", "Condition", "Goal", "CarePlan"}


async def test_a_history_shows_nothing_that_is_hidden_today(
    county: httpx.AsyncClient,
    partner: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    operator: httpx.AsyncClient,
    ada: str,
) -> None:
    await load(operator, consent(PARTNER))
    assert len(versions(await partner.get("/Goal/_history"))) == 2
    assert versions(await stranger.get("/Goal/_history")) == []
    assert {name.split("/")[0] for name in versions(await stranger.get("/_history"))} == {
        "Organization"
    }
    refused(await stranger.get("/Goal/ada-goal-1/_history"), 404, "not-found")
    await load(operator, consent(PARTNER, "deny"))
    assert versions(await partner.get("/Goal/_history")) == []


async def test_the_history_of_the_hidden_and_of_the_unknown_answer_alike(
    stranger: httpx.AsyncClient, ada: str
) -> None:
    hidden = await stranger.get("/Goal/ada-goal-1/_history")
    unknown = await stranger.get("/Goal/ada-goal-9/_history")
    assert hidden.text.replace("ada-goal-1", "ada-goal-9") == unknown.text


async def test_since_an_instant_includes_that_instant(
    county: httpx.AsyncClient, told: list[str]
) -> None:
    for since, expected in ((told[2], [3]), (told[1], [3, 2]), (told[0], [3, 2, 1])):
        response = await county.get("/Goal/ada-goal-1/_history", params={"_since": since})
        assert versions(response) == [f"Goal/ada-goal-1@{number}" for number in expected]
    later = await county.get("/Goal/ada-goal-1/_history?_since=2100-01-01T00:00:00Z")
    assert versions(later) == []


async def test_at_an_instant_the_version_of_that_time_is_shown(
    county: httpx.AsyncClient, told: list[str]
) -> None:
    for at, expected in ((told[0], [1]), (told[1], [2]), (told[2], [3])):
        response = await county.get("/Goal/ada-goal-1/_history", params={"_at": at})
        assert versions(response) == [f"Goal/ada-goal-1@{number}" for number in expected]
    year = await county.get(f"/Goal/ada-goal-1/_history?_at={told[0][:4]}")
    assert len(versions(year)) == 3
    assert versions(await county.get("/Goal/ada-goal-1/_history?_at=1999")) == []


@pytest.mark.parametrize(
    "query",
    [
        "_since=yesterday",
        "_since=2026-01-01",
        "_since=",
        "_at=soon",
        "_at=",
        "_count=-1",
        "_count=x",
    ],
)
async def test_a_history_parameter_that_cannot_be_read_is_refused(
    county: httpx.AsyncClient, ada: str, query: str
) -> None:
    for url in ("/Goal/ada-goal-1/_history", "/Goal/_history", "/_history"):
        refused(await county.get(f"{url}?{query}"), 400, "value")


async def test_a_parameter_of_search_does_not_apply_to_a_history(
    county: httpx.AsyncClient, ada: str
) -> None:
    refused(await county.get("/Goal/_history?patient=ada"), 400, "not-supported")


@pytest.mark.parametrize("url", ["/Goal/ada-goal-1/_history", "/Goal/_history", "/_history"])
async def test_pages_partition_a_history(
    county: httpx.AsyncClient, told: list[str], url: str
) -> None:
    whole = versions(await county.get(url))
    parts = [versions(page) async for page in pages(county, f"{url}?_count=2")]
    assert [name for part in parts for name in part] == whole
    assert all(len(part) == 2 for part in parts[:-1])


async def test_pages_stay_put_while_others_write(county: httpx.AsyncClient, ada: str) -> None:
    before = versions(await county.get("/Goal/_history"))
    seen = []
    async for page in pages(county, "/Goal/_history?_count=1"):
        seen += versions(page)
        await create(county, goal())
        await change(county, goal("ada-goal-1"), description={"text": f"Wish {len(seen)}"})
    assert seen == before


async def test_a_page_is_judged_anew(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    """A link holds a place, never a permission."""
    await load(operator, consent(PARTNER))
    first = await partner.get("/Goal/_history?_count=1")
    await load(operator, consent(PARTNER, "deny"))
    assert versions(await partner.get(links(first)["next"])) == []


async def test_a_page_link_serves_nobody_else(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    first = await county.get("/Goal/_history?_count=1")
    link = links(first)["next"]
    refused(await operator.get(link), 400, "value")
    refused(await county.get(link.replace("Goal", "Patient")), 400, "value")
    refused(await county.get(link.replace("_count=1", "_count=2")), 400, "value")
    for broken in ("", "x", "é", "AAAA", link.split("_page=")[1][:-2]):
        response = await county.get("/Goal/_history", params={"_count": 1, "_page": broken})
        refused(response, 400, "value")


async def test_no_entries_are_asked_for(county: httpx.AsyncClient, ada: str) -> None:
    assert versions(await county.get("/Goal/_history?_count=0")) == []


async def test_a_page_has_an_end_whatever_was_asked_for(
    county: httpx.AsyncClient, ada: str
) -> None:
    assert len(versions(await county.get("/Goal/_history?_count=999999999"))) == 2


async def test_entries_can_be_cut_to_elements(county: httpx.AsyncClient, ada: str) -> None:
    response = await county.get("/Goal/_history?_elements=lifecycleStatus")
    for entry in response.json()["entry"]:
        assert "target" not in entry["resource"]
        assert entry["resource"]["meta"]["tag"][-1]["code"] == "SUBSETTED"


async def test_a_follower_misses_nothing_and_sees_nothing_of_others(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, patient("zoe", "Organization/elsewhere"))
    follower = Follower(county, "/Goal/_history")
    await follower.catch_up()

    async def work(number: int) -> dict[str, str]:
        done = {}
        for _ in range(4):
            made = await create(county, goal())
            last = await change(county, made, description={"text": f"By {number}"})
            await create(stranger, goal(patient="Patient/zoe"))
            done[f"Goal/{made['id']}@1"] = made["meta"]["lastUpdated"]
            done[f"Goal/{last['id']}@2"] = last["meta"]["lastUpdated"]
        return done

    writers = [asyncio.create_task(work(number)) for number in range(8)]
    while not all(writer.done() for writer in writers):
        await follower.catch_up()
    written = {name: at for writer in writers for name, at in writer.result().items()}
    await follower.reach(max(written.values()))
    assert follower.seen == {*written, "Goal/ada-goal-1@1", "Goal/ada-goal-2@1"}


async def test_a_follower_waits_for_a_write_that_is_slow_to_commit(
    database: Database, county: httpx.AsyncClient, ada: str
) -> None:
    """The slow write has the earlier instant: whoever went past it would never see it."""
    follower = Follower(county, "/Goal/_history")
    async with database.transaction() as connection:
        await connection.fetch("SELECT FROM resource WHERE id = 'ada-goal-1' FOR UPDATE")
        slow = asyncio.create_task(change(county, goal(), lifecycleStatus="completed"))
        await _until_waiting(database)
        fast = await change(county, goal("ada-goal-2"), lifecycleStatus="completed")
        for _ in range(3):
            await follower.catch_up()
            assert not any(name.endswith("@2") for name in follower.seen)
    made = await slow
    assert made["meta"]["lastUpdated"] <= fast["meta"]["lastUpdated"]
    await follower.reach(fast["meta"]["lastUpdated"])
    assert {"Goal/ada-goal-1@2", "Goal/ada-goal-2@2"} <= follower.seen


async def test_a_follower_of_the_system_sees_what_a_transaction_wrote_at_once(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    follower = Follower(county, "/_history")
    await follower.catch_up()
    known = set(follower.seen)
    await load(operator, practitioner("p1"), patient("ben", COUNTY), goal("b", "Patient/ben"))
    written = (await county.get("/Goal/b")).json()["meta"]["lastUpdated"]
    await follower.reach(written)
    assert follower.seen - known == {"Practitioner/p1@1", "Patient/ben@1", "Goal/b@1"}


async def _until_waiting(database: Database) -> None:
    """Until some statement waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while not await database.fetchval(waiting):
        await asyncio.sleep(0.002)


async def test_at_an_instant_what_others_were_then_makes_no_difference(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, told: list[str]
) -> None:
    for number in range(2):
        await load(operator, goal("ada-goal-2", description={"text": f"Wish {number}"}))
    response = await county.get("/Goal/ada-goal-1/_history", params={"_at": told[1]})
    assert versions(response) == ["Goal/ada-goal-1@2"]
    both = await county.get("/Goal/_history", params={"_at": told[1]})
    assert versions(both) == ["Goal/ada-goal-1@2", "Goal/ada-goal-2@1"]
