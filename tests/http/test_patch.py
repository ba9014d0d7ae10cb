"""https://hl7.org/fhir/R4/http.html#patch"""

import asyncio
from base64 import b64encode
from collections import Counter
from typing import Any

import httpx
import pytest

from app.fhir import json
from tests.build import goal, organization, patient, reference
from tests.http.conftest import COUNTY, Json, Service, change, create, load, refused

JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
FHIR_JSON = "application/fhir+json"
URL = "/Goal/ada-goal-1"


def replacing(path: str, value: Any) -> list[Json]:
    return [{"op": "replace", "path": path, "value": value}]


def parameters(path: str, **value: Any) -> Json:
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": path},
        {"name": "value", **value},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


DONE = {
    JSON_PATCH: replacing("/lifecycleStatus", "completed"),
    MERGE_PATCH: {"lifecycleStatus": "completed"},
    FHIR_JSON: parameters("Goal.lifecycleStatus", valueCode="completed"),
}


async def patch(
    client: httpx.AsyncClient, url: str, body: Any, kind: str = JSON_PATCH, **headers: str
) -> httpx.Response:
    sent = {"Content-Type": kind, **{name.replace("_", "-"): v for name, v in headers.items()}}
    return await client.patch(url, content=json.dump(body), headers=sent)


@pytest.mark.parametrize("kind", DONE)
async def test_each_kind_of_patch_changes_the_current_version(
    county: httpx.AsyncClient, ada: str, kind: str
) -> None:
    response = await patch(county, URL, DONE[kind], kind)
    assert response.status_code == 200, response.text
    assert response.json()["lifecycleStatus"] == "completed"
    assert response.headers["etag"] == 'W/"2"'
    assert (await county.get(URL)).text == response.text
    newest = (await county.get(f"{URL}/_history")).json()["entry"][0]
    assert newest["request"] == {"method": "PATCH", "url": "Goal/ada-goal-1"}


@pytest.mark.parametrize("kind", DONE)
async def test_a_patch_that_changes_nothing_makes_no_version(
    county: httpx.AsyncClient, ada: str, kind: str
) -> None:
    for _ in range(2):
        response = await patch(county, URL, DONE[kind], kind)
    assert response.headers["etag"] == 'W/"2"'


async def test_what_is_not_patched_keeps_its_spelling(county: httpx.AsyncClient, ada: str) -> None:
    quantity = {"value": json.Number("1.50"), "unit": "walk"}
    body = goal(target=[{"measure": {"text": "Walks"}, "detailQuantity": quantity}])
    await county.put(URL, content=json.dump(body))
    response = await patch(county, URL, DONE[JSON_PATCH])
    assert '"value":1.50' in response.text


async def test_a_patch_says_which_version_it_was_made_for(
    county: httpx.AsyncClient, ada: str
) -> None:
    stale = await patch(county, URL, DONE[JSON_PATCH], If_Match='W/"7"')
    refused(stale, 412, "conflict", "Goal")
    fresh = await patch(county, URL, DONE[JSON_PATCH], If_Match='W/"1"')
    assert fresh.status_code == 200


async def test_a_patch_is_answered_as_preferred(county: httpx.AsyncClient, ada: str) -> None:
    response = await patch(county, URL, DONE[JSON_PATCH], Prefer="return=minimal")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["etag"] == 'W/"2"'


async def test_the_unknown_and_the_hidden_are_told_alike(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str
) -> None:
    hidden = await patch(stranger, URL, DONE[JSON_PATCH])
    unknown = await patch(stranger, "/Goal/ada-goal-9", DONE[JSON_PATCH])
    refused(hidden, 404, "not-found")
    assert hidden.text.replace("goal-1", "goal-9") == unknown.text
    await county.delete(URL)
    refused(await patch(county, URL, DONE[JSON_PATCH]), 410, "deleted")


