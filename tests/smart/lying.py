"""A service that trusts a provider, which lies when it is told to."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.storage.database import Database
from tests.build import organization, plan, practitioner, practitioner_role
from tests.conftest import CLEAN
from tests.http.conftest import load, serving
from tests.smart.conftest import World
from tests.smart.provider import Liar, liar, named

AUDIENCE = "https://isp.example/fhir"


def trusted(provider: Liar, **sign_in: Any) -> dict[str, Any]:
    return {
        "issuer": provider.issuer,
        "algorithms": ["ES256"],
        "roles": {"care-manager": "key-worker", "person": "individual"},
        "claims": {"role": "realm_access.roles", "organization": "org"},
        "audience": AUDIENCE,
        "is_inside": True,
        "sign_in": {"name": "Elsewhere", "client_id": "us", "makes_accounts": True} | sign_in,
    }


@pytest.fixture(scope="module")
async def elsewhere() -> AsyncIterator[Liar]:
    async with liar() as provider:
        yield provider


@pytest.fixture
def provider(elsewhere: Liar) -> Liar:
    """The provider, honest until the test says otherwise."""
    elsewhere.claims = {"realm_access": {"roles": ["x", "person"]}, "fhirUser": "Patient/ada"}
    elsewhere.answer, elsewhere.typ, elsewhere.forger = {}, "JWT", None
    return elsewhere


@pytest.fixture(scope="module")
async def world(
    elsewhere: Liar, dsn: str, pool: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    await pool.execute(CLEAN)
    path = named(tmp_path_factory.mktemp("issuers"), trusted(elsewhere))
    async with serving(dsn, external_issuers=path) as service:
        operator = await service.as_("operator")
        await load(operator, organization("agency"), practitioner("grace"), practitioner_role())
        await load(operator, *plan("PractitionerRole/grace-key-worker"))
        world = World(service, pool)
        yield world
        for client in world.opened:
            await client.aclose()
