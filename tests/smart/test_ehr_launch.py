"""EHR launch: a record system says what an app is opened with, and passes a handle on."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.smart.browser import App, Page, returned
from tests.smart.conftest import World

SCOPE = "launch openid fhirUser patient/*.rs"
JSON = {"Content-Type": "application/json"}


async def ehr(world: World, scope: str = "__launch") -> httpx.AsyncClient:
    """A record system's client with a token."""
    return await world.service.as_("ehr-system", "Organization/agency", scope)


async def handle(world: World, app: App, **asked: Any) -> str:
    system = await ehr(world)
    response = await system.post(
        f"{world.issuer}/auth/launch", json={"client_id": app.client_id} | asked, headers=JSON
    )
    assert response.status_code == 201, response.text
    body = response.json()
    assert body["iss"] == f"{world.issuer}/fhir"
    launch: str = body["launch"]
    return launch


CONTEXT = [
    {"reference": "CarePlan/bea-plan"},
    {"canonical": "https://forms.example/Questionnaire/phq-9", "type": "Questionnaire"},
    {
        "identifier": {"system": "https://visits.example", "value": "7"},
        "type": "Appointment",
        "role": "https://roles.example/next",
    },
]


async def test_an_app_is_opened_with_what_the_record_system_said(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("grace")
    launch = await handle(
        world,
        app,
        patient="bea",
        encounter="visit-7",
        fhirContext=CONTEXT,
        intent="review-plan",
        tenant="north-clinic",
        need_patient_banner=False,
        username="grace",
    )
    code = await world.code(app, browser, SCOPE, launch=launch)
    body = (await app.redeem(code)).json()
    assert (body["patient"], body["encounter"], body["intent"]) == ("bea", "visit-7", "review-plan")
    assert body["fhirContext"] == CONTEXT
    assert body["tenant"] == "north-clinic"
    assert body["need_patient_banner"] is False
    fhir = world.fhir(body["access_token"])
    assert (await fhir.get("/CarePlan/bea-plan")).status_code == 200
    assert (await fhir.get("/CarePlan/ada-plan")).status_code == 404


async def test_a_launch_works_once_and_for_its_app(world: World) -> None:
    app, other, browser = await world.app(), await world.app(), await world.signed_in("grace")
    launch = await handle(world, app, patient="bea")
    said = returned(await world.asked(other, browser, SCOPE, launch=launch))
    assert said["error"] == "invalid_request"
    assert await world.code(app, browser, SCOPE, launch=launch)
    said = returned(await world.asked(app, browser, SCOPE, launch=launch))
    assert said["error"] == "invalid_request"


async def test_of_many_who_use_a_launch_at_once_one_gets_a_code(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("grace")
    launch = await handle(world, app, patient="bea")
    forms = [
        Page((await world.asked(app, browser, SCOPE, launch=launch)).text).form("/approve")
        for _ in range(8)
    ]
    answers = await asyncio.gather(*(browser.send(form, decision="allow") for form in forms))
    assert sum("code=" in answer.headers.get("location", "") for answer in answers) == 1


async def test_a_launch_expires(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("grace")
    launch = await handle(world, app, patient="bea")
    await world.database.execute("UPDATE launch_context SET expires = now()")
    said = returned(await world.asked(app, browser, SCOPE, launch=launch))
    assert said["error"] == "invalid_request"


async def test_a_launch_is_for_whom_it_was_made(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("gus")
    launch = await handle(world, app, patient="bea", username="grace")
    answer = await world.asked(app, browser, SCOPE, launch=launch)
    assert answer.status_code == 403
    assert "The app was opened for somebody else." in answer.text


async def test_a_launch_opens_nobody_whom_the_person_may_not_open(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("gus")
    launch = await handle(world, app, patient="bea")
    said = returned(await world.asked(app, browser, SCOPE, launch=launch))
    assert said["error"] == "access_denied"


async def test_only_who_may_registers_a_launch(world: World) -> None:
    app = await world.app()
    url, asked = f"{world.issuer}/auth/launch", {"client_id": app.client_id}
    other = await ehr(world, "system/*.rs")
    assert (await other.post(url, json=asked, headers=JSON)).status_code == 400
    assert (await world.http().post(url, json=asked)).status_code == 401
    _, body = await world.launched()
    person = world.fhir(body["access_token"])
    assert (await person.post(url, json=asked, headers=JSON)).status_code == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "nobody"},
        {"client_id": 7},
        {"username": "nobody"},
        {"username": "a\0b"},
        {"patient": "../x"},
        {"patient": 7},
        {"encounter": "Encounter/7"},
        {"intent": "with blank"},
        {"need_patient_banner": "yes"},
        {"fhirContext": {}},
        {"fhirContext": [{}]},
        {"fhirContext": [{"role": "launch", "type": "CarePlan"}]},
        {"fhirContext": [{"identifier": "x"}]},
        {"fhirContext": [{"identifier": {"use": "usual"}}]},
        {"fhirContext": [{"identifier": {"value": 7}}]},
        {"fhirContext": [{"canonical": ["x"]}]},
        {"fhirContext": [{"identifier": {"value": "7"}, "type": "Patient"}]},
        {"fhirContext": [{"reference": "Patient/bea", "type": "CarePlan"}]},
        {"fhirContext": [7]},
        {"tenant": 7},
        {"tenant": "two words"},
        {"fhirContext": [{"reference": "https://evil.example/CarePlan/1"}]},
        {"fhirContext": [{"reference": "Patient/bea"}]},
        {"fhirContext": [{"reference": "CarePlan/1", "role": ""}]},
        {"fhirContext": [{"reference": "CarePlan/1", "role": ["x"]}]},
        {"surprise": 1},
    ],
)
async def test_a_launch_that_makes_no_sense_is_refused(
    world: World, changed: dict[str, Any]
) -> None:
    app, system = await world.app(), await ehr(world)
    asked = {"client_id": app.client_id} | changed
    response = await system.post(f"{world.issuer}/auth/launch", json=asked, headers=JSON)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 5000, b'{"client_id":1}'])
async def test_a_launch_is_json(world: World, content: bytes) -> None:
    system = await ehr(world)
    response = await system.post(f"{world.issuer}/auth/launch", content=content, headers=JSON)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