@pytest.mark.parametrize(
    ("kind", "body", "refusal"),
    [
        (JSON_PATCH, replacing("/id", "x"), (422, "Goal.id")),
        (MERGE_PATCH, {"id": None}, (422, "Goal.id")),
        (JSON_PATCH, replacing("/resourceType", "Patient"), (422, "Goal.resourceType")),
        (MERGE_PATCH, {"meta": {"versionId": "9"}}, (422, "Goal.meta.versionId")),
        (
            FHIR_JSON,
            parameters("Goal.meta.lastUpdated", valueInstant="2020-01-01T00:00:00Z"),
            (422, "Goal.meta.lastUpdated"),
        ),
        (MERGE_PATCH, {"lifecycleStatus": "asleep"}, (422, "Goal.lifecycleStatus")),
        (MERGE_PATCH, {"subject": reference("urn:uuid:1")}, (422, "Goal.subject")),
        (MERGE_PATCH, {"description": None}, (400, "Goal.description")),
        (MERGE_PATCH, {"colour": "red"}, (400, "Goal.colour")),
        (MERGE_PATCH, {"subject": reference("Patient/none")}, (422, "Goal.subject")),
    ],
)
async def test_the_result_is_judged_like_an_update(
    client: httpx.AsyncClient, unchanged: None, kind: str, body: Any, refusal: tuple[int, str]
) -> None:
    response = await patch(client, URL, body, kind)
    assert (response.status_code, response.json()["issue"][0]["expression"][0]) == refusal


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        (JSON_PATCH, b"", 400),
        (JSON_PATCH, b"null", 400),
        (JSON_PATCH, b"{}", 400),
        (JSON_PATCH, b"[{}]", 400),
        (JSON_PATCH, b"[", 400),
        (JSON_PATCH, b'[{"op":"test","path":"/lifecycleStatus","value":"on-hold"}]', 422),
        (JSON_PATCH, b'[{"op":"replace","path":"","value":[]}]', 422),
        (JSON_PATCH, b'[{"op":"replace","path":"/meta","value":[]}]', 400),
        (MERGE_PATCH, b"[]", 422),
        (MERGE_PATCH, b"null", 400),
        (FHIR_JSON, b"[]", 400),
        (FHIR_JSON, b'{"resourceType":"Goal"}', 400),
        ("application/json", b"[]", 415),
        ("application/xml-patch+xml", b"<diff/>", 415),
        ("", b"[]", 415),
        (JSON_PATCH + "; charset=latin-1", b"[]", 415),
    ],
)
async def test_what_is_no_patch_is_refused(
    client: httpx.AsyncClient, unchanged: None, kind: str, content: bytes, status: int
) -> None:
    response = await client.patch(URL, content=content, headers={"Content-Type": kind})
    assert response.status_code == status, response.text
    assert response.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("scope", ["system/Goal.u", "system/Goal.r", "system/Patient.rus"])
async def test_who_patches_may_read_and_update(
    service: Service, county: httpx.AsyncClient, ada: str, scope: str
) -> None:
    client = await service.as_("provider-organization", COUNTY, scope=scope)
    refused(await patch(client, URL, DONE[JSON_PATCH]), 403, "forbidden")


async def test_a_patch_cannot_move_a_record_out_of_reach(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, organization("elsewhere"), patient("eve", "Organization/elsewhere"))
    body = replacing("/subject/reference", "Patient/eve")
    response = await patch(county, URL, body)
    refused(response, 422, "not-found", "Goal.subject")


async def test_the_audit_trail_is_not_patched(operator: httpx.AsyncClient) -> None:
    [entry] = (await operator.get("/AuditEvent?_count=1")).json().get("entry", [None]) or [None]
    id_ = entry["resource"]["id"] if entry else "x"
    refused(await patch(operator, f"/AuditEvent/{id_}", []), 405, "not-supported")


async def test_no_patch_is_lost_when_many_patch_at_once(
    county: httpx.AsyncClient, ada: str
) -> None:
    await change(county, goal(), note=[{"text": "start"}])

    async def add(number: int) -> int:
        body = [{"op": "add", "path": "/note/-", "value": {"text": str(number)}}]
        return (await patch(county, URL, body)).status_code

    assert Counter(await asyncio.gather(*map(add, range(24)))) == {200: 24}
    notes = (await county.get(URL)).json()["note"]
    assert sorted(note["text"] for note in notes[1:]) == sorted(map(str, range(24)))


