"""CarePlan/$isp-activate, $isp-suspend and $isp-revoke as their callers meet them."""

import asyncio

import httpx
import pytest
from asyncpg import Record

from app.fhir.context import Call, Context
from app.isp.operations import whole
from app.storage.database import Database
from tests.build import care_team, reference
from tests.http.conftest import Service, load, refused
from tests.http.plan_life import EMPTY, ROWS, WHY, Json, day, draft, move, ready, review, sign

__all__ = ["ready"]

STATE = {"activate": "draft", "suspend": "active", "revoke": "active"}


async def test_a_plan_begins_rests_begins_again_and_ends(
    county: httpx.AsyncClient, ready: str
) -> None:
    told = []
    for name in ("activate", "suspend", "activate", "revoke"):
        response = await move(county, name)
        assert response.status_code == 200, response.text
        plan, proof = (entry["resource"] for entry in response.json()["entry"])
        assert response.headers["etag"] == f'W/"{plan["meta"]["versionId"]}"'
        version = f"CarePlan/ada-plan/_history/{plan['meta']['versionId']}"
        assert proof["target"] == [reference(version)]
        assert proof["reason"] == [{"text": "Ada is away."}]
        told.append((plan["status"], proof["activity"]["coding"][0]["code"]))
        assert (await county.get("/CarePlan/ada-plan")).json() == plan
    assert told == [
        ("active", "activate"),
        ("on-hold", "suspend"),
        ("active", "resume"),
        ("revoked", "revoke"),
    ]


async def test_a_plan_in_force_meets_its_checks(county: httpx.AsyncClient, ready: str) -> None:
    assert (await move(county, "activate", body=EMPTY)).status_code == 200
    said = (await county.get("/CarePlan/ada-plan/$isp-validate")).text
    for check in ("C30", "C50", "C53", "C54"):
        assert f'"{check}"' not in said


@pytest.mark.parametrize(
    ("lacking", "check"),
    [
        ({"period": {"start": day(-9)}}, "C54"),
        ({"period": {"start": day(-300), "end": day(-1)}}, "C54"),
        ({"careTeam": []}, "C24"),
        ({"title": "Another"}, "C50"),
    ],
)
async def test_what_is_lacking_is_named(
    county: httpx.AsyncClient,
    operator: httpx.AsyncClient,
    ready: str,
    lacking: Json,
    check: str,
) -> None:
    made = {key: value for key, value in (draft() | lacking).items() if value}
    await load(operator, made)
    response = await move(county, "activate")
    assert response.status_code == 422, response.text
    assert check in [one["diagnostics"][:3] for one in response.json()["issue"]]
    assert (await county.get("/CarePlan/ada-plan")).json()["status"] == "draft"


async def test_a_plan_that_lacks_everything_is_told_everything(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ada: str
) -> None:
    bare = {key: value for key, value in draft().items() if key != "careTeam"}
    await load(operator, bare)
    issues = (await move(county, "activate")).json()["issue"]
    assert [one["diagnostics"][:3] for one in issues] == ["C30", "C24", "C53"]


async def test_a_team_that_is_over_is_none(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ready: str
) -> None:
    await load(operator, care_team(id_="ada-team", status="inactive"))
    response = await move(county, "activate")
    assert "C24" in {one["diagnostics"][:3] for one in response.json()["issue"]}


async def test_a_person_has_one_plan_in_force(
    service: Service, county: httpx.AsyncClient, operator: httpx.AsyncClient, ready: str
) -> None:
    await load(operator, draft("ada-2"), review("ada-2"))
    await sign(service, "ada-2")
    assert (await move(county, "activate")).status_code == 200
    said = refused(await move(county, "activate", "ada-2"), 422, "business-rule", "CarePlan.status")
    assert said.startswith("One plan")


