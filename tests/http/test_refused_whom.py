"""Whom an attempt is told to that names nobody, or several, or is not understood."""

from base64 import b64decode

import httpx
import pytest

from tests.build import goal, patient, reference
from tests.http.attempts import CLINIC, ada, attempts, clinic, officer, record, sent, whom
from tests.http.conftest import COUNTY, PARTNER, Json, Service, load

__all__ = ["ada", "clinic", "officer", "record"]

GROUP: Json = goal("new") | {"subject": reference("Group/ada")}
AWRY: dict[str, tuple[str, object]] = {
    "entries that are none": ("", {"resourceType": "Bundle", "type": "transaction", "entry": "x"}),
    "an entry that is none": ("", {"resourceType": "Bundle", "type": "transaction", "entry": [1]}),
    "a request that is none": (
        "",
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": 1}]},
    ),
    "a URL that is none": (
        "",
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": {"url": 1}}]},
    ),
    "a subject that is none": ("/Goal", goal("new") | {"subject": "Patient/ada"}),
    "a reference that is none": ("/Goal", goal("new") | {"subject": {"reference": 1}}),
    "somebody else of that id": ("/Goal", GROUP),
    "parameters that are none": ("/CarePlan/$isp-metrics", sent() | {"parameter": "Patient/ada"}),
    "a parameter that is none": ("/CarePlan/$isp-metrics", sent("Patient/ada", 1)),
    "a value that is none": (
        "/CarePlan/$isp-metrics",
        sent({"name": "patient", "valueString": ["ada"]}, {"name": "patient"}),
    ),
    "a parameter without a name": ("/CarePlan/$isp-metrics", sent({"valueString": "ada"})),
    "a parameter of another name": (
        "/CarePlan/$isp-metrics",
        sent({"name": "unknown", "valueString": "ada"}),
    ),
    "a list of parameters": ("/CarePlan/$isp-metrics", [{"name": "patient"}]),
    "a Bundle to keep": (
        "/Bundle",
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"request": {"method": "GET", "url": "Goal/plain"}}],
        },
    ),
    "a list of people": ("/Goal", [goal("new")]),
    "a list of entries": ("", [{"request": {"method": "GET", "url": "Goal/plain"}}]),
}


@pytest.mark.parametrize("name", AWRY)
async def test_what_names_nobody_is_recorded_for_nobody(
    clinic: httpx.AsyncClient, record: httpx.AsyncClient, name: str
) -> None:
    url, body = AWRY[name]
    response = await clinic.post(url, json=body, headers={"X-Request-Id": "try"})
    assert response.status_code in (400, 404, 422), response.text
    assert [whom(event) for event in await attempts(record, "try")] == [[]]


async def test_a_change_is_told_to_whom_the_record_is_about_whatever_was_sent(
    clinic: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    """Somebody else is not told of what there is in Ada's record."""
    await load(record, patient("eve", COUNTY))
    moved = goal("plain") | {"subject": reference("Patient/eve")}
    await clinic.put("/Goal/plain", json=moved, headers={"X-Request-Id": "try"})
    assert [whom(event) for event in await attempts(record, "try")] == [["Patient/ada"]]


@pytest.mark.parametrize("url", ["Goal/plain", "{base}/Goal/plain", "Goal/plain/_history/1"])
async def test_each_entry_of_a_transaction_is_an_attempt_whatever_is_wrong_with_another(
    service: Service, clinic: httpx.AsyncClient, ada: httpx.AsyncClient, url: str
) -> None:
    asked = url.format(base=service.settings.base_url)
    entries: list[Json] = [{"request": {"method": "GET", "url": asked}}]
    entries.append({"request": {"method": "GET", "url": "Goal/a_b"}})
    for wrong in ({"method": "PUT", "url": "Goal/new"}, {"method": "POST", "url": "Goal"}):
        entries.append({"request": wrong, "resource": {"resourceType": "Goal"}})
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    response = await clinic.post("", json=bundle, headers={"X-Request-Id": "try"})
    assert response.status_code == 400, response.text
    assert [whom(event) for event in await attempts(ada, "try")] == [["Patient/ada"]]


async def test_an_attempt_on_the_trail_is_for_nobody(
    clinic: httpx.AsyncClient, record: httpx.AsyncClient
) -> None:
    await record.get("/Goal/plain")
    [entry] = (await record.get("/AuditEvent?patient=ada&subtype=read")).json()["entry"]
    url = f"/AuditEvent/{entry['resource']['id']}"
    assert "Patient/ada" in (await record.get(url)).text
    await clinic.get(url, headers={"X-Request-Id": "try"})
    assert [whom(event) for event in await attempts(record, "try")] == [[]]


async def test_an_attempt_on_what_is_about_nobody_is_for_nobody(
    service: Service, record: httpx.AsyncClient
) -> None:
    other = await service.as_("ehr-system", CLINIC, "system/Task.rs")
    await other.get(f"/{PARTNER}", headers={"X-Request-Id": "try"})
    [event] = await attempts(record, "try")
    assert whom(event) == []


async def test_a_question_about_several_is_told_to_each_without_the_others(
    clinic: httpx.AsyncClient, record: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await load(record, patient("eve", COUNTY))
    await clinic.get("/Goal?patient=ada,eve", headers={"X-Request-Id": "try"})
    [event] = await attempts(ada, "try")
    asked = [b64decode(each["query"]) for each in event["entity"] if "query" in each]
    assert asked == [b"Goal?"]
    assert len(await attempts(record, "try")) == 3


async def test_a_search_that_named_nobody_is_told_to_who_keeps_what_it_showed(
    service: Service, ada: httpx.AsyncClient, officer: httpx.AsyncClient
) -> None:
    partner = await service.as_("partner-system", PARTNER)
    await partner.get("/Goal?lifecycle-status=active", headers={"X-Request-Id": "all"})
    for reader in (ada, officer):
        response = await reader.get("/AuditEvent?entity:identifier=all&patient=Patient/ada")
        [entry] = response.json()["entry"]
        assert entry["resource"]["outcome"] == "0"
