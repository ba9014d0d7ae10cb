"""A resource leaves without what points to what its reader may not know. docs/security.md"""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.fhir.compartments import DIRECTORY
from app.fhir.references import mentioned
from app.fhir.reindex import reindex
from app.fhir.step import pointers
from app.storage.database import Database
from tests.build import plan, practitioner, reference
from tests.http.conftest import COUNTY, Service, load
from tests.http.redacted import SUBSETTED, check_redacted, eyes, plans

__all__ = ["eyes"]

EXITS = [
    "/CarePlan/ada-plan",
    "/CarePlan/ada-plan/_history/1",
    "/CarePlan/ada-plan/_history",
    "/CarePlan/_history",
    "/_history",
    "/CarePlan?patient=ada",
    "/Patient/ada/CarePlan",
    "/Goal?_id=ada-goal-1&_revinclude=CarePlan:goal",
]


async def test_the_plan_leaves_without_what_is_hidden(eyes: Any) -> None:
    county, partner = eyes
    for url in EXITS:
        [whole] = await plans(county, url)
        assert len(whole["goal"]) == 3
        assert "text" in whole
        assert "tag" not in whole["meta"]
        [copy] = await plans(partner, url)
        check_redacted(copy)


@pytest.mark.parametrize("url", EXITS)
async def test_what_was_stored_before_pointers_were_kept_leaves_alike(
    eyes: Any, database: Database, url: str
) -> None:
    kept = [(await client.get(url)).json() for client in eyes]
    await database.execute("UPDATE resource SET pointers = NULL")
    await database.execute("UPDATE resource_version SET pointers = NULL")
    for client, before in zip(eyes, kept, strict=True):
        after = (await client.get(url)).json()
        assert after.get("entry", after) == before.get("entry", before)


async def test_an_old_version_leaves_without_what_it_alone_refers_to(eyes: Any) -> None:
    county, partner = eyes
    [whole] = await plans(county, "/CarePlan/ada-plan")
    whole["goal"], whole["activity"] = whole["goal"][:1], whole["activity"][:1]
    assert (await county.put("/CarePlan/ada-plan", json=whole)).status_code == 200
    for url in ("/CarePlan/ada-plan/_history/1", "/CarePlan/ada-plan/_history", "/_history"):
        assert "sober" in str((await plans(county, url))[-1]).lower()
        check_redacted((await plans(partner, url))[-1])


async def test_what_is_named_by_our_own_url_is_no_less_hidden(
    eyes: Any, operator: httpx.AsyncClient
) -> None:
    county, partner = eyes
    sober = reference(f"{str(operator.base_url).rstrip('/')}/Goal/sober")
    [whole] = await plans(operator, "/CarePlan/ada-plan")
    whole["goal"], whole["activity"] = [whole["goal"][0], sober], whole["activity"][:1]
    response = await operator.put("/CarePlan/ada-plan", json=whole)
    assert response.status_code == 200, response.text
    for url in ("/CarePlan/ada-plan", "/CarePlan?patient=ada"):
        assert sober in (await plans(county, url))[0]["goal"]
        assert "sober" not in str(await plans(partner, url)).lower()


async def test_what_a_scope_hides_of_the_directory_is_not_shown(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, service: Service
) -> None:
    *ada, mine = plan(organization=COUNTY)
    mine["contributor"] = [reference("Practitioner/here"), reference("Practitioner/away")]
    await load(operator, *ada, practitioner("here"), practitioner("away", active=False), mine)
    scope = "system/CarePlan.rs system/Practitioner.rs?active=true"
    some = await service.as_("provider-organization", COUNTY, scope)
    for url in ("/CarePlan/ada-plan", "/CarePlan?patient=ada"):
        [shown] = await plans(some, url)
        assert shown["contributor"] == [reference("Practitioner/here")]


async def test_the_pointers_that_are_kept_are_those_of_the_text(
    eyes: Any, database: Database, service: Service, operator: httpx.AsyncClient
) -> None:
    engine = service.app.state.engine
    patch = [{"op": "remove", "path": "/addresses"}]
    json_patch = {"Content-Type": "application/json-patch+json"}
    await operator.patch("/CarePlan/ada-plan", json=patch, headers=json_patch)
    await operator.delete("/Goal/sober")
    stored = "SELECT body, pointers FROM resource ORDER BY rid"
    rows = await database.fetch(stored)
    assert [row["pointers"] for row in rows if row["body"] is None] == [[]]
    for row in rows:
        pointed = {
            name for name in mentioned(row["body"] or "") if name.partition("/")[0] not in DIRECTORY
        }
        assert set(row["pointers"]) == pointed
    assert {"Goal/sober", "Patient/ada"} <= {each for row in rows for each in row["pointers"]}
    for body, pointed in await database.fetch("SELECT body, pointers FROM resource_version"):
        assert pointed == pointers(body)
    await database.execute("UPDATE resource SET pointers = NULL")
    await reindex(replace(engine, database=database))
    again = [row["pointers"] for row in await database.fetch(stored) if row["body"]]
    assert again == [row["pointers"] for row in rows if row["body"]]


async def test_it_leaves_a_bundle_and_a_write_like_that_too(eyes: Any) -> None:
    _, partner = eyes
    read = {"request": {"method": "GET", "url": "CarePlan/ada-plan"}}
    for kind in ("batch", "transaction"):
        body = {"resourceType": "Bundle", "type": kind, "entry": [read]}
        response = await partner.post("", json=body)
        check_redacted(response.json()["entry"][0]["resource"])


async def test_a_part_of_it_is_a_part_of_what_is_shown(eyes: Any) -> None:
    _, partner = eyes
    response = await partner.get("/CarePlan/ada-plan?_elements=goal")
    goals = [each["reference"] for each in response.json()["goal"]]
    assert goals == ["Goal/ada-goal-1", "Goal/ada-goal-2"]
    assert response.json()["meta"]["tag"] == [SUBSETTED]


async def test_stored_bytes_leave_unchanged_where_nothing_is_hidden(eyes: Any) -> None:
    county, partner = eyes
    for url in ("/Goal/ada-goal-1", "/CareTeam/ada-team"):
        assert (await partner.get(url)).content == (await county.get(url)).content


async def test_a_redacted_copy_is_never_not_modified(eyes: Any) -> None:
    """Who sees how much of a version changes without the version changing."""
    county, partner = eyes
    known = {"If-None-Match": 'W/"1"'}
    assert (await county.get("/CarePlan/ada-plan", headers=known)).status_code == 304
    assert (await partner.get("/CarePlan/ada-plan", headers=known)).status_code == 200
