"""The service with the demonstration loaded, once for a module."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest

from app.auth.access_token import Grant, issue
from app.auth.authority import Authority
from app.isp.demonstration import bundles
from app.main import create_app
from app.settings import Settings
from tests.conftest import new_database

OPERATOR = Grant(client_id="loader", scope="system/*.cruds", role="operator")


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A client whose URLs are relative to the base, and tokens for it."""

    client: httpx.AsyncClient
    authority: Authority

    async def token(self, grant: Grant) -> str:
        return (await issue(self.authority, grant)).token

    async def get(self, url: str, grant: Grant) -> httpx.Response:
        headers = {"Authorization": f"Bearer {await self.token(grant)}"}
        return await self.client.get(url, headers=headers)


@pytest.fixture(scope="module")
async def demonstration(
    server: str, request: pytest.FixtureRequest
) -> AsyncIterator[Demonstration]:
    name = f"isp_{request.module.__name__.rpartition('.')[2]}_{os.getpid()}"
    settings = Settings(database_url=await new_database(server, name))
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=settings.base_url) as client:
            made = Demonstration(client, app.state.authority)
            await _load(made)
            yield made


async def _load(demonstration: Demonstration) -> None:
    """As ordinary transactions, references checked."""
    headers = {"Authorization": f"Bearer {await demonstration.token(OPERATOR)}"}
    for bundle in bundles(datetime.now(UTC).date()):
        answer = await demonstration.client.post("", json=bundle, headers=headers)
        assert answer.status_code == 200, f"{bundle['id']}: {answer.text}"
        statuses = {entry["response"]["status"] for entry in answer.json()["entry"]}
        assert statuses <= {"200 OK", "201 Created"}
