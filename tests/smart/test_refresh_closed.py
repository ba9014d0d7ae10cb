"""What was closed since a person approved an app is closed to it, whatever token it shows."""

from tests.build import consent
from tests.http.conftest import Json, found, load
from tests.smart.browser import App, Page, returned
from tests.smart.conftest import World

GRACE = "PractitionerRole/grace-key-worker"
SCOPE = "launch/patient openid fhirUser offline_access patient/*.rs"


async def opened(world: World) -> tuple[App, Json]:
    """An app that Grace opened for Ada, and its tokens."""
    app, browser = await world.app(), await world.signed_in("grace")
    page = Page((await world.asked(app, browser, SCOPE)).text)
    page = Page((await browser.send(page.form("/patient"), patient="ada")).text)
    said = returned(await browser.send(page.form("/approve"), decision="allow"))
    body: Json = (await app.redeem(said["code"])).json()
    return app, body


async def test_a_token_that_is_refreshed_opens_nothing_that_was_closed(
    world: World,
) -> None:
    """With a token from before and one from after."""
    app, first = await opened(world)
    assert first["patient"] == "ada"
    fhir = world.fhir(first["access_token"])
    assert (await fhir.get("/Goal/ada-goal-1")).status_code == 200
    page = (await fhir.get("/Goal?_count=1")).json()["link"]
    following = [link["url"] for link in page if link["relation"] == "next"]
    operator = await world.service.as_("operator")
    await load(operator, consent(GRACE, "deny", id_="not-grace"))
    second = (await app.refresh(first["refresh_token"])).json()
    for token in (first["access_token"], second["access_token"]):
        fhir = world.fhir(token)
        for url in ("/Patient/ada", "/Goal/ada-goal-1", "/Goal/ada-goal-1/_history/1"):
            assert (await fhir.get(url)).status_code == 404, url
        for url in ("/Goal", "/Patient", "/CarePlan?_include=CarePlan:goal", *following):
            assert found(await fhir.get(url)) == [], url
