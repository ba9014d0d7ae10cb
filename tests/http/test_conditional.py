"""https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #3.1.0.7.1"""

import asyncio
from collections import Counter

import httpx
import pytest

from app.storage.database import Database
from tests.build import goal, organization, patient
from tests.http.conftest import COUNTY, Service, create, found, load, refused, serving
from tests.http.wishes import wish

SYSTEM = "http://example.org/wish"
MINE = f"identifier={SYSTEM}|1"
COUNT = "SELECT count(*) FROM resource WHERE type = 'Goal' AND NOT deleted"


def exists(condition: str = MINE, **headers: str) -> dict[str, str]:
    return {"If-None-Exist": condition, **headers}


async def test_a_create_under_a_condition_creates_once(county: httpx.AsyncClient, ada: str) -> None:
    made = await county.post("/Goal", json=wish(), headers=exists())
    assert made.status_code == 201, made.text
    again = await county.post("/Goal", json=wish(note=[{"text": "again"}]), headers=exists())
    assert again.status_code == 200
    assert again.json() == made.json()
    assert again.headers["etag"] == made.headers["etag"]
    assert again.headers["location"] == made.headers["location"]


async def test_what_was_there_is_answered_as_preferred(county: httpx.AsyncClient, ada: str) -> None:
    await create(county, wish())
    minimal = exists(Prefer="return=minimal")
    assert (await county.post("/Goal", json=wish(), headers=minimal)).content == b""
    said = exists(Prefer="return=OperationOutcome")
    answer = await county.post("/Goal", json=wish(), headers=said)
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_two_matches_are_refused(county: httpx.AsyncClient, ada: str) -> None:
    for _ in range(2):
        await create(county, wish())
    for response in (
        await county.post("/Goal", json=wish(), headers=exists()),
        await county.put(f"/Goal?{MINE}", json=wish()),
        await county.delete(f"/Goal?{MINE}"),
    ):
        refused(response, 412, "multiple-matches")


async def test_a_deleted_resource_matches_nothing(county: httpx.AsyncClient, ada: str) -> None:
    made = await create(county, wish())
    await county.delete(f"/Goal/{made['id']}")
    again = await county.post("/Goal", json=wish(), headers=exists())
    assert again.status_code == 201
    assert again.json()["id"] != made["id"]


async def test_what_is_hidden_matches_nothing(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    """A match that the caller may not know of must not show in the answer."""
    await load(operator, organization("elsewhere"), patient("eve", "Organization/elsewhere"))
    hidden = await create(operator, wish() | {"subject": {"reference": "Patient/eve"}})
    made = await county.post("/Goal", json=wish(), headers=exists())
    assert made.status_code == 201
    assert made.json()["id"] != hidden["id"]
    changed = await county.put(f"/Goal?{MINE}", json=wish(note=[{"text": "mine"}]))
    assert changed.json()["id"] == made.json()["id"]
    assert (await county.delete(f"/Goal?{MINE}")).status_code == 204
    assert (await operator.get(f"/Goal/{hidden['id']}")).headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("", "required"),
        ("_format=json", "required"),
        ("colour=red", "invalid"),
        ("_count=1", "value"),
        ("_include=Goal:patient", "value"),
        ("start-date=someday", "invalid"),
        ("identifier=", "invalid"),
    ],
)
async def test_a_condition_that_says_nothing_is_refused(
    client: httpx.AsyncClient, unchanged: None, condition: str, code: str
) -> None:
    for response in (
        await client.post("/Goal", json=wish(), headers=exists(condition)),
        await client.put(f"/Goal?{condition}", json=wish()),
        await client.patch(f"/Goal?{condition}", json={"resourceType": "Parameters"}),
        await client.delete(f"/Goal?{condition}"),
    ):
        assert response.status_code == 400, response.text
        assert response.json()["issue"][0]["code"] == code


