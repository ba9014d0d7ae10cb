"""What the tests of documents share: how a plan gets there, and how an answer is read."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from app.fhir.validation.structure import validate
from app.storage.database import Database
from tests.build import organization, reference
from tests.http.conftest import COUNTY, Service, load, record, serving
from tests.worlds.world import World

Json = dict[str, Any]
DOCUMENT, CARD = "/CarePlan/ada/$document", "/CarePlan/ada/$crisis-card"


@pytest.fixture
async def service(dsn: str, database: Database) -> AsyncIterator[Service]:
    """Takes plans that refer to practitioners and forms whom nobody wrote down."""
    async with serving(dsn, references="lenient") as running:
        yield running


async def keeper(service: Service) -> httpx.AsyncClient:
    """A client of the county, which keeps the records of the plans that are stored."""
    await load(await service.as_(), organization("county"))
    return await service.as_("provider-organization", COUNTY)


async def store(service: Service, world: World) -> None:
    """As a plan of the county, long over; the server counts versions itself."""
    resources = [{k: v for k, v in one.items() if k != "meta"} for one in world.all()]
    for one in resources:
        if one["resourceType"] == "Patient":
            one["managingOrganization"] = reference(COUNTY)
    await record(service, *resources)


def entries(response: httpx.Response) -> dict[str, Json]:
    """By fullUrl the resources of a valid document."""
    assert response.status_code == 200, response.text
    body = response.json()
    assert validate(body, "Bundle") == []
    assert (body["type"], body["identifier"]["system"]) == ("document", "urn:ietf:rfc:3986")
    assert "timestamp" in body
    found = {one["fullUrl"]: one["resource"] for one in body["entry"]}
    assert len(found) == len(body["entry"])
    return found


class Page(HTMLParser):
    """Counts what structure a page has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[str | None]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(f"{tag}.{name}", []).append(value)
            self.attributes.setdefault(name, []).append(value)
