"""What operators register to search by."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.fhir.indexing import index
from app.fhir.registry import Registered, adopt
from app.storage.database import Database
from tests.build import patient
from tests.http.conftest import COUNTY, Json, Service, load

US_CORE = "http://hl7.org/fhir/us/core"
RACE = f"{US_CORE}/StructureDefinition/us-core-race"
ASIAN = {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2028-9", "display": "Asian"}


@pytest.fixture(autouse=True)
async def forgotten(database: Database) -> AsyncIterator[None]:
    """Nothing is registered before a test, nor after it."""
    adopt(Registered())
    yield
    adopt(Registered())


def parameter(code: str, expression: str, kind: str = "token", **elements: Any) -> Json:
    made: Json = {"resourceType": "SearchParameter", "id": f"own-{code}", "status": "active"}
    made |= {"url": f"https://example.org/SearchParameter/{code}", "name": code, "code": code}
    made |= {"description": "One of ours", "base": ["Goal"], "type": kind}
    return made | {"expression": expression} | elements


WORDS = parameter("words", "Goal.description.text", "string")
MEASURE = parameter("measure", "Goal.target.measure.text", "string")
LATE = parameter("late", "Goal.target.where(due < @2026-06-01).exists()")


def racial(id_: str, **elements: Any) -> Json:
    part = {"url": "ombCategory", "valueCoding": ASIAN}
    return patient(id_, COUNTY, extension=[{"url": RACE, "extension": [part]}], **elements)


async def register(service: Service, operator: httpx.AsyncClient, *every: Json) -> None:
    await load(operator, *every)
    await index(service.app.state.engine)


async def told(operator: httpx.AsyncClient) -> dict[str, Any]:
    """The parts of $reindex-status, by code."""
    response = await operator.get("/SearchParameter/$reindex-status")
    assert response.status_code == 200, response.text
    every = [
        {part.pop("name"): next(iter(part.values())) for part in one["part"]}
        for one in response.json().get("parameter", [])
    ]
    return {one["code"]: one for one in every}
