"""CarePlan/$isp-sign as its callers meet it."""

import asyncio
from base64 import b64decode
from typing import Any

import httpx
import pytest

from app.storage.database import Database
from tests.build import care_plan, goal, reference
from tests.http.conftest import Service, change, refused

Json = dict[str, Any]
SIGN = "/CarePlan/ada-plan/$isp-sign"
EMPTY: Json = {"resourceType": "Parameters"}
ROWS = "SELECT count(*) FROM resource_version"


def parameters(name: str, element: str, value: object) -> Json:
    return EMPTY | {"parameter": [{"name": name, element: value}]}


NO = parameters("refusal", "valueString", "Nobody asked me.")


async def person(service: Service, scope: str = "patient/*.cruds") -> httpx.AsyncClient:
    return await service.as_("individual", None, scope, fhir_user="Patient/ada", patient="ada")


async def outdated(client: httpx.AsyncClient) -> bool:
    response = await client.get("/CarePlan/ada-plan/$isp-validate")
    assert response.status_code == 200, response.text
    return '"C50"' in response.text


async def test_a_person_signs_the_version_they_saw(service: Service, ada: str) -> None:
    client = await person(service)
    response = await client.post(SIGN, json=EMPTY, headers={"If-Match": 'W/"1"'})
    assert response.status_code == 201, response.text
    made = response.json()
    assert made["target"] == [reference("CarePlan/ada-plan/_history/1")]
    assert made["agent"][0]["who"] == reference("Patient/ada")
    [signed] = made["signature"]
    assert signed["who"] == reference("Patient/ada")
    assert signed["type"][0]["code"] == "1.2.840.10065.1.12.1.7"
    lines = b64decode(signed["data"]).decode().split("\n")
    assert {line.partition(" ")[2] for line in lines[1:]} == {
        "CarePlan/ada-plan",
        "CareTeam/ada-team",
        "Goal/ada-goal-1",
        "Goal/ada-goal-2",
    }
    assert (await client.get(response.headers["location"])).json() == made


async def test_a_later_change_of_any_part_shows(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    assert (await (await person(service)).post(SIGN, json=EMPTY)).status_code == 201
    assert not await outdated(county)
    status = {"coding": [{"code": "improving"}]}
    await change(county, goal("ada-goal-1", achievementStatus=status))
    plan = (await county.get("/CarePlan/ada-plan")).json()
    await change(county, plan, status="on-hold")
    assert not await outdated(county)
    await change(county, goal("ada-goal-1", description={"text": "Something else."}))
    assert await outdated(county)


async def test_a_refusal_has_a_reason_and_no_signature(service: Service, ada: str) -> None:
    response = await (await person(service)).post(SIGN, json=NO)
    assert response.status_code == 201, response.text
    made = response.json()
    assert "signature" not in made
    assert made["reason"][0]["text"] == "Nobody asked me."
    assert made["reason"][0]["coding"][0]["code"] == "signature-refused"


async def test_nobody_signs_for_somebody_else(
    county: httpx.AsyncClient, ada: str, database: Database
) -> None:
    """A system of an organization is nobody, whatever its scopes."""
    before = await database.fetchval(ROWS)
    assert "fhirUser" in refused(await county.post(SIGN, json=EMPTY), 403, "forbidden")
    assert await database.fetchval(ROWS) == before


async def test_the_version_that_was_read_is_the_one_that_is_signed(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    await change(county, care_plan(title="Another title"))
    client = await person(service)
    stale = await client.post(SIGN, json=EMPTY, headers={"If-Match": 'W/"1"'})
    assert "2" in refused(stale, 412, "conflict", "CarePlan")
    fresh = await client.post(SIGN, json=EMPTY, headers={"If-Match": 'W/"2"'})
    assert fresh.json()["target"] == [reference("CarePlan/ada-plan/_history/2")]


@pytest.mark.parametrize("status", ["completed", "revoked", "entered-in-error", "unknown"])
@pytest.mark.parametrize("body", [EMPTY, NO], ids=["sign", "refuse"])
async def test_a_plan_that_is_over_is_not_signed(
    service: Service, county: httpx.AsyncClient, ada: str, status: str, body: Json
) -> None:
    await change(county, care_plan(status=status))
    response = await (await person(service)).post(SIGN, json=body)
    refused(response, 422, "business-rule", "CarePlan.status")


async def test_a_signature_and_an_edit_at_once_are_both_kept(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    """Whoever was first: either the signature is to the new text, or it shows as outdated."""
    client = await person(service)
    other = goal("ada-goal-1", description={"text": "Something else."})
    signed, _ = await asyncio.gather(client.post(SIGN, json=EMPTY), change(county, other))
    assert signed.status_code == 201
    was_outdated = await outdated(county)
    again = await client.post(SIGN, json=EMPTY)
    first, second = (one.json()["signature"][0]["data"] for one in (signed, again))
    assert (first != second) is was_outdated
    assert not await outdated(county)


@pytest.mark.parametrize(
    "body",
    [
        parameters("type", "valueCode", "autograph"),
        parameters("refusal", "valueString", " "),
        parameters("who", "valueReference", reference("Patient/ada")),
        care_plan(),
    ],
)
async def test_what_cannot_be_understood_is_refused(service: Service, ada: str, body: Json) -> None:
    response = await (await person(service)).post(SIGN, json=body)
    assert response.status_code == 400, response.text


async def test_a_get_signs_nothing(service: Service, ada: str, database: Database) -> None:
    before = await database.fetchval(ROWS)
    assert (await (await person(service)).get(SIGN)).status_code == 400
    assert await database.fetchval(ROWS) == before


async def test_a_deleted_plan_is_gone(
    service: Service, county: httpx.AsyncClient, ada: str
) -> None:
    assert (await county.delete("/CarePlan/ada-plan")).status_code == 204
    refused(await (await person(service)).post(SIGN, json=EMPTY), 410, "deleted")


async def test_a_stranger_cannot_tell_the_plan_from_none(service: Service, ada: str) -> None:
    stranger = await service.as_("clinician", "Organization/x", fhir_user="Practitioner/mallory")
    there = await stranger.post(SIGN, json=EMPTY)
    nowhere = await stranger.post(SIGN.replace("ada-plan", "eve-plan"), json=EMPTY)
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace("ada-plan", "eve-plan") == nowhere.text


async def test_it_takes_the_scope_to_write_it_down(service: Service, ada: str) -> None:
    client = await person(service, "patient/CarePlan.rs patient/Goal.rs")
    refused(await client.post(SIGN, json=EMPTY), 403, "forbidden")