async def test_patches_and_updates_at_once_are_all_versions(
    county: httpx.AsyncClient, ada: str
) -> None:
    async def write(number: int) -> int:
        if number % 2:
            return (await county.put(URL, json=goal(language=f"x-{number}"))).status_code
        return (
            await patch(county, URL, {"note": [{"text": str(number)}]}, MERGE_PATCH)
        ).status_code

    assert Counter(await asyncio.gather(*map(write, range(16)))) == {200: 16}
    assert (await county.get(URL)).headers["etag"] == 'W/"17"'


async def test_a_patch_can_be_conditional(county: httpx.AsyncClient, ada: str) -> None:
    mine = "identifier=http://example.org/wish|1"
    refused(await patch(county, f"/Goal?{mine}", DONE[JSON_PATCH]), 404, "not-found")
    body = goal(identifier=[{"system": "http://example.org/wish", "value": "1"}])
    made = await create(county, {name: v for name, v in body.items() if name != "id"})
    response = await patch(county, f"/Goal?{mine}", DONE[JSON_PATCH])
    assert (response.status_code, response.json()["id"]) == (200, made["id"])
    refused(await patch(county, "/Goal?patient=ada", DONE[JSON_PATCH]), 412, "multiple-matches")


def binary(body: Any, kind: str = JSON_PATCH) -> Json:
    data = b64encode(json.dump(body)).decode()
    return {"resourceType": "Binary", "contentType": kind, "data": data}


def bundle(type_: str, *resources: Json, url: str = "Goal/ada-goal-1") -> Json:
    entries = [{"resource": one, "request": {"method": "PATCH", "url": url}} for one in resources]
    return {"resourceType": "Bundle", "type": type_, "entry": entries}


@pytest.mark.parametrize("type_", ["batch", "transaction"])
@pytest.mark.parametrize("kind", DONE)
async def test_patches_travel_in_bundles(
    county: httpx.AsyncClient, ada: str, type_: str, kind: str
) -> None:
    resource = DONE[kind] if kind == FHIR_JSON else binary(DONE[kind], kind)
    assert isinstance(resource, dict)
    response = await county.post("", json=bundle(type_, resource))
    [entry] = response.json()["entry"]
    assert entry["response"]["status"] == "200 OK", response.text
    assert (await county.get(URL)).json()["lifecycleStatus"] == "completed"


@pytest.mark.parametrize("type_", ["batch", "transaction"])
async def test_patches_in_bundles_may_be_conditional(
    county: httpx.AsyncClient, ada: str, type_: str
) -> None:
    body = bundle(type_, binary(DONE[MERGE_PATCH], MERGE_PATCH), url="Goal?_id=ada-goal-2")
    response = await county.post("", json=body)
    assert response.json()["entry"][0]["response"]["status"] == "200 OK", response.text
    assert (await county.get("/Goal/ada-goal-2")).headers["etag"] == 'W/"2"'


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Binary", "contentType": JSON_PATCH, "data": "#"},
        {"resourceType": "Binary", "contentType": "text/plain", "data": "W10="},
        {"resourceType": "Binary", "data": "W10="},
        {"resourceType": "Binary", "contentType": JSON_PATCH},
        {"resourceType": "Goal"},
    ],
)
async def test_a_bundle_with_no_patch_is_refused(
    client: httpx.AsyncClient, unchanged: None, resource: Json
) -> None:
    response = await client.post("", json=bundle("transaction", resource))
    assert response.status_code in (400, 415), response.text
    [issue] = response.json()["issue"]
    assert issue["expression"][0].startswith("Bundle.entry[0]")


async def test_a_transaction_patches_what_others_refer_to(
    county: httpx.AsyncClient, ada: str
) -> None:
    """The value of a FHIRPath Patch may be a reference to what the transaction creates."""
    team = parameters("CarePlan.goal[0]", valueReference=reference("urn:uuid:5f1c"))
    entries = bundle("transaction", team, url="CarePlan/ada-plan")
    entries["entry"].append(
        {
            "fullUrl": "urn:uuid:5f1c",
            "resource": {name: v for name, v in goal().items() if name != "id"},
            "request": {"method": "POST", "url": "Goal"},
        }
    )
    response = await county.post("", json=entries)
    assert response.status_code == 200, response.text
    made = response.json()["entry"][1]["fullUrl"].rpartition("/fhir/")[2]
    assert (await county.get("/CarePlan/ada-plan")).json()["goal"][0] == reference(made)
