"""User Access Brands: for anybody, only what an operator named, as the guide has it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.storage.database import Database
from tests.build import organization
from tests.conftest import CLEAN
from tests.http.conftest import Service, load, serving

URI = "urn:ietf:rfc:3986"
COUNTY, NORTH = "https://county.example", "https://north.example"
PORTAL = "http://hl7.org/fhir/StructureDefinition/organization-portal"


def brand(id_: str, site: str, **elements: Any) -> dict[str, Any]:
    return organization(
        id_,
        identifier=[{"system": URI, "value": site}],
        telecom=[{"system": "url", "value": site}],
        extension=[{"url": PORTAL, "extension": [{"url": "portalName", "valueString": id_}]}],
        **elements,
    )


@pytest.fixture(scope="module")
async def branded(dsn: str, pool: Database) -> AsyncIterator[Service]:
    await pool.execute(CLEAN)
    async with serving(dsn, brands=f"{URI}|{COUNTY} {URI}|{NORTH}") as service:
        operator = await service.as_("operator")
        await load(operator, organization("hidden"), brand("county", COUNTY))
        await load(operator, brand("north", NORTH, partOf={"reference": "Organization/hidden"}))
        yield service


@pytest.fixture
def anybody(branded: Service) -> httpx.AsyncClient:
    return branded.client({"Origin": "https://app.example"})


def url(service: Service) -> str:
    return f"{service.settings.issuer}/brands"


async def test_the_brands_and_this_server_are_in_one_bundle(
    branded: Service, anybody: httpx.AsyncClient
) -> None:
    answer = await anybody.get(url(branded))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert answer.headers["access-control-allow-origin"] == "*"
    body = answer.json()
    assert (body["resourceType"], body["type"]) == ("Bundle", "collection")
    endpoint, county, north = (entry["resource"] for entry in body["entry"])
    assert endpoint["address"] == branded.settings.base_url
    assert endpoint["contact"] == [{"system": "url", "value": COUNTY}]
    assert [county["id"], north["id"]] == ["county", "north"]
    assert county["endpoint"] == [{"reference": f"Endpoint/{endpoint['id']}"}]
    assert county["extension"][0]["url"] == PORTAL
    assert body["timestamp"] == max(county["meta"]["lastUpdated"], north["meta"]["lastUpdated"])


async def test_what_was_not_named_is_not_published(
    branded: Service, anybody: httpx.AsyncClient
) -> None:
    assert "hidden" not in (await anybody.get(url(branded))).text


async def test_who_has_it_gets_it_again_only_when_it_changed(
    branded: Service, anybody: httpx.AsyncClient
) -> None:
    first = await anybody.get(url(branded))
    etag = first.headers["etag"]
    assert etag.startswith('W/"')
    again = await anybody.get(url(branded), headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    operator = await branded.as_("operator")
    await operator.put("/Organization/county", json=brand("county", COUNTY, alias=["The County"]))
    changed = await anybody.get(url(branded), headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.json()["timestamp"] > first.json()["timestamp"]


async def test_discovery_leads_there_and_names_the_primary_brand(
    branded: Service, anybody: httpx.AsyncClient
) -> None:
    said = (await anybody.get("/.well-known/smart-configuration")).json()
    assert said["user_access_brand_bundle"] == url(branded)
    assert said["user_access_brand_identifier"] == {"system": URI, "value": COUNTY}
    named = said["user_access_brand_identifier"]
    body = (await anybody.get(said["user_access_brand_bundle"])).json()
    matching = [e for e in body["entry"] if named in e["resource"].get("identifier", [])]
    assert len(matching) == 1


async def test_another_origin_may_ask(branded: Service, anybody: httpx.AsyncClient) -> None:
    asked = {"Access-Control-Request-Method": "GET"}
    answer = await anybody.options(url(branded), headers=asked)
    assert answer.status_code in (200, 204)
    assert answer.headers["access-control-allow-origin"] in ("*", "https://app.example")


async def test_without_its_primary_brand_nothing_is_published(dsn: str, branded: Service) -> None:
    async with serving(dsn, brands=f"{URI}|https://nobody.example") as service:
        answer = await service.client().get(url(service))
        assert answer.status_code == 404
        assert answer.json()["resourceType"] == "OperationOutcome"


async def test_without_the_setting_there_is_none_and_none_is_named(service: Service) -> None:
    said = (await service.client().get("/.well-known/smart-configuration")).json()
    assert not {"user_access_brand_bundle", "user_access_brand_identifier"} & said.keys()
    assert (await service.client().get(url(service))).status_code == 404
