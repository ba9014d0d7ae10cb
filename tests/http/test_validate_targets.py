"""Profiles that look at what a resource refers to, and at codes: resolve() and memberOf()."""

from typing import Any

import httpx
import pytest

from tests.build import goal, reference
from tests.fhir.validation.profiled import at, profile, sliced
from tests.http.conftest import Json, load

URL = "https://county.example/StructureDefinition/wish"
CATEGORIES = "http://hl7.org/fhir/ValueSet/goal-category"
SYSTEM = "http://terminology.hl7.org/CodeSystem/goal-category"
CORE = "http://hl7.org/fhir/StructureDefinition/"


def stored(*elements: Json, type_: str = "Goal", url: str = URL) -> Json:
    name = url.rpartition("/")[2]
    head = {"id": name, "name": name.capitalize(), "status": "active", "abstract": False}
    return {**profile(type_, *elements, url=url), **head}


def must(path: str, expression: str) -> Json:
    said = {"key": "x-1", "severity": "error", "human": "It must.", "expression": expression}
    return at(path, constraint=[said])


async def judged(
    client: httpx.AsyncClient, resource: Json, url: str = URL
) -> list[tuple[Any, ...]]:
    """The severity and code of what is found."""
    response = await client.post(
        f"/{resource['resourceType']}/$validate", params={"profile": url}, json=resource
    )
    assert response.status_code == 200, response.text
    found = response.json()["issue"]
    return [(each["severity"], each["code"]) for each in found]


FINE = [("information", "informational")]
BROKEN = [("error", "invariant")]
UNKNOWN = [("information", "incomplete")]


@pytest.fixture
async def active(operator: httpx.AsyncClient, ada: str) -> None:
    await load(operator, stored(must("Goal.subject", "resolve().active")))


async def test_an_invariant_looks_at_what_is_stored(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, active: None
) -> None:
    assert await judged(county, goal()) == FINE
    record = (await operator.get("/Patient/ada")).json()
    await load(operator, record | {"active": False})
    assert await judged(county, goal()) == BROKEN


async def test_what_may_not_be_known_is_like_what_is_not_there(
    stranger: httpx.AsyncClient, active: None
) -> None:
    nobody = goal(subject=reference("Patient/nobody"))
    assert await judged(stranger, goal()) == UNKNOWN
    assert await judged(stranger, nobody) == UNKNOWN


async def test_a_target_in_the_same_bundle_comes_first(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    wish = stored(must("Goal.subject", "resolve().active"))
    kept = stored(
        at("Bundle.entry.resource", type=[{"code": "Resource", "profile": [URL]}]),
        type_="Bundle",
        url=f"{URL}-bundle",
    )
    await load(operator, wish, kept)
    person = {"resourceType": "Patient", "id": "ada", "active": False}
    urn = "urn:uuid:7d1c6a06-3c4c-4c0a-9c55-6d2a6e7f0b11"
    one = goal(subject=reference(urn))
    entries = [{"fullUrl": urn, "resource": person}, {"fullUrl": "urn:uuid:2", "resource": one}]
    entries[1]["fullUrl"] = "urn:uuid:7d1c6a06-3c4c-4c0a-9c55-6d2a6e7f0b12"
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries[1:] + entries[:1]}
    found = await judged(county, bundle, f"{URL}-bundle")
    assert ("error", "invariant") in found
    person["active"] = True
    assert ("error", "invariant") not in await judged(county, bundle, f"{URL}-bundle")


async def test_a_slice_is_told_by_what_a_reference_leads_to(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str
) -> None:
    adult = stored(at("Patient.birthDate", min=1), type_="Patient", url=f"{URL}-adult")
    wish = stored(
        sliced("Goal.addresses", "profile", "resolve()"),
        at(
            "Goal.addresses:need",
            min=1,
            type=[{"code": "Reference", "targetProfile": [f"{URL}-need"]}],
        ),
    )
    need = stored(at("Condition.code", min=1), type_="Condition", url=f"{URL}-need")
    await load(operator, adult, wish, need)
    mine = goal(addresses=[reference("Condition/ada-need")])
    assert await judged(county, mine) == FINE
    assert await judged(stranger, mine) == UNKNOWN
    other = goal(addresses=[reference("ServiceRequest/none")])
    assert await judged(county, other) == [("error", "required")]


async def test_a_code_is_looked_up_in_a_value_set(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, stored(must("Goal.category", f"memberOf('{CATEGORIES}')")))
    dietary = {"coding": [{"system": SYSTEM, "code": "dietary"}]}
    assert await judged(county, goal(category=[dietary])) == FINE
    assert await judged(county, goal(category=[{"text": "dietary"}])) != FINE
    mine = {"coding": [{"system": "https://county.example/x", "code": "dietary"}]}
    assert await judged(county, goal(category=[mine])) == BROKEN
