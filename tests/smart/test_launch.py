"""Standalone launch: an app asks, a person signs in and decides, the app gets its token."""

import httpx
import pytest

from app.auth import jose
from tests.auth.assertions import ASSERTION_TYPE, assertion
from tests.http.conftest import found
from tests.smart.browser import Page, returned
from tests.smart.conftest import PASSWORD, SCOPE, World


async def test_a_person_signs_in_approves_and_the_app_reads(world: World) -> None:
    app, browser = await world.app(), world.browser()
    login = Page((await world.asked(app, browser)).text)
    assert "Walk Along asks to work with your records. Please sign in first." in login.text
    answer = await browser.send(login.form("/login"), username="ada", password=PASSWORD)
    page = Page(answer.text)
    assert "May Walk Along do this?" in page.text
    assert "Read your records of every kind, now and in the future" in page.text
    said = returned(await browser.send(page.form("/approve"), decision="allow"))
    assert (said["state"], said["iss"]) == (app.state, world.issuer)
    response = await app.redeem(said["code"])
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert body["token_type"] == "Bearer"
    assert body["scope"] == SCOPE
    assert body["patient"] == "ada"
    assert body["need_patient_banner"] is True
    assert 0 < body["expires_in"] <= 3600
    assert {"id_token", "refresh_token", "smart_style_url"} <= body.keys()
    fhir = world.fhir(body["access_token"])
    assert (await fhir.get("/Goal/ada-goal-1")).status_code == 200
    assert (await fhir.get("/Goal/bea-goal-1")).status_code == 404


async def test_the_style_is_served(world: World) -> None:
    _, body = await world.launched()
    style = await world.http().get(body["smart_style_url"])
    assert style.json()["color_background"].startswith("#")


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
async def test_every_kind_of_client_redeems_its_code(world: World, method: str) -> None:
    app = await world.app(method)
    browser = await world.signed_in("ada")
    code = await world.code(app, browser)
    if method == "client_secret_post":
        secret, app.secret = app.secret, None
        response = await app.redeem(code, client_secret=secret)
    else:
        response = await app.redeem(code)
    assert response.status_code == 200, response.text


async def test_a_client_with_a_key_redeems_and_refreshes(world: World) -> None:
    key = jose.generate("ES384")
    app = await world.app("private_key_jwt", jwks={"keys": [jose.public(key)]})

    def proof() -> dict[str, str]:
        signed = assertion(app.client_id, key, aud=f"{world.issuer}/auth/token")
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}

    code = await world.code(app, await world.signed_in("ada"))
    assert (await app.redeem(code)).json()["error"] == "invalid_client"
    body = (await app.redeem(code, **proof())).json()
    assert body["patient"] == "ada"
    refused = await app.refresh(body["refresh_token"], client_id=None)
    assert refused.json()["error"] == "invalid_client"
    assert (await app.refresh(body["refresh_token"], **proof())).status_code == 200


async def test_without_a_record_system_there_is_no_visit(world: World) -> None:
    _, body = await world.launched(scope="launch/patient launch/encounter patient/*.rs")
    assert body["scope"] == "launch/patient patient/*.rs"
    assert "encounter" not in body


