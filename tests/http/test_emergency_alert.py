"""The alert to an emergency access stays until somebody else has reviewed it."""

from datetime import UTC, datetime
from hashlib import sha256

import httpx
import pytest

from tests.build import reference
from tests.http.conftest import COUNTY, Json, Service, refused, serving
from tests.http.emergency import CLINIC, WHY, alerts, clinician, record

__all__ = ["clinician", "record"]


@pytest.fixture
async def alert(clinician: httpx.AsyncClient, record: httpx.AsyncClient) -> Json:
    """What Grace left behind when she opened Ada's record."""
    assert (await clinician.get("/Goal/sensitive", headers=WHY)).status_code == 200
    [found] = await alerts(record)
    return found


async def test_whom_it_is_about_does_not_change_it(
    clinician: httpx.AsyncClient, record: httpx.AsyncClient, alert: Json
) -> None:
    url = f"/Task/{alert['id']}"
    done = alert | {"status": "completed"}
    refused(await clinician.put(url, json=done), 403, "forbidden", "Task")
    patch = [{"op": "replace", "path": "/status", "value": "cancelled"}]
    headers = {"Content-Type": "application/json-patch+json"}
    refused(await clinician.patch(url, json=patch, headers=headers), 403, "forbidden", "Task")
    refused(await clinician.delete(url), 403, "forbidden", "Task")
    assert await alerts(record) == [alert]


async def test_nor_does_anybody_else_of_the_team(service: Service, alert: Json) -> None:
    other = await service.as_(
        "key-worker", CLINIC, "user/*.cruds", user="carla", fhir_user="Practitioner/carla"
    )
    done = alert | {"status": "completed"}
    refused(await other.put(f"/Task/{alert['id']}", json=done), 403, "forbidden", "Task")


async def test_who_keeps_the_record_reviews_it(service: Service, alert: Json) -> None:
    officer = await service.as_(
        "privacy-officer", COUNTY, "user/*.cruds", user="otto", fhir_user="Practitioner/otto"
    )
    done = alert | {"status": "completed"}
    assert (await officer.put(f"/Task/{alert['id']}", json=done)).status_code == 200


async def test_other_tasks_are_changed_as_before(clinician: httpx.AsyncClient) -> None:
    task = {"resourceType": "Task", "status": "requested", "intent": "order"}
    task |= {"for": reference("Patient/ada"), "description": "Code BTG on the door"}
    made = (await clinician.post("/Task", json=task)).json()
    done = made | {"status": "completed"}
    assert (await clinician.put(f"/Task/{made['id']}", json=done)).status_code == 200


async def test_nobody_takes_its_place_beforehand(dsn: str, record: httpx.AsyncClient) -> None:
    """Who may choose ids must not find out under which one the alert will be."""
    async with serving(dsn, update_as_create=True) as free:
        grace = await free.as_(
            "clinician", CLINIC, "user/*.cruds", user="grace", fhir_user="Practitioner/grace"
        )
        hour = f"{datetime.now(UTC):%Y-%m-%dT%H}"
        client, reason = f"client-clinician-{CLINIC}", WHY["X-Emergency-Reason"]
        same = ("ada", client, "Practitioner/grace", reason, hour)
        id_ = sha256("\n".join(same).encode()).hexdigest()[:32]
        task = {"resourceType": "Task", "id": id_, "status": "completed", "intent": "order"}
        made = await grace.put(f"/Task/{id_}", json=task | {"for": reference("Patient/ada")})
        assert made.status_code == 201
        assert (await grace.get("/Goal/sensitive", headers=WHY)).status_code == 200
        assert len(await alerts(record)) == 1
