"""CarePlan/$isp-propose as its callers meet it."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from app.fhir import json
from app.storage.database import Database
from tests.build import organization, reference
from tests.http.conftest import COUNTY, Service, change, load, refused, serving
from tests.worlds.whole import TODAY, whole

Json = dict[str, Any]
EMPTY: Json = {"resourceType": "Parameters"}
PROPOSE = "/CarePlan/ada/$isp-propose"
DAY = re.compile(r'(?<=")(?<!"birthDate": ")\d{4}-\d{2}-\d{2}(?=["T])')


def given(**parts: Any) -> Json:
    kinds = {"signer": "valueReference", "due": "valueDate", "rules": "valueCode"}
    listed = [{"name": n, kinds.get(n, "valueString"): value} for n, value in parts.items()]
    return EMPTY | {"parameter": listed}


def moved() -> list[Json]:
    """The whole plan as a draft that nobody signed, as if written today."""
    ahead = datetime.now(UTC).date() - TODAY
    text = json.dump([one for one in whole(status="draft").all() if "signature" not in one])
    told = DAY.sub(lambda found: (date.fromisoformat(found[0]) + ahead).isoformat(), text.decode())
    resources: list[Json] = json.parse(told.encode())
    for one in resources:
        one.pop("meta", None)
        if one["resourceType"] == "Patient":
            one["managingOrganization"] = reference(COUNTY)
    return resources


@pytest.fixture
async def service(dsn: str, database: Database) -> AsyncIterator[Service]:
    """Takes plans that refer to practitioners and forms whom nobody wrote down."""
    async with serving(dsn, references="lenient") as running:
        operator = await running.as_("operator")
        await load(operator, organization("county"), *moved())
        yield running


@pytest.fixture
async def county(service: Service) -> httpx.AsyncClient:
    return await service.as_("provider-organization", COUNTY)


@pytest.fixture
async def person(service: Service) -> httpx.AsyncClient:
    who = {"fhir_user": "Patient/ada", "patient": "ada"}
    return await service.as_("individual", None, "patient/*.cruds", **who)


async def stage(client: httpx.AsyncClient) -> tuple[str, list[str]]:
    response = await client.get("/CarePlan/ada/$isp-validate")
    assert response.status_code == 200, response.text
    parts = response.json()["parameter"]
    [told] = [one["valueCode"] for one in parts if one["name"] == "stage"]
    return told, [o["valueReference"]["reference"] for o in parts if o["name"] == "changed"]


async def asks(client: httpx.AsyncClient, status: str = "requested") -> list[str]:
    response = await client.get(f"/Task?code=sign-plan&patient=ada&status={status}&_sort=_id")
    entries = response.json().get("entry", ())
    return sorted(one["resource"]["owner"]["reference"] for one in entries)


async def test_a_draft_is_put_before_everybody_who_signs(
    county: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    assert await stage(county) == ("draft", [])
    response = await county.post(PROPOSE, json=EMPTY)
    assert response.status_code == 201, response.text
    proof, *tasks = (entry["resource"] for entry in response.json()["entry"])
    assert proof["activity"]["coding"][0]["code"] == "propose"
    assert {one["focus"]["reference"] for one in tasks} == {"CarePlan/ada/_history/1"}
    assert await stage(county) == await stage(person) == ("proposed", [])
    three = ["Patient/ada", "PractitionerRole/eve", "PractitionerRole/tom"]
    assert await asks(county) == await asks(person) == three
    assert (await county.get("/CarePlan/ada")).json()["meta"]["versionId"] == "1"


async def test_whoever_reads_it_is_told(county: httpx.AsyncClient) -> None:
    assert (await county.post(PROPOSE, json=EMPTY)).status_code == 201
    url = "/CarePlan/ada/$document?_format=text/html"
    page = (await county.get(url)).text
    assert "This plan is proposed." in page
    assert "It has changed since" not in page
    assert "Who was asked to sign" in page
    await change(county, (await county.get("/CarePlan/ada")).json(), title="Another")
    assert await stage(county) == ("proposed", ["CarePlan/ada"])
    assert "It has changed since it was put forward." in (await county.get(url)).text


async def test_who_signs_or_refuses_has_answered(
    service: Service, county: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    assert (await county.post(PROPOSE, json=EMPTY)).status_code == 201
    assert (await person.post("/CarePlan/ada/$isp-sign", json=EMPTY)).status_code == 201
    who = {"fhir_user": "PractitionerRole/eve"}
    eve = await service.as_("key-worker", COUNTY, "system/*.cruds", **who)
    no = given(refusal="The hours are too few.")
    assert (await eve.post("/CarePlan/ada/$isp-sign", json=no)).status_code == 201
    assert await asks(county) == ["PractitionerRole/tom"]
    assert await asks(county, "completed") == ["Patient/ada"]
    assert await asks(county, "rejected") == ["PractitionerRole/eve"]


async def test_who_may_not_change_tasks_signs_all_the_same(
    service: Service, county: httpx.AsyncClient
) -> None:
    assert (await county.post(PROPOSE, json=EMPTY)).status_code == 201
    scope = "patient/*.rs patient/Provenance.c"
    who = {"fhir_user": "Patient/ada", "patient": "ada"}
    client = await service.as_("individual", None, scope, **who)
    assert (await client.post("/CarePlan/ada/$isp-sign", json=EMPTY)).status_code == 201
    assert "Patient/ada" in await asks(county)


async def test_a_plan_that_was_taken_back_does_not_begin(
    county: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    assert (await county.post(PROPOSE, json=EMPTY)).status_code == 201
    assert (await person.post("/CarePlan/ada/$isp-sign", json=EMPTY)).status_code == 201
    response = await county.post(PROPOSE, json=given(withdrawal="Ines has a question."))
    assert response.status_code == 201, response.text
    assert await stage(county) == ("draft", [])
    assert await asks(county) == []
    begin = {"If-Match": 'W/"1"'}
    said = await county.post("/CarePlan/ada/$isp-activate", json=EMPTY, headers=begin)
    assert refused(said, 422, "business-rule", "CarePlan.status").startswith("Proposed")
    assert (await county.post(PROPOSE, json=EMPTY)).status_code == 201
    said = await county.post("/CarePlan/ada/$isp-activate", json=EMPTY, headers=begin)
    assert said.status_code == 200, said.text
    assert (await stage(county))[0] == "active"
    again = await county.post(PROPOSE, json=EMPTY)
    assert refused(again, 422, "business-rule", "CarePlan.status").startswith("Status")


async def test_a_plan_that_lacks_something_is_not_proposed(county: httpx.AsyncClient) -> None:
    goal = (await county.get("/Goal/job")).json()
    await change(county, {k: v for k, v in goal.items() if k != "target"})
    response = await county.post(PROPOSE, json=EMPTY)
    assert response.status_code == 422, response.text
    assert {one["diagnostics"][:13] for one in response.json()["issue"]} == {"C12: Goal/job"}
    assert await stage(county) == ("draft", [])


async def test_revoking_calls_off_what_was_asked(county: httpx.AsyncClient) -> None:
    assert (await county.post(PROPOSE, json=EMPTY)).status_code == 201
    headers = {"If-Match": 'W/"1"'}
    why = given(reason="She moved away.")
    response = await county.post("/CarePlan/ada/$isp-revoke", json=why, headers=headers)
    assert response.status_code == 200, response.text
    assert await asks(county) == []
    assert len(await asks(county, "cancelled")) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"signer": reference("Organization/county")},
        {"signer": {"display": "Ines"}},
        {"due": "2026-11"},
        {"rules": "none"},
        {"withdrawal": " "},
        {"withdrawal": "So.", "rules": "core"},
        {"more": "x"},
    ],
)
async def test_what_cannot_be_read_is_refused(county: httpx.AsyncClient, wrong: Json) -> None:
    response = await county.post(PROPOSE, json=given(**wrong))
    assert response.status_code == 400, response.text
    assert await stage(county) == ("draft", [])


async def test_the_version_that_was_seen_may_be_said(county: httpx.AsyncClient) -> None:
    stale = await county.post(PROPOSE, json=EMPTY, headers={"If-Match": 'W/"9"'})
    refused(stale, 412, "conflict", "CarePlan")


async def test_a_stranger_cannot_tell_the_plan_from_none(service: Service) -> None:
    await load(await service.as_("operator"), organization("elsewhere"))
    stranger = await service.as_("provider-organization", "Organization/elsewhere")
    there = await stranger.post(PROPOSE, json=EMPTY)
    nowhere = await stranger.post("/CarePlan/eve/$isp-propose", json=EMPTY)
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace("CarePlan/ada", "CarePlan/eve") == nowhere.text
