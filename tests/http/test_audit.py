"""Each call leaves an AuditEvent, refused or not. https://hl7.org/fhir/R4/auditevent.html"""

import logging
from base64 import b64decode

import httpx
import pytest

from app.storage.database import Database
from tests.build import goal, patient
from tests.http.conftest import COUNTY, Json, Service, load, refused
from tests.http.trail import Trail, trail

__all__ = ["trail"]

SECRET = "Xyzzy"

CALLS = {
    "read": ("GET", "/Goal/ada-goal-1"),
    "vread": ("GET", "/Goal/ada-goal-1/_history/1"),
    "history-instance": ("GET", "/Goal/ada-goal-1/_history"),
    "history-type": ("GET", "/Goal/_history"),
    "history-system": ("GET", "/_history"),
    "search-type": ("GET", "/Goal?patient=ada"),
    "create": ("POST", "/Goal"),
    "update": ("PUT", "/Goal/ada-goal-1"),
    "delete": ("DELETE", "/Goal/ada-goal-1"),
}


@pytest.mark.parametrize("interaction", CALLS)
async def test_each_interaction_leaves_one_event(
    county: httpx.AsyncClient, trail: Trail, interaction: str
) -> None:
    method, url = CALLS[interaction]
    body = goal(lifecycleStatus="completed") if method in ("POST", "PUT") else None
    response = await county.request(method, url, json=body)
    assert response.is_success
    assert await trail.kinds() == [(interaction, "0", "")]
    [event] = await trail.new()
    about = [e["what"]["reference"] for e in event["entity"] if "reference" in e.get("what", {})]
    if not interaction.endswith(("-type", "-system")):
        [entity] = [reference for reference in about if reference.startswith("Goal/")]
        assert entity.startswith("Goal/ada-goal-1") or interaction == "create"
    assert "Patient/ada" in about


@pytest.mark.parametrize("interaction", CALLS)
async def test_a_call_out_of_scope_leaves_one_event_too(
    service: Service, trail: Trail, interaction: str
) -> None:
    client = await service.as_("provider-organization", COUNTY, "system/Organization.r")
    method, url = CALLS[interaction]
    body = goal() if method in ("POST", "PUT") else None
    response = await client.request(method, url, json=body)
    if response.status_code == 403:
        assert await trail.kinds() == [(interaction, "4", "403")]
        assert (await trail.new())[0].get("entity")
    else:
        assert len(await trail.kinds()) == 1


REFUSED = {
    404: ("GET", "/Goal/nothing", None, "read"),
    410: ("GET", "/Goal/gone", None, "read"),
    400: ("POST", "/Goal", {"resourceType": "Goal"}, "create"),
    422: ("POST", "/Goal", goal(patient="Patient/none"), "create"),
    405: ("PUT", "/Goal/nothing", goal("nothing"), "update"),
    412: ("PUT", "/Goal/ada-goal-2", goal("ada-goal-2"), "update"),
    403: ("POST", "/Patient", patient("new", None), "create"),
}


@pytest.mark.parametrize("status", REFUSED)
async def test_a_refusal_leaves_one_event_with_its_status(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, trail: Trail, status: int
) -> None:
    await load(operator, goal("gone"))
    await county.delete("/Goal/gone")
    before = len(await trail.new())
    method, url, body, interaction = REFUSED[status]
    response = await county.request(method, url, json=body, headers={"If-Match": 'W/"9"'})
    assert response.status_code == status
    assert (await trail.kinds())[before:] == [(interaction, "4", str(status))]


async def test_who_has_no_token_leaves_an_event(service: Service, trail: Trail) -> None:
    nobody = service.client()
    assert (await nobody.get("/Goal/ada-goal-1")).status_code == 401
    forged = service.client({"Authorization": "Bearer e30.e30.e30"})
    assert (await forged.delete("/Goal/ada-goal-1")).status_code == 401
    assert await trail.kinds() == [("read", "4", "401"), ("delete", "4", "401")]


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/Unicorn", 404),
        ("GET", "/Goal/a_b", 400),
        ("PATCH", "/Goal/ada-goal-1/_history", 405),
        ("GET", "/Goal/ada-goal-1?name=%ff", 400),
        ("GET", "/Goal?colour=red", 400),
        ("POST", "/Goal/$colour", 404),
    ],
)
async def test_a_call_that_leads_nowhere_leaves_an_event_that_says_who(
    county: httpx.AsyncClient, trail: Trail, method: str, url: str, status: int
) -> None:
    assert (await county.request(method, url)).status_code == status
    [event] = await trail.new()
    assert (event["outcome"], event["outcomeDesc"][:3]) == ("4", str(status))
    assert "client-provider-organization" in str(event["agent"])


async def test_an_event_says_who_did_what_for_whom(service: Service, trail: Trail) -> None:
    client = await service.as_(
        "clinician", COUNTY, "user/*.rs", client_id="ehr", user="u7", fhir_user="Practitioner/g"
    )
    response = await client.get("/Goal/ada-goal-1", headers={"X-Request-Id": "visit-17"})
    assert response.status_code == 200
    [event] = await trail.new()
    text = str(event["agent"])
    for said in ("ehr", "u7", "Practitioner/g", COUNTY, "clinician"):
        assert said in text
    assert "visit-17" in str(event["entity"])


