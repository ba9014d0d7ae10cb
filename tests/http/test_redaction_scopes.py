"""What one scope opens does not vouch for what another leaves closed. docs/mutation.md"""

import httpx
import pytest

from app.storage.database import Database
from tests.build import HL7, SUD, care_plan, condition, goal, organization, plan, reference
from tests.http.conftest import COUNTY, PARTNER, Json, Service, create, load, refused

EXITS = [
    "/CarePlan/ben-plan",
    "/CarePlan/ben-plan/_history/1",
    "/CarePlan/ben-plan/_history",
    "/CarePlan?_id=ben-plan",
]
NARROWER = {
    "a condition that the criteria leave out": (
        "user/CarePlan.rs user/Condition.rs?clinical-status=resolved"
    ),
    "a person whom only the plan is open of": "user/CarePlan.rs patient/Condition.rs",
    "a person whom some plans are open of": "user/CarePlan.rs?status=active patient/Condition.rs",
}


@pytest.fixture
async def records(operator: httpx.AsyncClient, county: httpx.AsyncClient) -> None:
    await load(operator, *plan(organization=COUNTY), *plan(person="ben", organization=COUNTY))


async def clinician(service: Service, scope: str) -> httpx.AsyncClient:
    """Of the county, with Ada in context."""
    who = {"user": "grace", "fhir_user": "Practitioner/grace"}
    return await service.as_("clinician", COUNTY, scope, patient="ada", **who)


async def shows_the_need(client: httpx.AsyncClient, url: str) -> bool:
    response = await client.get(url)
    assert response.status_code == 200, response.text
    assert "ben-plan" in response.text
    return "Condition/ben-need" in response.text


@pytest.mark.parametrize("kept", [True, False])
async def test_a_plan_vouches_for_no_more_than_its_reader_may_see(
    service: Service, records: None, database: Database, kept: bool
) -> None:
    """Whether pointers are kept or not, by which references are judged at once."""
    if not kept:
        await database.execute("UPDATE resource SET pointers = NULL")
        await database.execute("UPDATE resource_version SET pointers = NULL")
    both = await clinician(service, "user/CarePlan.rs user/Condition.rs")
    narrower = {name: await clinician(service, scope) for name, scope in NARROWER.items()}
    for url in EXITS:
        assert await shows_the_need(both, url), url
        for name, client in narrower.items():
            assert not await shows_the_need(client, url), (name, url)


async def test_what_is_written_under_a_wider_scope_vouches_for_nothing(
    lenient: Service,
) -> None:
    """Where references are not checked, a guess is answered alike whether it was right or wrong."""
    operator = await lenient.as_("operator")
    await load(operator, organization("county"), *plan(person="ben", organization=COUNTY))
    client = await clinician(lenient, "user/CarePlan.c patient/CarePlan.rs patient/Condition.rs")
    guesses = [reference("Condition/ben-need"), reference("Condition/none")]
    made = await create(client, care_plan(patient="Patient/ben", addresses=guesses))
    assert "addresses" not in made
    await load(operator, *plan(organization=COUNTY))
    own = [reference("Condition/ada-need")]
    assert (await create(client, care_plan(addresses=own)))["addresses"] == own


async def test_an_event_is_hidden_from_who_sees_whom_it_is_about(lenient: Service) -> None:
    """Who sees a record does not see its trail."""
    operator = await lenient.as_("operator")
    county = await lenient.as_("provider-organization", COUNTY)
    labels = {"security": [{"system": f"{HL7}/v3-ActCode", "code": "SUD"}]}
    sober = goal("sober", meta=labels)
    await load(operator, organization("county"), *plan(organization=COUNTY), sober)
    assert (await operator.get("/Goal/ada-goal-1")).status_code == 200
    response = await operator.get("/AuditEvent?patient=Patient/ada&subtype=read")
    [event] = [f"AuditEvent/{entry['resource']['id']}" for entry in response.json()["entry"]]
    items = [{"item": reference(to)} for to in (event, "Goal/ada-goal-1", "Goal/sober")]
    kept: Json = {"resourceType": "List", "id": "kept", "status": "current", "mode": "working"}
    await load(operator, kept | {"subject": reference("Patient/ada"), "entry": items})
    for url in ("/List/kept", "/List/kept/_history/1", "/List?_id=kept"):
        assert event in (await operator.get(url)).text
        shown = (await county.get(url)).text
        assert "Goal/ada-goal-1" in shown
        assert "Goal/sober" in shown
        assert event not in shown


async def test_who_else_takes_part_is_hidden_with_one_patient_in_context(
    service: Service, records: None, operator: httpx.AsyncClient
) -> None:
    """Who signed in is open beside the patient in context, and brings nobody else in."""
    await load(operator, goal("joint", expressedBy=reference("Patient/ben")))
    narrow, wide = "patient/Goal.rs", "user/Goal.rs"
    for scope, is_shown in ((narrow, False), (f"{narrow} fhirUser", False), (wide, True)):
        client = await clinician(service, scope)
        for url in ("/Goal/joint", "/Goal?_id=joint"):
            text = (await client.get(url)).text
            assert "Patient/ada" in text
            assert ("Patient/ben" in text) is is_shown, text


async def test_what_is_about_two_is_closed_with_one_of_them_in_context(
    service: Service, records: None, operator: httpx.AsyncClient
) -> None:
    both = [{"actor": reference(f"Patient/{who}"), "status": "accepted"} for who in ("ada", "ben")]
    meeting: Json = {"resourceType": "Appointment", "id": "m", "status": "booked"}
    times = {"start": "2026-05-01T10:00:00Z", "end": "2026-05-01T11:00:00Z"}
    await load(operator, meeting | times | {"participant": both})
    for scope, status in (("patient/Appointment.rs", 404), ("user/Appointment.rs", 200)):
        client = await clinician(service, scope)
        assert (await client.get("/Appointment/m")).status_code == status


GUESSES = {
    "a goal": "goal=Goal/sober",
    "a need": "condition=Condition/drugs",
    "what stands beside a goal": "activity-code=quitting",
}


@pytest.mark.parametrize("guess", GUESSES)
async def test_a_scope_is_no_way_to_guess_what_is_hidden(
    service: Service, records: None, operator: httpx.AsyncClient, guess: str
) -> None:
    """Who may see CarePlans chooses how a token is narrowed, which is matched with all there is."""
    quits = {"coding": [{"code": "quitting"}]}
    detail = {"status": "in-progress", "code": quits, "goal": [reference("Goal/sober")]}
    about = {"goal": [reference("Goal/sober")], "addresses": [reference("Condition/drugs")]}
    drugs, sober = condition("drugs", **SUD), goal("sober", **SUD)
    mine = care_plan(id_="ada-plan", activity=[{"detail": detail}], **about)
    await load(operator, organization("partner"), drugs, sober, mine)
    *_, team = plan(PARTNER, organization=COUNTY)[:2]
    await load(operator, team)
    partner = await service.as_("partner-system", PARTNER, "system/CarePlan.rs")
    assert (await partner.get("/CarePlan/ada-plan")).status_code == 200
    narrow = await service.as_("partner-system", PARTNER, f"system/CarePlan.rs?{GUESSES[guess]}")
    refused(await narrow.get("/CarePlan"), 403, "forbidden")
    refused(await narrow.get("/CarePlan/ada-plan"), 403, "forbidden")
