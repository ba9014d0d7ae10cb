"""An Authority on a real database, its OAuth endpoints over HTTP, and clients registered there."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app.auth import jose
from app.auth.authority import Authority, Event
from app.auth.clients import Client, Registration, create_client
from app.routers.discovery import discovery_router
from app.routers.oauth import oauth_router
from app.settings import Settings
from app.storage.database import Database
from tests.auth.assertions import SCOPE


@pytest.fixture
def settings() -> Settings:
    return Settings(base_url="http://127.0.0.1:8000/fhir")


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
async def authority(
    settings: Settings, database: Database, events: list[Event]
) -> AsyncIterator[Authority]:
    async def audit(event: Event) -> None:
        events.append(event)

    authority = await Authority.open(settings, database, audit)
    yield authority
    await authority.close()


@pytest.fixture
async def http(authority: Authority) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(oauth_router(authority))
    app.include_router(discovery_router(authority))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=authority.issuer) as client:
        yield client


@pytest.fixture(scope="session")
def key() -> jose.Claims:
    return jose.generate("ES384")


@pytest.fixture
async def backend(database: Database, key: jose.Claims) -> Client:
    """A backend service that signs with `key`."""
    jwks = {"keys": [jose.public(key)]}
    asked = Registration(
        "Backend", SCOPE, "ehr-system", organization="Organization/clinic", jwks=jwks
    )
    client, _ = await create_client(database, asked)
    return client


@pytest.fixture
async def partner(database: Database) -> tuple[Client, str]:
    """A partner's system with a secret, and the secret."""
    client, secret = await create_client(
        database, Registration("Partner", SCOPE, "partner-system", "client_secret_basic")
    )
    assert secret is not None
    return client, secret
