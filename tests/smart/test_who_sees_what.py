"""patient/ is the compartment of the patient in context; user/ what the person may see at all."""

from typing import Any

import pytest

from tests.build import LONG_AGO, consent, goal, organization, patient
from tests.http.conftest import found, load
from tests.smart.browser import Page, returned
from tests.smart.conftest import World

SEEN = {"ada": {"ada"}, "ines": {"ada"}, "grace": {"ada", "bea"}, "gus": set()}


@pytest.fixture(scope="module", autouse=True)
async def strangers(world: World) -> None:
    """Somebody whom nobody here supports."""
    operator = await world.service.as_("operator")
    await load(operator, organization("elsewhere"), patient("cem", "Organization/elsewhere"))
    await load(operator, goal("cem-goal", "Patient/cem"))


async def tokens(world: World, username: str, scope: str, choice: str = "ada") -> dict[str, Any]:
    app, browser = await world.app(), await world.signed_in(username)
    page = Page((await world.asked(app, browser, scope)).text)
    if any(form.action.endswith("/patient") for form in page.forms):
        page = Page((await browser.send(page.form("/patient"), patient=choice)).text)
    said = returned(await browser.send(page.form("/approve"), decision="allow"))
    body: dict[str, Any] = (await app.redeem(said["code"])).json()
    return body


@pytest.mark.parametrize("username", SEEN)
async def test_user_scopes_open_whom_the_person_supports(world: World, username: str) -> None:
    body = await tokens(world, username, "openid user/*.rs")
    fhir = world.fhir(body["access_token"])
    people = {each.partition("/")[2] for each in found(await fhir.get("/Patient"))}
    assert people == SEEN[username]
    for person in ("ada", "bea", "cem"):
        for url in (f"/Patient/{person}", f"/Goal/{person}-goal-1"):
            expected = 200 if person in SEEN[username] else 404
            assert (await fhir.get(url)).status_code == expected
        goals = found(await fhir.get(f"/Goal?patient={person}"))
        assert bool(goals) is (person in SEEN[username])


@pytest.mark.parametrize("username", ["ada", "ines", "grace"])
async def test_patient_scopes_open_the_patient_in_context_alone(
    world: World, username: str
) -> None:
    body = await tokens(world, username, "launch/patient patient/*.rs")
    assert body["patient"] == "ada"
    fhir = world.fhir(body["access_token"])
    assert found(await fhir.get("/Patient")) == ["Patient/ada"]
    subjects = set(found(await fhir.get("/Goal")))
    assert subjects == {"Goal/ada-goal-1", "Goal/ada-goal-2"}
    assert (await fhir.get("/Goal/bea-goal-1")).status_code == 404
    assert found(await fhir.get("/Goal?patient=bea")) == []
    included = await fhir.get("/Goal?_include=Goal:patient")
    assert set(found(included, "include")) == {"Patient/ada"}


async def test_both_kinds_add_up(world: World) -> None:
    """Of bea the user/ scope opens goals, of ada the patient/ scope everything."""
    scope = "launch/patient patient/*.rs user/Goal.rs"
    body = await tokens(world, "grace", scope)
    fhir = world.fhir(body["access_token"])
    assert (await fhir.get("/Goal/bea-goal-1")).status_code == 200
    assert (await fhir.get("/CarePlan/bea-plan")).status_code == 404
    assert (await fhir.get("/CarePlan/ada-plan")).status_code == 200


async def test_a_scope_never_widens_what_the_person_may(world: World) -> None:
    body = await tokens(world, "ines", "launch/patient patient/*.cruds user/*.cruds")
    fhir = world.fhir(body["access_token"])
    found_ = await fhir.get("/Organization/agency")
    assert found_.status_code == 200
    etag = {"If-Match": found_.headers["etag"]}
    written = await fhir.put("/Organization/agency", json=found_.json(), headers=etag)
    assert written.status_code == 403
    refused = await fhir.put("/Goal/cem-goal", json=goal("cem-goal", "Patient/cem"))
    assert refused.status_code in (404, 405, 422)


async def test_a_granular_scope_narrows_every_interaction(world: World) -> None:
    app = await world.app(scope="launch/patient patient/Goal.rs?lifecycle-status=active")
    operator = await world.service.as_("operator")
    await load(operator, goal("ada-goal-old", lifecycleStatus="completed"))
    _, body = await world.launched(
        scope="launch/patient patient/Goal.rs?lifecycle-status=active", app=app
    )
    fhir = world.fhir(body["access_token"])
    assert set(found(await fhir.get("/Goal"))) == {"Goal/ada-goal-1", "Goal/ada-goal-2"}
    assert (await fhir.get("/Goal/ada-goal-old")).status_code == 404
    assert (await fhir.get("/Goal/ada-goal-old/_history")).status_code == 404
    entry = {"request": {"method": "GET", "url": "Goal/ada-goal-old"}}
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    [answer] = (await fhir.post("", json=batch)).json()["entry"]
    assert answer["response"]["status"].startswith("404")


async def test_what_the_person_loses_the_app_loses_at_once(world: World) -> None:
    body = await tokens(world, "grace", "user/*.rs", "bea")
    fhir = world.fhir(body["access_token"])
    assert (await fhir.get("/Goal/bea-goal-1")).status_code == 200
    operator = await world.service.as_("operator")
    denial = consent("PractitionerRole/grace-key-worker", "deny", "bea-denial", "Patient/bea")
    await load(operator, denial | {"dateTime": LONG_AGO})
    assert (await fhir.get("/Goal/bea-goal-1")).status_code == 404
    await load(operator, denial | {"status": "inactive"})
    assert (await fhir.get("/Goal/bea-goal-1")).status_code == 200


async def test_an_app_may_write_for_the_person_when_it_was_granted(world: World) -> None:
    body = await tokens(world, "ines", "launch/patient patient/Goal.cruds")
    fhir = world.fhir(body["access_token"])
    read = await fhir.get("/Goal/ada-goal-1")
    changed = read.json() | {"description": {"text": "I swim."}}
    etag = {"If-Match": read.headers["etag"]}
    written = await fhir.put("/Goal/ada-goal-1", json=changed, headers=etag)
    assert written.status_code == 200, written.text


async def test_a_person_with_user_scopes_may_refer_to_each_of_their_people(world: World) -> None:
    """The patient in context does not narrow what a user/ scope writes."""
    body = await tokens(world, "grace", "launch/patient patient/*.rs user/Goal.cruds")
    fhir = world.fhir(body["access_token"])
    made = await fhir.post("/Goal", json=goal("x", "Patient/bea"))
    assert made.status_code == 201, made.text
    refused = await fhir.post("/Goal", json=goal("x", "Patient/cem"))
    assert refused.status_code == 422
    body = await tokens(world, "grace", "openid fhirUser launch/patient patient/*.cruds")
    refused = await world.fhir(body["access_token"]).post("/Goal", json=goal("x", "Patient/bea"))
    assert refused.status_code == 422