async def test_searching_needs_its_own_scope(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    writer = await service.as_("provider-organization", COUNTY, scope="system/Goal.cud")
    for response in (
        await writer.post("/Goal", json=wish(), headers=exists()),
        await writer.put(f"/Goal?{MINE}", json=wish()),
        await writer.delete(f"/Goal?{MINE}"),
    ):
        assert "Goal.s" in refused(response, 403, "forbidden")


async def test_racing_creates_make_one_resource(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    before = await database.fetchval(COUNT)

    async def post(number: int) -> tuple[int, str]:
        headers = exists("?" + MINE if number % 2 else f"_format=json&{MINE}")
        made = await county.post("/Goal", json=wish(), headers=headers)
        return made.status_code, made.json()["id"]

    done = await asyncio.gather(*map(post, range(64)))
    assert Counter(status for status, _ in done) == {201: 1, 200: 63}
    assert len({id_ for _, id_ in done}) == 1
    assert await database.fetchval(COUNT) == before + 1


async def test_racing_updates_make_one_resource(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    before = await database.fetchval(COUNT)

    async def put(number: int) -> int:
        body = wish(note=[{"text": str(number)}])
        return (await county.put(f"/Goal?{MINE}", json=body)).status_code

    assert Counter(await asyncio.gather(*map(put, range(24)))) == {201: 1, 200: 23}
    assert await database.fetchval(COUNT) == before + 1
    [last] = (await county.get(f"/Goal?{MINE}")).json()["entry"]
    assert last["resource"]["meta"]["versionId"] == "24"


async def test_an_update_without_a_match_creates(county: httpx.AsyncClient, ada: str) -> None:
    made = await county.put(f"/Goal?{MINE}", json=wish())
    assert made.status_code == 201, made.text
    assert made.headers["location"].endswith(f"/Goal/{made.json()['id']}/_history/1")
    changed = await county.put(f"/Goal?{MINE}", json=wish(lifecycleStatus="completed"))
    assert (changed.status_code, changed.headers["etag"]) == (200, 'W/"2"')
    assert changed.json()["id"] == made.json()["id"]


async def test_the_id_of_the_body_must_be_that_of_the_match(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    made = await create(county, wish())
    same = await county.put(f"/Goal?{MINE}", json=wish() | {"id": made["id"], "language": "en"})
    assert same.status_code == 200
    other = await county.put(f"/Goal?{MINE}", json=wish() | {"id": "another"})
    refused(other, 400, "invalid", "Goal.id")


async def test_an_id_without_a_match_is_an_update_as_create(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    refused(
        await county.put(f"/Goal?{MINE}", json=wish() | {"id": "new"}), 405, "not-supported", "Goal"
    )
    made = await operator.put(f"/Goal?{MINE}", json=wish() | {"id": "new"})
    assert (made.status_code, made.json()["id"]) == (201, "new")
    taken = await operator.put(f"/Goal?{MINE}2", json=wish("12") | {"id": "new"})
    refused(taken, 412, "conflict", "Goal")


async def test_creating_by_an_update_needs_the_scope_to_create(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    editor = await service.as_("provider-organization", COUNTY, scope="system/Goal.us")
    assert "Goal.c" in refused(await editor.put(f"/Goal?{MINE}", json=wish()), 403, "forbidden")
    await create(county, wish())
    changed = await editor.put(f"/Goal?{MINE}", json=wish(lifecycleStatus="completed"))
    assert changed.status_code == 200, changed.text


async def test_a_condition_and_a_version_can_be_asked_for_together(
    county: httpx.AsyncClient, ada: str
) -> None:
    refused(
        await county.put(f"/Goal?{MINE}", json=wish(), headers={"If-Match": 'W/"1"'}),
        412,
        "conflict",
    )
    await create(county, wish())
    for header, version, status in (
        ("If-Match", 'W/"2"', 412),
        ("If-Match", 'W/"1"', 200),
        ("If-None-Match", "*", 412),
    ):
        body = wish(note=[{"text": header + version}])
        response = await county.put(f"/Goal?{MINE}", json=body, headers={header: version})
        assert response.status_code == status, response.text


async def test_a_put_can_insist_on_creating(operator: httpx.AsyncClient, ada: str) -> None:
    only_new = {"If-None-Match": "*"}
    made = await operator.put("/Goal/new", json=goal("new"), headers=only_new)
    assert made.status_code == 201
    there = await operator.put("/Goal/new", json=goal("new", language="en"), headers=only_new)
    refused(there, 412, "conflict", "Goal")
    await operator.delete("/Goal/new")
    again = await operator.put("/Goal/new", json=goal("new"), headers=only_new)
    assert again.status_code == 201
    refused(
        await operator.put("/Goal/new", json=goal("new"), headers={"If-None-Match": "3"}),
        400,
        "value",
    )


async def test_many_who_insist_on_creating_make_one(operator: httpx.AsyncClient, ada: str) -> None:
    async def put(number: int) -> int:
        body = goal("new", note=[{"text": str(number)}])
        return (
            await operator.put("/Goal/new", json=body, headers={"If-None-Match": "*"})
        ).status_code

    assert Counter(await asyncio.gather(*map(put, range(16)))) == {201: 1, 412: 15}


async def test_a_delete_takes_what_matches(county: httpx.AsyncClient, ada: str) -> None:
    made = await create(county, wish())
    assert (await county.delete(f"/Goal?{MINE}")).status_code == 204
    assert (await county.get(f"/Goal/{made['id']}")).status_code == 410
    assert (await county.delete(f"/Goal?{MINE}")).status_code == 204


async def test_an_operator_may_let_a_delete_take_several(
    dsn: str, county: httpx.AsyncClient, ada: str
) -> None:
    for _ in range(3):
        await create(county, wish())
    async with serving(dsn, conditional_delete="multiple", max_entries=3) as service:
        client = await service.as_("provider-organization", COUNTY)
        statement = (await service.client().get("/metadata")).json()["rest"][0]["resource"]
        assert "multiple" in {each["conditionalDelete"] for each in statement}
        refused(await client.delete("/Goal?patient=ada"), 412, "multiple-matches")
        said = {"Prefer": "return=OperationOutcome"}
        answer = await client.delete(f"/Goal?{MINE}", headers=said)
        assert answer.json()["issue"][0]["diagnostics"] == "3 deleted."
        assert len(found(await client.get("/Goal?patient=ada"))) == 2


async def test_the_trail_tells_of_what_was_found_and_by_which_criteria(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    made = await create(county, wish())
    await county.post("/Goal", json=wish(), headers=exists())
    entries = (await operator.get(f"/AuditEvent?entity=Goal/{made['id']}&action=C")).json()["entry"]
    assert len(entries) == 2


async def test_the_audit_trail_itself_is_not_written_conditionally(
    operator: httpx.AsyncClient,
) -> None:
    event = {"resourceType": "AuditEvent"}
    for response in (
        await operator.post("/AuditEvent", json=event, headers=exists("_id=1")),
        await operator.put("/AuditEvent?_id=1", json=event),
        await operator.delete("/AuditEvent?_id=1"),
    ):
        refused(response, 405, "not-supported")