async def test_a_request_may_be_posted(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("ada")
    answer = await browser.http.post(
        f"{world.issuer}/auth/authorize",
        data=app.request(SCOPE),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    page = Page((await browser.http.get(answer.headers["location"])).text)
    said = returned(await browser.send(page.form("/approve"), decision="allow"))
    assert (await app.redeem(said["code"])).status_code == 200


async def test_who_supports_several_people_chooses_one(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("grace")
    answer = await world.asked(app, browser)
    page = Page(answer.text)
    assert {"Test Ada", "Test Bea"} <= set(page.text)
    form = page.form("/patient")
    assert form.choices["patient"] == ["ada", "bea"]
    answer = await browser.send(form, patient="bea")
    page = Page(answer.text)
    assert "Read the records of every kind of Test Bea, now and in the future" in page.text
    said = returned(await browser.send(page.form("/approve"), decision="allow"))
    body = (await app.redeem(said["code"])).json()
    assert body["patient"] == "bea"
    fhir = world.fhir(body["access_token"])
    assert (await fhir.get("/Goal/bea-goal-1")).status_code == 200
    assert (await fhir.get("/Goal/ada-goal-1")).status_code == 404


async def test_a_patient_who_is_not_theirs_cannot_be_chosen(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("ines")
    answer = await world.asked(app, browser)
    page = Page(answer.text)
    form = page.form("/approve")
    form.action = form.action.replace("/approve", "/patient")
    answer = await browser.send(form, patient="bea")
    assert answer.status_code == 404


async def test_who_may_open_nobody_can_only_refuse(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("gus")
    page = Page((await world.asked(app, browser)).text)
    assert "There is nobody whose records you may open with this app." in page.text
    said = returned(await browser.send(page.form("/approve"), decision="deny"))
    assert said["error"] == "access_denied"


async def test_a_person_takes_scopes_away(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("ada")
    scope = "launch/patient patient/Goal.rs patient/CarePlan.rs offline_access"
    form = Page((await world.asked(app, browser, scope)).text).form("/approve")
    kept = {name: value for name, value in form.values.items() if value != "patient/CarePlan.rs"}
    form.values = {name: value for name, value in kept.items() if value != "offline_access"}
    said = returned(await browser.send(form, decision="allow"))
    body = (await app.redeem(said["code"])).json()
    assert body["scope"] == "launch/patient patient/Goal.rs"
    assert "refresh_token" not in body
    fhir = world.fhir(body["access_token"])
    assert (await fhir.get("/Goal/ada-goal-1")).status_code == 200
    assert (await fhir.get("/CarePlan/ada-plan")).status_code == 403


async def test_a_person_refuses(world: World) -> None:
    app, browser = await world.app(), await world.signed_in("ada")
    form = Page((await world.asked(app, browser)).text).form("/approve")
    said = returned(await browser.send(form, decision="deny"))
    assert (said["error"], said["state"]) == ("access_denied", app.state)
    assert said["iss"] == world.issuer
    assert (await browser.send(form, decision="allow")).status_code == 400


async def test_v1_scopes_are_answered_with_v1(world: World) -> None:
    scope = "launch/patient patient/Goal.read patient/CarePlan.*"
    _, body = await world.launched(scope=scope)
    assert body["scope"] == scope
    fhir = world.fhir(body["access_token"])
    assert (await fhir.get("/Goal?patient=ada")).status_code == 200


async def test_several_scopes_for_a_type_add_up(world: World) -> None:
    app = await world.app(scope=f"{SCOPE} patient/Goal.r patient/Goal.s")
    _, body = await world.launched(scope="patient/Goal.r patient/Goal.s", app=app)
    fhir = world.fhir(body["access_token"])
    assert (await fhir.get("/Goal/ada-goal-1")).status_code == 200
    assert len(found(await fhir.get("/Goal?patient=ada"))) == 2


async def test_the_active_plan_comes_along_when_asked(world: World) -> None:
    _, body = await world.launched(scope="launch/patient launch/careplan patient/*.rs")
    assert body["fhirContext"] == [{"reference": "CarePlan/ada-plan"}]


async def test_the_entry_of_who_signed_in_can_be_read(world: World) -> None:
    app = await world.app()
    browser = await world.signed_in("grace")
    code = await world.code(app, browser, "openid fhirUser")
    body = (await app.redeem(code)).json()
    assert "patient" not in body
    fhir = world.fhir(body["access_token"])
    assert (await fhir.get("/PractitionerRole/grace-key-worker")).status_code == 200
    assert (await fhir.get("/Practitioner/gus")).status_code == 403


async def test_a_page_speaks_spanish_where_the_browser_does(world: World) -> None:
    browser = world.browser()
    browser.http.headers["Accept-Language"] = "fr, es-MX;q=0.8, en;q=0.5"
    answer = await browser.get(f"{world.issuer}/auth/login")
    assert '<html lang="es">' in answer.text
    assert "Contraseña" in answer.text
    app = await world.app()
    answer = await world.asked(app, world.browser(), ui_locales="es en")
    assert '<html lang="es">' in answer.text


async def test_audit_tells_who_approved_what(world: World) -> None:
    app, _ = await world.launched()
    operator: httpx.AsyncClient = await world.service.as_("operator")
    bundle = (await operator.get("/AuditEvent?patient=Patient/ada&_count=100")).json()
    events = [entry["resource"] for entry in bundle["entry"]]
    signing = [event for event in events if event["type"]["code"] == "110114"]
    logged = [event for event in signing if app.client_id in str(event)]
    people = {agent["who"].get("reference") for event in logged for agent in event["agent"]}
    assert "Patient/ada" in people
    assert len(logged) == 2
