"""$meta, $meta-add, $meta-delete. https://hl7.org/fhir/R4/resource-operations.html"""

from typing import Any

import httpx
import pytest

from tests.http.conftest import Json, refused

URL = "/Goal/ada-goal-1"
TAG = {"system": "http://example.org/tags", "code": "pilot", "display": "Pilot"}
LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-goal"


def parameters(**meta: Any) -> Json:
    part = {"name": "meta", "valueMeta": meta}
    return {"resourceType": "Parameters", "parameter": [part]}


def meta(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    [part] = response.json()["parameter"]
    assert part["name"] == "return"
    found: Json = part["valueMeta"]
    return found


async def test_the_meta_of_a_resource_is_shown(county: httpx.AsyncClient, ada: str) -> None:
    shown = meta(await county.get(f"{URL}/$meta"))
    assert shown == (await county.get(URL)).json()["meta"]


async def test_tags_labels_and_profiles_are_added_once(county: httpx.AsyncClient, ada: str) -> None:
    given = parameters(tag=[TAG], security=[LABEL], profile=[PROFILE])
    made = meta(await county.post(f"{URL}/$meta-add", json=given))
    assert (made["tag"], made["security"], made["profile"]) == ([TAG], [LABEL], [PROFILE])
    assert made["versionId"] == "2"
    again = meta(await county.post(f"{URL}/$meta-add", json=given))
    assert again == made
    stored = (await county.get(URL)).json()
    assert stored["meta"] == made
    assert stored["lifecycleStatus"] == "active"
    assert (await county.get("/Goal?_tag=pilot&_summary=count")).json()["total"] == 1


async def test_tags_labels_and_profiles_are_taken_away(county: httpx.AsyncClient, ada: str) -> None:
    both = parameters(tag=[TAG, {"code": "other"}], profile=[PROFILE])
    await county.post(f"{URL}/$meta-add", json=both)
    gone = parameters(tag=[{"system": TAG["system"], "code": "pilot"}], profile=[PROFILE])
    made = meta(await county.post(f"{URL}/$meta-delete", json=gone))
    assert made["tag"] == [{"code": "other"}]
    assert "profile" not in made
    same = meta(await county.post(f"{URL}/$meta-delete", json=gone))
    assert same["versionId"] == made["versionId"] == "3"


async def test_if_match_is_kept(county: httpx.AsyncClient, ada: str) -> None:
    given, stale = parameters(tag=[TAG]), {"If-Match": 'W/"7"'}
    refused(
        await county.post(f"{URL}/$meta-add", json=given, headers=stale), 412, "conflict", "Goal"
    )
    fresh = {"If-Match": 'W/"1"'}
    assert (await county.post(f"{URL}/$meta-add", json=given, headers=fresh)).status_code == 200


async def test_what_one_may_not_see_or_change_has_no_meta(
    stranger: httpx.AsyncClient, partner: httpx.AsyncClient, ada: str
) -> None:
    refused(await stranger.get(f"{URL}/$meta"), 404, "not-found")
    given = parameters(tag=[TAG])
    refused(await stranger.post(f"{URL}/$meta-add", json=given), 404, "not-found")


BODIES: list[Any] = [
    None,
    {"resourceType": "Goal"},
    {"resourceType": "Parameters"},
    {"resourceType": "Parameters", "parameter": [{"name": "meta"}]},
    {"resourceType": "Parameters", "parameter": [{"name": "other", "valueMeta": {}}]},
    {"resourceType": "Parameters", "parameter": ["meta"]},
    parameters(versionId="7"),
    parameters(tag="pilot"),
    parameters(tag=["pilot"]),
    parameters(profile=[{}]),
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", ["$meta-add", "$meta-delete"])
async def test_a_body_that_cannot_be_read_is_refused(
    client: httpx.AsyncClient, unchanged: None, name: str, body: Any
) -> None:
    response = await client.post(f"{URL}/{name}", json=body)
    assert response.status_code == 400, response.text


@pytest.mark.parametrize(
    "given",
    [
        {"tag": [{"system": ["a"]}]},
        {"tag": [{"system": "http://a.example", "code": {"a": 1}}]},
        {"security": [{"code": ["R"]}]},
        {"profile": ["not a canonical"]},
        {"tag": {"code": "pilot"}},
    ],
)
@pytest.mark.parametrize("operation", ["$meta-add", "$meta-delete"])
async def test_what_is_no_meta_is_refused(
    county: httpx.AsyncClient, ada: str, given: Json, operation: str
) -> None:
    response = await county.post(f"{URL}/{operation}", json=parameters(**given))
    assert response.status_code == 400, response.text
    assert "Parameters.parameter[0].value" in response.json()["issue"][0]["expression"][0]


async def test_what_is_only_said_on_the_way_out_is_not_kept(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    """The notice that goes with a record of a Part 2 program is no part of the record."""
    seal = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "42CFRPart2"}
    made = meta(await operator.post(f"{URL}/$meta-add", json=parameters(security=[seal])))
    assert "extension" in (await operator.get(URL)).json()["meta"]
    made = meta(await operator.post(f"{URL}/$meta-add", json=parameters(tag=[TAG])))
    assert (made["security"], made["tag"]) == ([seal], [TAG])
    assert "extension" not in made
