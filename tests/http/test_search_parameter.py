"""What operators register is searched by: at once for what is written, later for what was there."""

import httpx
import pytest

from app.fhir.indexing import index
from app.fhir.registration import refresh
from app.fhir.registry import Registered, adopt
from app.fhir.search.parameters.keys import param
from app.storage.database import Database
from tests.build import goal
from tests.http.conftest import Json, Service, change, create, found, load, refused
from tests.http.registering import WORDS, forgotten, register, told

__all__ = ["forgotten"]


async def test_what_was_there_before_is_found_once_it_is_indexed(
    service: Service, operator: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, WORDS)
    said = refused(await operator.get("/Goal?words=I walk"), 400, "not-supported", "words")
    assert "being indexed" in said
    assert (await told(operator))["words"]["state"] == "indexing"
    await index(service.app.state.engine)
    assert set(found(await operator.get("/Goal?words=I walk"))) == {
        "Goal/ada-goal-1",
        "Goal/ada-goal-2",
    }
    assert found(await operator.get("/Goal?words:contains=sober")) == []
    assert (await told(operator))["words"] | {"done": ""} == {
        "base": "Goal",
        "code": "words",
        "state": "ready",
        "indexed": 2,
        "failed": 0,
        "definition": WORDS["url"],
        "done": "",
    }


async def test_it_is_advertised_when_it_can_be_searched_by(
    service: Service, operator: httpx.AsyncClient
) -> None:
    async def advertised() -> list[Json]:
        await refresh(service.app.state.engine.database)
        [rest] = (await operator.get("/metadata")).json()["rest"]
        [goals] = [one for one in rest["resource"] if one["type"] == "Goal"]
        return [one for one in goals["searchParam"] if one["name"] == "words"]

    await load(operator, WORDS)
    assert await advertised() == []
    await index(service.app.state.engine)
    assert await advertised() == [{"name": "words", "definition": WORDS["url"], "type": "string"}]


async def test_what_is_written_meanwhile_is_found_too(
    service: Service, operator: httpx.AsyncClient, ada: str
) -> None:
    engine = service.app.state.engine
    await load(operator, WORDS)
    await load(operator, goal("a-new-one", description={"text": "I cook"}))
    old = (await operator.get("/Goal/ada-goal-1")).json()
    await change(operator, old, description={"text": "I swim"})
    await index(engine)
    assert found(await operator.get("/Goal?words=I cook")) == ["Goal/a-new-one"]
    assert found(await operator.get("/Goal?words=I swim")) == ["Goal/ada-goal-1"]
    assert found(await operator.get("/Goal?words=I walk")) == ["Goal/ada-goal-2"]


async def test_a_worker_that_has_not_noticed_still_writes_what_is_registered(
    service: Service, operator: httpx.AsyncClient, ada: str
) -> None:
    await register(service, operator, WORDS)
    adopt(Registered())
    await create(operator, goal(description={"text": "I paint"}))
    assert len(found(await operator.get("/Goal?words=I paint"))) == 1


async def test_it_changes_and_goes_with_its_definition(
    service: Service, operator: httpx.AsyncClient, database: Database, ada: str
) -> None:
    await register(service, operator, WORDS)
    stored = (await operator.get("/SearchParameter/own-words")).json()
    stored = await change(operator, stored, expression="Goal.target.measure.text")
    await index(service.app.state.engine)
    assert found(await operator.get("/Goal?words=I walk")) == []
    assert len(found(await operator.get("/Goal?words=Walks in"))) == 2
    await change(operator, stored, status="retired")
    await index(service.app.state.engine)
    refused(await operator.get("/Goal?words=Walks"), 400, "invalid", "words")
    left = "SELECT count(*) FROM index_string WHERE param = $1"
    assert await database.fetchval(left, param("Goal", "words")) == 0
    assert await told(operator) == {}


@pytest.mark.parametrize("status", ["draft", "retired", "unknown"])
async def test_only_an_active_one_counts(
    service: Service, operator: httpx.AsyncClient, status: str
) -> None:
    await register(service, operator, WORDS | {"status": status, "expression": "no( FHIRPath"})
    refused(await operator.get("/Goal?words=I"), 400, "invalid", "words")


@pytest.mark.parametrize(
    ("changes", "expression"),
    [
        ({"base": ["Immunization"]}, "SearchParameter.base"),
        ({"base": ["AuditEvent"]}, "SearchParameter.base"),
        ({"code": "lifecycle-status"}, "SearchParameter.code"),
        ({"code": "patient", "base": ["Location"]}, "SearchParameter.code"),
        ({"code": "_mine"}, "SearchParameter.code"),
        ({"type": "special"}, "SearchParameter.type"),
        ({"expression": "Goal.("}, "SearchParameter.expression"),
        ({"expression": "Goal.note.where(text='a'"}, "SearchParameter.expression"),
        ({"expression": "Goal note"}, "SearchParameter.expression"),
        ({"expression": "Goal.descendants()"}, "SearchParameter.expression"),
        ({"expression": "Goal.description.text.matches('(a+)+')"}, "SearchParameter.expression"),
        ({"expression": "now()"}, "SearchParameter.expression"),
        ({"expression": "Goal.note | " * 200 + "Goal.note"}, "SearchParameter.expression"),
        ({"url": "http://hl7.org/fhir/SearchParameter/mine"}, "SearchParameter.url"),
    ],
)
async def test_what_cannot_be_searched_by_is_refused(
    operator: httpx.AsyncClient, changes: Json, expression: str
) -> None:
    response = await operator.post("/SearchParameter", json=WORDS | changes)
    assert response.status_code == 422, response.text
    assert response.json()["issue"][0]["expression"] == [expression]


async def test_no_two_have_one_code(service: Service, operator: httpx.AsyncClient) -> None:
    await load(operator, WORDS)
    other = WORDS | {"id": "other", "url": "https://example.org/SearchParameter/other"}
    response = await operator.post("/SearchParameter", json=other)
    refused(response, 422, "business-rule", "SearchParameter.code")


async def test_only_who_keeps_the_directory_registers(county: httpx.AsyncClient) -> None:
    assert (await county.post("/SearchParameter", json=WORDS)).status_code == 403
    assert (await county.get("/SearchParameter/$reindex-status")).status_code == 403
