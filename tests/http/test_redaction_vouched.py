"""A resource vouches only for what is as open as itself: what is hidden leaves no reference."""

import httpx
import pytest

from app.storage.database import Database
from tests.build import (
    SUD,
    care_plan,
    condition,
    consent,
    goal,
    organization,
    patient,
    plan,
    reference,
)
from tests.http.conftest import COUNTY, PARTNER, Json, Service, load
from tests.http.test_consent_conditions import LEVEL, PROGRAM, SENSITIVE

NEEDS = [reference("Condition/ada-need"), reference("Condition/drugs")]
GRACE = {"fhir_user": "Practitioner/grace"}


async def text(client: httpx.AsyncClient, url: str) -> str:
    response = await client.get(url)
    assert response.status_code == 200, response.text
    return response.text


@pytest.fixture(autouse=True)
async def organizations(operator: httpx.AsyncClient) -> None:
    await load(operator, organization("county"), organization("partner"))


@pytest.fixture(params=["kept", "not kept"])
async def forget_pointers(request: pytest.FixtureRequest, database: Database) -> str:
    """SQL to run before reading: references are judged in the statement, or by the bodies."""
    return "UPDATE resource SET pointers = NULL" if request.param == "not kept" else "SELECT 1"


async def test_what_criteria_let_through_vouches_for_nothing_beyond_them(
    service: Service,
    operator: httpx.AsyncClient,
    county: httpx.AsyncClient,
    database: Database,
    forget_pointers: str,
) -> None:
    old = care_plan(id_="old-plan", status="completed")
    new = care_plan(id_="new-plan", replaces=[reference("CarePlan/old-plan")])
    await load(operator, *plan(organization=COUNTY), old, new)
    await database.execute(forget_pointers)
    assert "CarePlan/old-plan" in await text(county, "/CarePlan/new-plan")
    active = await service.as_("clinician", COUNTY, "user/CarePlan.rs?status=active", **GRACE)
    for url in ("/CarePlan/new-plan", "/CarePlan?_id=new-plan"):
        found = await text(active, url)
        assert "new-plan" in found
        assert "old-plan" not in found.replace("/CarePlan?_id=new-plan", "")


@pytest.mark.parametrize(
    "scope",
    ["patient/*.r user/*.s", "patient/CarePlan.r patient/Goal.r user/CarePlan.s user/Goal.s"],
)
async def test_what_is_found_vouches_for_nothing_that_cannot_be_read(
    service: Service,
    operator: httpx.AsyncClient,
    database: Database,
    forget_pointers: str,
    scope: str,
) -> None:
    """Who may search among all, and read of one person only."""
    await load(operator, *plan(organization=COUNTY), *plan(person="ben", organization=COUNTY))
    await database.execute(forget_pointers)
    client = await service.as_("clinician", COUNTY, scope, patient="ada", **GRACE)
    assert "Goal/ada-goal-1" in await text(client, "/CarePlan?_id=ada-plan")
    found = await text(client, "/CarePlan?_id=ben-plan")
    assert "ben-plan" in found
    assert "Goal/ben-goal-1" not in found


@pytest.fixture
async def partner_with_consent(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient
) -> httpx.AsyncClient:
    """In Ada's team; she permits them all that no law seals."""
    paper = consent(PARTNER)
    paper["provision"]["securityLabel"] = [{"system": LEVEL, "code": "V"}]
    await load(operator, *plan(PARTNER, organization=COUNTY), paper)
    return partner


async def test_what_bears_no_seal_vouches_for_nothing_sealed(
    operator: httpx.AsyncClient,
    partner_with_consent: httpx.AsyncClient,
    database: Database,
    forget_pointers: str,
) -> None:
    sensitive: Json = {"meta": {"security": SENSITIVE}}
    await load(
        operator,
        goal("like", **sensitive),
        goal("program", meta={"security": PROGRAM}),
        care_plan("Goal/like", "Goal/program", id_="sensitive", **sensitive),
    )
    await database.execute(forget_pointers)
    assert (await partner_with_consent.get("/Goal/program")).status_code == 404
    found = await text(partner_with_consent, "/CarePlan/sensitive")
    assert "Goal/like" in found
    assert "Goal/program" not in found


async def test_a_resource_is_not_vouched_for_by_the_id_of_another_type(
    operator: httpx.AsyncClient,
    partner: httpx.AsyncClient,
    database: Database,
    forget_pointers: str,
) -> None:
    task: Json = {"resourceType": "Task", "id": "same", "status": "requested", "intent": "plan"}
    task |= {"for": reference("Patient/ada"), **SUD}
    await load(operator, *plan(PARTNER, organization=COUNTY), goal("same"), task)
    both = {"activity": [{"reference": reference("Task/same")}]}
    await load(operator, care_plan("Goal/same", id_="both", **both))
    await database.execute(forget_pointers)
    found = await text(partner, "/CarePlan/both")
    assert "Goal/same" in found
    assert "Task/same" not in found


async def test_nothing_vouches_that_only_has_the_id_of_what_is_seen(
    operator: httpx.AsyncClient,
    partner: httpx.AsyncClient,
    database: Database,
    forget_pointers: str,
) -> None:
    await load(operator, *plan(PARTNER, organization=COUNTY), condition("drugs", **SUD))
    await load(operator, goal("same", **SUD), care_plan(id_="same", addresses=NEEDS))
    await database.execute(forget_pointers)
    found = await text(partner, "/CarePlan/same")
    assert "Condition/ada-need" in found
    assert "Condition/drugs" not in found


async def test_what_is_open_needs_nobody_to_vouch_for_it(
    service: Service,
    operator: httpx.AsyncClient,
    database: Database,
    forget_pointers: str,
) -> None:
    """Who may know of everything but the conditions of others."""
    await load(operator, *plan(organization=COUNTY), patient("ben", COUNTY))
    await load(operator, goal("bens", "Patient/ben"), condition("his", "Patient/ben"))
    details = [reference("Goal/bens"), reference("Condition/his")]
    await load(operator, condition("odd", evidence=[{"detail": details}]))
    await database.execute(forget_pointers)
    scope = "system/Goal.rs patient/Condition.rs"
    client = await service.as_("operator", None, scope, patient="ada", user="o")
    found = await text(client, "/Condition/odd")
    assert "Goal/bens" in found
    assert "Condition/his" not in found
