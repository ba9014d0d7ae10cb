"""$diff: the patch between two versions. docs/operations/diff.md"""

import httpx
import pytest

from tests.build import HL7, goal, plan, reference
from tests.http.conftest import COUNTY, PARTNER, Json, load, refused

PATCH = {"Content-Type": "application/fhir+json"}


def told(response: httpx.Response) -> list[Json]:
    assert response.status_code == 200, response.text
    found = response.json()
    assert found["resourceType"] == "Parameters"
    return list(found.get("parameter", []))


async def test_the_patch_leads_from_one_version_to_the_other(
    county: httpx.AsyncClient, ada: str
) -> None:
    wish = goal(note=[{"text": "slowly"}], startDate="2026-01-01")
    assert (await county.put("/Goal/ada-goal-1", json=wish)).status_code == 200
    forth = await county.get("/Goal/ada-goal-1/$diff")
    assert len(told(forth)) == 2
    back = await county.get("/Goal/ada-goal-1/$diff?from=2&to=1")
    patched = await county.patch("/Goal/ada-goal-1", content=back.content, headers=PATCH)
    assert patched.status_code == 200, patched.text
    first = (await county.get("/Goal/ada-goal-1/_history/1")).json()
    assert {**patched.json(), "meta": first["meta"]} == first
    assert told(await county.get("/Goal/ada-goal-1/$diff?from=1&to=3")) == []


async def test_parameters_may_come_in_the_body(county: httpx.AsyncClient, ada: str) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "from", "valueInteger": 1}, {"name": "to", "valueString": "1"}],
    }
    assert told(await county.post("/Goal/ada-goal-1/$diff", json=body)) == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "value"),
        ("?to=1", 400, "value"),
        ("?from=9", 404, "not-found"),
        ("?from=1&to=x/y", 404, "not-found"),
        ("?since=1", 400, "not-supported"),
    ],
)
async def test_what_cannot_be_compared_is_refused(
    county: httpx.AsyncClient, ada: str, query: str, status: int, code: str
) -> None:
    refused(await county.get(f"/Goal/ada-goal-1/$diff{query}"), status, code)


async def test_what_is_not_visible_is_not_compared(
    stranger: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    assert (await stranger.get("/Goal/ada-goal-1/$diff?from=1&to=1")).status_code == 404
    assert (await county.delete("/Goal/ada-goal-2")).status_code == 204
    assert (await county.get("/Goal/ada-goal-2/$diff?from=1&to=1")).status_code == 410


async def test_what_is_hidden_has_no_part_in_it(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    *ada, mine = plan(PARTNER, organization=COUNTY)
    secret = goal("sober", meta={"security": [{"system": f"{HL7}/v3-ActCode", "code": "SUD"}]})
    await load(operator, *ada, secret, mine)
    more = {**mine, "goal": [*mine["goal"], reference("Goal/sober")], "title": "Another"}
    await load(operator, more)
    url = "/CarePlan/ada-plan/$diff?from=1&to=2"
    assert len(told(await county.get(url))) == 2
    response = await partner.get(url)
    assert b"sober" not in response.content
    assert "Another" in str(told(response))