async def test_of_several_plans_activated_at_once_one_is(
    service: Service,
    county: httpx.AsyncClient,
    operator: httpx.AsyncClient,
    ready: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each looks for rivals, and takes its time before it commits."""
    look = whole._rows

    async def look_slowly(ctx: Context, call: Call) -> list[Record]:
        found = await look(ctx, call)
        await asyncio.sleep(0.05)
        return found

    monkeypatch.setattr(whole, "_rows", look_slowly)
    names = ["ada-plan", *(f"ada-{number}" for number in range(4))]
    for name in names[1:]:
        await load(operator, draft(name), review(name))
        await sign(service, name)
    answers = await asyncio.gather(*(move(county, "activate", name) for name in names))
    assert sorted(one.status_code for one in answers) == [200, 422, 422, 422, 422]
    plans = (await county.get("/CarePlan?patient=ada&status=active")).json()["entry"]
    assert len(plans) == 1


async def test_the_new_plan_completes_the_one_it_replaces(
    service: Service, county: httpx.AsyncClient, operator: httpx.AsyncClient, ready: str
) -> None:
    assert (await move(county, "activate")).status_code == 200
    await load(operator, draft("ada-2", replaces=[reference("CarePlan/ada-plan")]), review("ada-2"))
    await sign(service, "ada-2")
    response = await move(county, "activate", "ada-2")
    assert response.status_code == 200, response.text
    assert (await county.get("/CarePlan/ada-plan")).json()["status"] == "completed"
    assert (await county.get("/CarePlan/ada-2")).json()["status"] == "active"


@pytest.mark.parametrize("name", STATE)
async def test_of_two_who_saw_the_same_version_one_succeeds(
    county: httpx.AsyncClient,
    operator: httpx.AsyncClient,
    ready: str,
    database: Database,
    name: str,
) -> None:
    if name != "activate":
        assert (await move(county, "activate")).status_code == 200
    before = await database.fetchval(ROWS)
    both = await asyncio.gather(move(county, name), move(county, name))
    assert sorted(one.status_code for one in both)[0] == 200
    assert {one.status_code for one in both} <= {200, 412, 422}
    assert await database.fetchval(ROWS) == before + 2


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("activate", "active"),
        ("activate", "completed"),
        ("activate", "revoked"),
        ("activate", "entered-in-error"),
        ("suspend", "draft"),
        ("suspend", "on-hold"),
        ("suspend", "completed"),
        ("revoke", "completed"),
        ("revoke", "revoked"),
    ],
)
async def test_a_move_leads_from_certain_states_only(
    county: httpx.AsyncClient, operator: httpx.AsyncClient, ready: str, name: str, status: str
) -> None:
    if status == "active":
        assert (await move(county, "activate")).status_code == 200
    else:
        await load(
            operator, {k: v for k, v in draft("ada-2").items() if k != "goal"} | {"status": status}
        )
    plan = "ada-plan" if status == "active" else "ada-2"
    refused(await move(county, name, plan), 422, "business-rule", "CarePlan.status")


@pytest.mark.parametrize("name", STATE)
async def test_who_moves_a_plan_says_what_they_saw(
    county: httpx.AsyncClient, ready: str, database: Database, name: str
) -> None:
    if name != "activate":
        assert (await move(county, "activate")).status_code == 200
    before = await database.fetchval(ROWS)
    url = f"/CarePlan/ada-plan/$isp-{name}"
    refused(await county.post(url, json=WHY), 400, "required")
    stale = await county.post(url, json=WHY, headers={"If-Match": 'W/"99"'})
    refused(stale, 412, "conflict", "CarePlan")
    assert (await county.get(url, headers={"If-Match": "*"})).status_code == 400
    assert await database.fetchval(ROWS) == before


@pytest.mark.parametrize("name", ["suspend", "revoke"])
async def test_who_stops_a_plan_says_why(county: httpx.AsyncClient, ada: str, name: str) -> None:
    refused(await move(county, name, body=EMPTY), 400, "required")


@pytest.mark.parametrize("name", STATE)
async def test_a_stranger_cannot_tell_the_plan_from_none(
    stranger: httpx.AsyncClient, ready: str, name: str
) -> None:
    there = await move(stranger, name)
    nowhere = await move(stranger, name, "eve-plan")
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace("ada-plan", "eve-plan") == nowhere.text


@pytest.mark.parametrize("scope", ["system/CarePlan.rs", "system/CarePlan.rus"])
@pytest.mark.parametrize("name", STATE)
async def test_it_takes_the_scopes_of_what_is_written(
    service: Service, ready: str, scope: str, name: str, county: httpx.AsyncClient
) -> None:
    if name != "activate":
        assert (await move(county, "activate")).status_code == 200
    client = await service.as_("provider-organization", "Organization/county", scope)
    refused(await move(client, name), 403, "forbidden")
