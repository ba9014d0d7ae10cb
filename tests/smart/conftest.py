"""People with accounts, apps they may open, and a browser: the service with ada and bea in it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from app.auth.accounts import create_account
from app.auth.clients import Registration, create_client
from app.auth.sessions import begin
from app.storage.database import Database
from tests.build import organization, plan, practitioner, practitioner_role, related_person
from tests.conftest import CLEAN
from tests.http.conftest import Service, load, serving
from tests.smart.browser import App, Browser, Form, Page, returned

PASSWORD = "correct horse battery"
EVERYTHING = (
    "openid fhirUser profile launch launch/patient launch/encounter launch/careplan"
    " offline_access online_access patient/*.cruds user/*.cruds"
)
SCOPE = "launch/patient openid fhirUser offline_access patient/*.rs"
PEOPLE = {
    "ada": ("Patient/ada", "individual"),
    "ines": ("RelatedPerson/ines", "guardian"),
    "grace": ("PractitionerRole/grace-key-worker", "key-worker"),
    "gus": ("Practitioner/gus", "clinician"),
}


@dataclass
class World:
    """The running service with its people; `browsers` are made as they are asked for."""

    service: Service
    database: Database
    opened: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return self.service.settings.issuer

    def http(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(self.service.app))
        self.opened.append(client)
        return client

    def browser(self) -> Browser:
        return Browser(self.http(), self.issuer)

    async def app(self, auth_method: str = "none", **changed: Any) -> App:
        """A registered app."""
        asked = {"name": "Walk Along", "scope": EVERYTHING, "role": "partner-system"} | changed
        uris = asked.pop("redirect_uris", ("https://app.example/callback",))
        made, secret = await create_client(
            self.database, Registration(auth_method=auth_method, redirect_uris=uris, **asked)
        )
        return App(self.http(), self.issuer, made.id, uris[0], secret)

    async def signed_in(self, username: str, browser: Browser | None = None) -> Browser:
        """A browser in which somebody signed in a moment ago."""
        browser = browser or self.browser()
        cookie = await begin(self.database, username)
        browser.http.cookies.set("isp-session", cookie, domain="127.0.0.1")
        return browser

    async def asked(
        self, app: App, browser: Browser, scope: str | None = SCOPE, **changed: str | None
    ) -> httpx.Response:
        """What the person sees after the app sent the browser here."""
        return await browser.get(f"{self.issuer}/auth/authorize", **app.request(scope, **changed))

    async def code(
        self, app: App, browser: Browser, scope: str = SCOPE, **changed: str | None
    ) -> str:
        """The code an app gets when the person allows all it asks."""
        page = Page((await self.asked(app, browser, scope, **changed)).text)
        said = returned(await browser.send(page.form("/approve"), decision="allow"))
        assert (said["state"], said["iss"]) == (app.state, self.issuer)
        return said["code"]

    async def launched(
        self, username: str = "ada", scope: str = SCOPE, app: App | None = None, **changed: str
    ) -> tuple[App, dict[str, Any]]:
        """An app that a person launched, and the token response it got."""
        app = app or await self.app()
        browser = await self.signed_in(username)
        response = await app.redeem(await self.code(app, browser, scope, **changed))
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return app, body

    def fhir(self, token: str) -> httpx.AsyncClient:
        """A FHIR client with this access token."""
        return self.service.client({"Authorization": f"Bearer {token}"})


async def opens(world: World, token: str) -> bool:
    return (await world.fhir(token).get("/Goal/ada-goal-1")).status_code == 200


async def login_form(world: World, browser: Browser) -> Page:
    return Page((await browser.get(f"{world.issuer}/auth/login")).text)


@pytest.fixture(scope="module")
async def world(dsn: str, pool: Database) -> AsyncIterator[World]:
    """One for all tests of a file, each of which makes its own apps and sessions."""
    await pool.execute(CLEAN)
    async with serving(dsn) as service:
        world = World(service, pool)
        operator = await service.as_("operator")
        await load(operator, organization("agency"), practitioner("grace"), practitioner("gus"))
        await load(operator, practitioner_role())
        for person in ("ada", "bea"):
            await load(operator, *plan("PractitionerRole/grace-key-worker", person=person))
        await load(operator, related_person(role="GUARD"))
        for username, (fhir_user, role) in PEOPLE.items():
            await create_account(pool, username, PASSWORD, fhir_user, role)
        yield world
        for client in world.opened:
            await client.aclose()


__all__ = ["Form", "World"]
