"""What a consent names by its author, or by what refers to it: exactly that, while it is there."""

import httpx
import pytest

from tests.build import care_plan, consent, goal, practitioner, reference
from tests.http.conftest import Json, load
from tests.http.test_consent_conditions import PARTNER, partner, world

__all__ = ["partner", "world"]

GRACE, GUS, PLAIN = "Practitioner/grace", "Practitioner/gus", "Goal/plain"


@pytest.fixture
async def record(world: httpx.AsyncClient) -> httpx.AsyncClient:
    await load(world, practitioner("grace"), practitioner("gus"))
    return world


def denied(meaning: str, target: str) -> Json:
    paper = consent(PARTNER, "deny")
    paper["provision"]["data"] = [{"meaning": meaning, "reference": reference(target)}]
    return paper


def attested(who: str, target: str, id_: str = "told") -> Json:
    made: Json = {"resourceType": "Provenance", "id": id_, "recorded": "2026-01-01T00:00:00Z"}
    return made | {"target": [reference(target)], "agent": [{"who": reference(who)}]}


def observed(who: str, focus: str) -> Json:
    """An Observation by somebody, which refers to something."""
    made: Json = {"resourceType": "Observation", "id": "seen", "status": "final"}
    made |= {"subject": reference("Patient/ada"), "code": {"text": "Steps"}}
    return made | {"performer": [reference(who)], "focus": [reference(focus)]}


async def is_hidden(partner: httpx.AsyncClient) -> bool:
    status = (await partner.get(f"/{PLAIN}")).status_code
    assert status in (200, 404)
    return status == 404


async def test_an_author_is_who_a_provenance_of_the_very_resource_says(
    record: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    await load(record, denied("authoredby", GRACE), goal("other"))
    assert not await is_hidden(partner)
    await load(record, attested(GRACE, "Goal/other"), attested(GUS, PLAIN, "gus"))
    assert not await is_hidden(partner)
    await load(record, observed(GRACE, PLAIN))
    assert not await is_hidden(partner)
    await load(record, attested(GRACE, PLAIN))
    assert await is_hidden(partner)
    await record.delete("/Provenance/told")
    assert not await is_hidden(partner)


async def test_what_is_related_is_what_the_very_resource_refers_to(
    record: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    task: Json = {"resourceType": "Task", "id": "frame", "status": "requested", "intent": "plan"}
    task |= {"for": reference("Patient/ada"), "focus": reference(PLAIN)}
    frame, other = (care_plan(id_=id_) for id_ in ("frame", "other"))
    await load(record, goal("else"), frame, denied("related", "CarePlan/frame"))
    assert not await is_hidden(partner)
    await load(record, task, other | {"goal": [reference(PLAIN)]})
    assert not await is_hidden(partner)
    await load(record, frame | {"goal": [reference("Goal/else")]})
    assert not await is_hidden(partner)
    await load(record, frame | {"goal": [reference("Goal/else"), reference(PLAIN)]})
    assert await is_hidden(partner)
    await record.delete("/CarePlan/frame")
    assert not await is_hidden(partner)
