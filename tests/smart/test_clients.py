"""Other people's clients against a running server, over HTTP: fhirclient, smart-fetch's, fhirpy."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from cumulus_fhir_support.auth import AuthFailed, create_auth
from fhirclient.client import FHIRClient
from fhirclient.models.goal import Goal
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import ForbiddenError, ResourceNotFound

from app.auth import jose
from app.auth.accounts import create_account
from app.auth.clients import Registration, create_client
from tests.build import organization, plan, practitioner, practitioner_role
from tests.http.conftest import load
from tests.smart.browser import App, Browser, Page
from tests.smart.conftest import PASSWORD
from tests.smart.provider import Second, second

AGENCY = "Organization/agency"
CALLBACK = "http://127.0.0.1:9/callback"


@dataclass
class Running:
    """A server process, and what speaks HTTP to it."""

    there: Second
    http: httpx.AsyncClient

    @property
    def base(self) -> str:
        return f"{self.there.issuer}/fhir"

    async def registered(self, **asked: Any) -> tuple[str, str | None]:
        made, secret = await create_client(self.there.database, Registration(**asked))
        return made.id, secret

    async def token(self, **asked: Any) -> str:
        """The token of a new client with a secret."""
        asked = {"auth_method": "client_secret_basic", "name": "Client"} | asked
        client_id, secret = await self.registered(**asked)
        app = App(self.http, self.there.issuer, client_id, "", secret)
        form = {"grant_type": "client_credentials", "scope": asked["scope"]}
        access: str = (await app.token(form)).json()["access_token"]
        return access


@pytest.fixture(scope="module")
async def running(server: str) -> AsyncIterator[Running]:
    async with second(server) as there, httpx.AsyncClient() as http:
        running = Running(there, http)
        token = await running.token(scope="system/*.cruds", role="operator")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        async with httpx.AsyncClient(base_url=running.base, headers=headers) as operator:
            await load(operator, organization("agency"), practitioner("grace"))
            await load(operator, practitioner_role())
            await load(operator, *plan("PractitionerRole/grace-key-worker"))
        await create_account(there.database, "ada", PASSWORD, "Patient/ada", "individual")
        yield running


async def test_fhirclient_launches_reads_and_refreshes(running: Running) -> None:
    """It finds the endpoints through the CapabilityStatement alone."""
    scope = "launch/patient openid fhirUser offline_access patient/*.rs"
    client_id, _ = await running.registered(
        name="Walk Along",
        scope=scope,
        role="partner-system",
        auth_method="none",
        redirect_uris=(CALLBACK,),
    )
    settings = {
        "app_id": client_id,
        "api_base": running.base,
        "redirect_uri": CALLBACK,
        "scope": scope,
    }
    smart = await asyncio.to_thread(FHIRClient, settings)
    assert not await asyncio.to_thread(smart.prepare)
    browser = Browser(running.http, running.there.issuer)
    page = Page((await browser.get(smart.authorize_url)).text)
    page = Page((await browser.send(page.form("/login"), username="ada", password=PASSWORD)).text)
    back = await browser.send(page.form("/approve"), decision="allow")
    await asyncio.to_thread(smart.handle_callback, back.headers["location"])
    assert smart.ready
    goal = await asyncio.to_thread(Goal.read, "ada-goal-1", smart.server)
    assert goal.id == "ada-goal-1"
    patient = await asyncio.to_thread(lambda: smart.patient)
    assert patient.id == "ada"
    first = smart.server.auth.access_token
    assert await asyncio.to_thread(smart.reauthorize)
    assert smart.server.auth.access_token != first
    search = Goal.where({}).perform_resources_iter
    found = await asyncio.to_thread(lambda: list(search(smart.server)))
    assert {each.id for each in found} >= {"ada-goal-1", "ada-goal-2"}


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
async def test_smart_fetch_authenticates_with_its_key(running: Running, algorithm: str) -> None:
    key = jose.generate(algorithm)
    key = {name: value for name, value in key.items() if name != "use"} | {"key_ops": ["sign"]}
    client_id, _ = await running.registered(
        name="Export",
        scope="system/Goal.rs system/Patient.rs",
        role="ehr-system",
        organization=AGENCY,
        jwks={"keys": [jose.public(key)]},
    )

    def auth(resources: list[str]) -> Any:
        return create_auth(
            f"{running.base}/", resources, None, None, None, None, client_id, {"keys": [key]}, None
        )

    found = auth(["Goal", "Patient"])
    await found.authorize(running.http)
    answer = await running.http.get(f"{running.base}/Goal", headers=found.sign_headers())
    assert {entry["resource"]["id"] for entry in answer.json()["entry"]} >= {"ada-goal-1"}
    with pytest.raises(AuthFailed, match="scope"):
        await auth(["Condition"]).authorize(running.http)


async def test_fhirpy_reads_changes_and_is_held_to_its_scopes(running: Running) -> None:
    token = await running.token(
        scope="system/Goal.rus system/Patient.r", role="provider-organization", organization=AGENCY
    )
    client = AsyncFHIRClient(running.base, authorization=f"Bearer {token}")
    goal = await client.reference("Goal", "ada-goal-1").to_resource()
    goal["description"] = {"text": "Walk to the shop twice a week"}
    await goal.save()
    assert goal["meta"]["versionId"] == "2"
    found = await client.resources("Goal").search(patient="ada").fetch_all()
    assert {each.id for each in found} >= {"ada-goal-1", "ada-goal-2"}
    with pytest.raises(ForbiddenError):
        await client.resources("Condition").fetch()
    with pytest.raises(ResourceNotFound):
        await client.reference("Goal", "nobodys").to_resource()
