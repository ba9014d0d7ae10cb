"""_sort, _before and _list of a history: https://hl7.org/fhir/R4/http.html#history"""

import httpx
import pytest

from tests.build import goal, organization, patient, reference
from tests.http.conftest import Json, Service, change, create, load, refused
from tests.http.test_history import pages, told, versions

__all__ = ["told"]

URLS = ["/Goal/ada-goal-1/_history", "/Goal/_history", "/_history"]
OLDEST_FIRST = "_sort=_lastUpdated"


def listing(*references: str, **elements: object) -> Json:
    entries = [{"item": reference(each)} for each in references]
    made = {"resourceType": "List", "status": "current", "mode": "working"}
    return {**made, "subject": reference("Patient/ada"), "entry": entries, **elements}


@pytest.mark.parametrize("url", URLS)
async def test_a_history_is_told_from_its_beginning_too(
    county: httpx.AsyncClient, told: list[str], url: str
) -> None:
    backward = versions(await county.get(f"{url}?_sort=-_lastUpdated"))
    assert versions(await county.get(url)) == backward
    assert versions(await county.get(f"{url}?{OLDEST_FIRST}")) == backward[::-1]
    parts = [versions(page) async for page in pages(county, f"{url}?_count=2&{OLDEST_FIRST}")]
    assert [name for part in parts for name in part] == backward[::-1]


async def test_pages_from_the_beginning_stay_put_while_others_write(
    county: httpx.AsyncClient, ada: str
) -> None:
    before = versions(await county.get(f"/Goal/_history?{OLDEST_FIRST}"))
    seen = []
    async for page in pages(county, f"/Goal/_history?_count=1&{OLDEST_FIRST}"):
        seen += versions(page)
        await create(county, goal())
        await change(county, goal("ada-goal-1"), description={"text": f"Wish {len(seen)}"})
    assert seen == before


async def test_before_an_instant_leaves_that_instant_out(
    county: httpx.AsyncClient, told: list[str]
) -> None:
    url = "/Goal/ada-goal-1/_history"
    for at, instant in enumerate(told):
        earlier = [f"Goal/ada-goal-1@{version}" for version in range(at, 0, -1)]
        response = await county.get(url, params={"_before": instant})
        assert versions(response) == earlier
        both = await county.get(url, params={"_since": instant, "_before": instant})
        assert versions(both) == []


async def test_a_deletion_is_told_without_a_resource_and_a_return_with_one(
    county: httpx.AsyncClient, told: list[str]
) -> None:
    await county.put("/Goal/ada-goal-1", json=goal())
    response = await county.get(f"/Goal/ada-goal-1/_history?{OLDEST_FIRST}")
    entries = response.json()["entry"]
    assert [entry["request"]["method"] for entry in entries] == ["PUT", "PUT", "DELETE", "PUT"]
    assert [entry["response"]["status"] for entry in entries] == ["201", "200", "204", "200"]
    assert ["resource" in entry for entry in entries] == [True, True, False, True]


async def test_a_list_narrows_a_history(county: httpx.AsyncClient, ada: str) -> None:
    await change(county, goal(), lifecycleStatus="completed")
    made = await create(
        county, listing("Goal/ada-goal-1/_history/2", "Goal/ada-goal-2", "CarePlan/ada-plan")
    )
    base = str(county.base_url).rstrip("/")
    for name in (made["id"], f"List/{made['id']}", f"{base}/List/{made['id']}"):
        response = await county.get("/Goal/_history", params={"_list": name})
        assert sorted(versions(response)) == ["Goal/ada-goal-1@2", "Goal/ada-goal-2@1"]
    assert len(versions(await county.get(f"/_history?_list={made['id']}"))) == 3
    one = await county.get(f"/Goal/ada-goal-1/_history?_list={made['id']}")
    assert versions(one) == ["Goal/ada-goal-1@2"]
    empty = await create(county, listing() | {"entry": [{"item": {"display": "none"}}]})
    assert versions(await county.get(f"/_history?_list={empty['id']}")) == []


async def test_a_list_that_is_hidden_is_told_like_one_that_is_not_there(
    service: Service, operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, organization("elsewhere"), patient("eve", "Organization/elsewhere"))
    hidden = await create(operator, listing("Goal/ada-goal-1", subject=reference("Patient/eve")))
    first = await county.get(f"/Goal/_history?_list={hidden['id']}")
    refused(first, 404, "not-found")
    second = await county.get("/Goal/_history?_list=none")
    assert first.text.replace(hidden["id"], "none") == second.text
    goals = await service.as_(
        "provider-organization", "Organization/county", scope="system/Goal.rs"
    )
    mine = await create(county, listing("Goal/ada-goal-1"))
    refused(await goals.get(f"/Goal/_history?_list={mine['id']}"), 403, "forbidden")


@pytest.mark.parametrize("query", ["_sort=", "_sort=_id", "_sort=-", "_before=x", "_list=Goal/1"])
@pytest.mark.parametrize("url", URLS)
async def test_what_cannot_be_read_is_refused(
    client: httpx.AsyncClient, unchanged: None, url: str, query: str
) -> None:
    refused(await client.get(f"{url}?{query}"), 400, "value")
