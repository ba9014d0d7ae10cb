"""The service as its users meet it: HTTP only, a real database, nothing faked but the network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.auth.access_token import Grant, issue
from app.loading import load as load_items
from app.main import create_app
from app.reading import Item
from app.settings import Settings
from app.storage.database import Database
from tests.build import organization, plan, transaction
from tests.conftest import CLEAN

Json = dict[str, Any]
COUNTY = "Organization/county"
PARTNER = "Organization/partner"


@dataclass(frozen=True, slots=True)
class Service:
    """The running application; `as_` gives an HTTP client that carries a token."""

    app: FastAPI
    settings: Settings

    async def as_(
        self,
        role: str = "operator",
        organization: str | None = None,
        scope: str = "system/*.cruds",
        **claims: str,
    ) -> httpx.AsyncClient:
        """A client whose token was issued for this role, organization and scope."""
        grant = Grant(
            client_id=claims.pop("client_id", f"client-{role}-{organization}"),
            scope=scope,
            role=role,
            organization=organization,
            **claims,
        )
        token = (await issue(self.app.state.authority, grant)).token
        return self.client({"Authorization": f"Bearer {token}"})

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A client without a token, unless the headers carry one. URLs are relative to the base."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=self.settings.base_url,
            headers={"Content-Type": "application/fhir+json", **(headers or {})},
        )


@asynccontextmanager
async def serving(dsn: str, **settings: Any) -> AsyncIterator[Service]:
    """The application on this database, with these settings."""
    chosen = Settings(database_url=dsn, **settings)
    app = create_app(chosen)
    async with app.router.lifespan_context(app):
        yield Service(app, chosen)


@pytest.fixture
async def service(dsn: str, database: Database) -> AsyncIterator[Service]:
    async with serving(dsn) as running:
        yield running


@pytest.fixture
async def lenient(dsn: str, database: Database) -> AsyncIterator[Service]:
    """A service that accepts references to nothing."""
    async with serving(dsn, references="lenient") as running:
        yield running


@pytest.fixture
async def operator(service: Service) -> httpx.AsyncClient:
    """Loads what a test needs; sees everything."""
    return await service.as_("operator")


@pytest.fixture
async def county(service: Service, operator: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of Organization/county, which keeps the records of its own patients."""
    await load(operator, organization("county"))
    return await service.as_("provider-organization", COUNTY)


@pytest.fixture
async def partner(service: Service, operator: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of Organization/partner, which supports nobody until a care team says so."""
    await load(operator, organization("partner"))
    return await service.as_("partner-system", PARTNER)


@pytest.fixture
async def stranger(service: Service, operator: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of Organization/elsewhere, which supports nobody."""
    await load(operator, organization("elsewhere"))
    return await service.as_("provider-organization", "Organization/elsewhere")


@pytest.fixture
async def ada(operator: httpx.AsyncClient, county: httpx.AsyncClient) -> str:
    """A patient of the county: ada, with ada-plan, ada-goal-1 and -2, ada-team, ada-need."""
    await load(operator, *plan(organization=COUNTY))
    return "ada"


ROWS = "SELECT (SELECT count(*) FROM resource_version), (SELECT max(last_updated) FROM resource)"


@pytest.fixture(scope="module")
async def lasting(dsn: str, pool: Database) -> AsyncIterator[Service]:
    """A service that all tests of a file share, since what they ask for is refused."""
    await pool.execute(CLEAN)
    async with serving(dsn) as running:
        operator = await running.as_("operator")
        await load(operator, organization("county"), *plan(organization=COUNTY))
        yield running


@pytest.fixture(scope="module")
async def client(lasting: Service) -> httpx.AsyncClient:
    """A client of the county, which manages the record of ada."""
    return await lasting.as_("provider-organization", COUNTY)


@pytest.fixture
async def unchanged(pool: Database, client: httpx.AsyncClient) -> AsyncIterator[None]:
    """Checks at the end of the test that not a row was written."""
    before = await pool.fetchrow(ROWS)
    yield
    assert await pool.fetchrow(ROWS) == before


async def create(client: httpx.AsyncClient, resource: Json) -> Json:
    """Create a resource and return it as the server answers."""
    response = await client.post(f"/{resource['resourceType']}", json=resource)
    assert response.status_code == 201, response.text
    made: Json = response.json()
    return made


async def load(operator: httpx.AsyncClient, *resources: Json) -> None:
    """Put resources with the ids they carry into place, in one transaction."""
    response = await operator.post("", json=transaction(*resources))
    assert response.status_code == 200, response.text


async def record(service: Service, *resources: Json) -> None:
    """Put resources into place as `isp load --as-recorded` does: what is in force, stays so."""
    items = [Item("test", 1, one, is_update=True) for one in resources]
    report = await load_items(service.app.state.engine, items, is_as_recorded=True)
    assert report.refused == []


async def change(client: httpx.AsyncClient, resource: Json, **elements: Any) -> Json:
    """Update a resource, with some elements replaced, and return it as the server answers."""
    url = f"/{resource['resourceType']}/{resource['id']}"
    response = await client.put(url, json=resource | elements)
    assert response.status_code == 200, response.text
    made: Json = response.json()
    return made


def refused(response: httpx.Response, status: int, code: str, *expression: str) -> str:
    """Check that this is an OperationOutcome of one error; its diagnostics."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/fhir+json")
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome"
    [issue] = outcome["issue"]
    assert (issue["severity"], issue["code"]) == ("error", code)
    assert issue.get("expression", []) == list(expression)
    said: str = issue["diagnostics"]
    return said


def found(response: httpx.Response, mode: str = "match") -> list[str]:
    """The entries of a searchset in this mode, each as Type/id, in order."""
    assert response.status_code == 200, response.text
    entries = response.json().get("entry", [])
    return [
        f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in entries
        if entry["search"]["mode"] == mode
    ]


def links(response: httpx.Response) -> dict[str, str]:
    """The links of a Bundle by relation."""
    assert response.status_code == 200, response.text
    return {link["relation"]: link["url"] for link in response.json()["link"]}


async def pages(client: httpx.AsyncClient, url: str) -> AsyncIterator[httpx.Response]:
    """This page and every one that follows."""
    while url:
        response = await client.get(url)
        yield response
        url = links(response).get("next", "")