async def test_an_operators_use_is_recorded_as_such(
    operator: httpx.AsyncClient, trail: Trail
) -> None:
    await operator.get("/Patient/ada")
    [event] = await trail.new()
    requestor = next(agent for agent in event["agent"] if agent["requestor"])
    assert [coding["code"] for coding in requestor["role"][0]["coding"]] == ["operator"]


async def test_the_log_names_the_request_as_the_trail_does(
    county: httpx.AsyncClient, trail: Trail, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "isp.access"):
        response = await county.get("/Goal/ada-goal-1", headers={"X-Request-Id": "visit-18"})
    assert response.headers["x-request-id"] == "visit-18"
    assert "GET /fhir/Goal/[id] 200" in caplog.text
    assert "request visit-18" in caplog.text
    assert "ada" not in caplog.text
    assert "visit-18" in str((await trail.new())[0]["entity"])


@pytest.mark.parametrize("type_", ["batch", "transaction"])
async def test_an_empty_bundle_leaves_an_event(
    county: httpx.AsyncClient, trail: Trail, type_: str
) -> None:
    response = await county.post("", json={"resourceType": "Bundle", "type": type_})
    assert response.status_code == 200
    assert await trail.kinds() == [(type_, "0", "")]


async def test_who_asks_what_the_server_can_do_leaves_an_event(
    service: Service, trail: Trail
) -> None:
    assert (await service.client().get("/metadata")).status_code == 200
    assert await trail.kinds() == [("capabilities", "0", "")]
    [event] = await trail.new()
    assert "anonymous" in str(event["agent"])


async def test_each_entry_of_a_batch_leaves_an_event(
    county: httpx.AsyncClient, trail: Trail
) -> None:
    asked = [("GET", "Goal/ada-goal-1"), ("GET", "Goal/none"), ("GET", "Unicorn/1"), ("GET", "a b")]
    entries = [{"request": {"method": method, "url": url}} for method, url in asked]
    await county.post("", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    outcomes = [kind[1:] for kind in await trail.kinds()]
    assert outcomes == [("0", ""), ("4", "404"), ("4", "404"), ("4", "404")]


async def test_each_change_of_a_transaction_leaves_an_event_and_a_refused_one_leaves_one(
    county: httpx.AsyncClient, trail: Trail
) -> None:
    def bundle(*resources: Json) -> Json:
        entries = [
            {"request": {"method": "POST", "url": "Goal"}, "resource": resource}
            for resource in resources
        ]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    assert (await county.post("", json=bundle(goal(), goal()))).status_code == 200
    assert await trail.kinds() == [("create", "0", "")] * 2
    assert (await county.post("", json=bundle(goal(), {}))).status_code == 400
    assert (await trail.kinds())[2:] == [("transaction", "4", "400")]


async def test_the_event_of_a_write_is_in_the_transaction_of_the_write(
    county: httpx.AsyncClient, database: Database, trail: Trail
) -> None:
    await county.put("/Goal/ada-goal-1", json=goal(lifecycleStatus="completed"))
    together = """
    SELECT count(*) FROM audit_event AS a, resource_version AS v
    WHERE a.xmin = v.xmin AND a.last_updated = v.last_updated
      AND v.version = 2 AND a.body LIKE '%Goal/ada-goal-1/_history/2%'
    """
    assert await database.fetchval(together) == 1


async def test_a_write_that_cannot_be_recorded_is_not_made(
    county: httpx.AsyncClient, database: Database, trail: Trail
) -> None:
    await database.execute("ALTER TABLE audit_event ADD CONSTRAINT none CHECK (false) NOT VALID")
    try:
        for call in ("create", "update", "delete", "read", "search-type"):
            method, url = CALLS[call]
            response = await county.request(method, url, json=goal(startDate="2026-01-01"))
            assert response.status_code in (500, 503), call
            assert 'resourceType":"Goal' not in response.text
    finally:
        await database.execute("ALTER TABLE audit_event DROP CONSTRAINT none")
    assert (await county.get("/Goal/ada-goal-1")).headers["etag"] == 'W/"1"'
    assert (await county.get("/Goal?_summary=count")).json()["total"] == 2


async def test_an_event_holds_no_more_than_it_must(county: httpx.AsyncClient, trail: Trail) -> None:
    """Ids and parameters, never what a resource says."""
    await county.post("/Goal", json=goal(description={"text": SECRET}))
    await county.post("/Goal", json=goal(description=SECRET))
    await county.post("/Goal", json=goal(colour=SECRET))
    found = await county.get(f"/Patient?family={SECRET}")
    assert found.status_code == 200
    *writes, search = await trail.new()
    assert SECRET not in str(writes)
    [query] = [entity["query"] for entity in search["entity"] if "query" in entity]
    assert SECRET in b64decode(query).decode()


@pytest.mark.parametrize("url", ["_history", "_history/1"])
async def test_an_audit_event_has_no_history(operator: httpx.AsyncClient, url: str) -> None:
    refused(await operator.get(f"/AuditEvent/any/{url}"), 405, "not-supported")
