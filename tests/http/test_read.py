"""https://hl7.org/fhir/R4/http.html#read"""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from app.fhir.instant import from_text
from tests.build import patient
from tests.http.conftest import COUNTY, create, load, refused


async def test_a_created_patient_can_be_read(county: httpx.AsyncClient) -> None:
    made = await create(county, patient(organization=COUNTY))
    response = await county.get(f"/Patient/{made['id']}")
    assert response.status_code == 200
    assert response.json() == made
    assert response.headers["etag"] == 'W/"1"'


async def test_the_headers_say_when_the_version_was_written(
    county: httpx.AsyncClient, ada: str
) -> None:
    response = await county.get(f"/Patient/{ada}")
    written = from_text(response.json()["meta"]["lastUpdated"], "meta")
    said = parsedate_to_datetime(response.headers["last-modified"])
    assert timedelta(0) <= written - said < timedelta(seconds=1)
    assert response.headers["content-type"] == "application/fhir+json;charset=utf-8"
    assert response.headers["cache-control"] == "private, no-cache"
    assert {"Authorization", "Accept"} <= set(response.headers["vary"].split(", "))


async def test_what_was_stored_comes_back_to_the_letter(
    county: httpx.AsyncClient, ada: str
) -> None:
    text = (
        '{"resourceType":"Observation","status":"final",'
        '"code":{"text":"Gr\\u00f6\\u00dfe \\ud83d\\ude42"},'
        '"subject":{"reference":"Patient/ada"},"effectiveDateTime":"2026-02-03T04:05:06.1234567+02:00",'
        '"valueQuantity":{"value":1.500,"unit":"h"}}'
    )
    made = await county.post("/Observation", content=text)
    assert made.status_code == 201, made.text
    response = await county.get(f"/Observation/{made.json()['id']}")
    assert response.content == made.content
    assert '"value":1.500' in response.text
    assert '"2026-02-03T04:05:06.1234567+02:00"' in response.text
    assert response.json()["code"]["text"] == "Größe 🙂"


async def test_an_unknown_id_is_not_found(county: httpx.AsyncClient) -> None:
    refused(await county.get("/Patient/nobody"), 404, "not-found")


async def test_an_id_belongs_to_its_type(county: httpx.AsyncClient, ada: str) -> None:
    refused(await county.get(f"/Goal/{ada}"), 404, "not-found")


async def test_ids_are_case_sensitive(county: httpx.AsyncClient, ada: str) -> None:
    refused(await county.get(f"/Patient/{ada.upper()}"), 404, "not-found")


async def test_a_patient_of_another_organization_does_not_exist(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    made = await create(county, patient(organization=COUNTY))
    hidden = await stranger.get(f"/Patient/{made['id']}")
    unknown = await stranger.get("/Patient/no-such-patient")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.text.replace(made["id"], "no-such-patient") == unknown.text


async def test_a_deleted_resource_is_gone(county: httpx.AsyncClient, ada: str) -> None:
    await county.delete("/Goal/ada-goal-1")
    refused(await county.get("/Goal/ada-goal-1"), 410, "deleted")


async def test_a_deleted_resource_is_unknown_to_whom_it_was_hidden(
    county: httpx.AsyncClient, stranger: httpx.AsyncClient, ada: str
) -> None:
    await county.delete("/Goal/ada-goal-1")
    refused(await stranger.get("/Goal/ada-goal-1"), 404, "not-found")


async def test_head_answers_like_get_without_the_body(county: httpx.AsyncClient, ada: str) -> None:
    whole = await county.get(f"/Patient/{ada}")
    head = await county.head(f"/Patient/{ada}")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["etag"] == whole.headers["etag"]


async def test_a_parameter_that_does_not_apply_is_named(
    county: httpx.AsyncClient, ada: str
) -> None:
    said = refused(await county.get(f"/Patient/{ada}?name=Ada"), 400, "not-supported")
    assert "name" in said
    assert "_elements" in said


@pytest.mark.parametrize("id_", ["a", "A-b.c", "1" * 64])
async def test_every_legal_id_can_be_read(operator: httpx.AsyncClient, id_: str) -> None:
    await load(operator, patient(id_, organization=None))
    assert (await operator.get(f"/Patient/{id_}")).json()["id"] == id_


async def test_a_request_carries_its_id_back(county: httpx.AsyncClient, ada: str) -> None:
    named = await county.get(f"/Patient/{ada}", headers={"X-Request-Id": "visit-17"})
    assert named.headers["x-request-id"] == "visit-17"
    unnamed = await county.get(f"/Patient/{ada}", headers={"X-Request-Id": "no good (here)"})
    assert unnamed.headers["x-request-id"] not in ("", "no good (here)")


async def test_a_token_is_needed(service, ada: str) -> None:
    response = await service.client().get(f"/Patient/{ada}")
    refused(response, 401, "login")
    assert response.headers["www-authenticate"].startswith("Bearer")
