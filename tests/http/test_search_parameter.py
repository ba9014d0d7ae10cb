"""What operators register is searched by: at once for what is written, later for what was there."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.fhir.indexing import index, step
from app.fhir.registration import refresh
from app.fhir.registry import Registered, adopt
from app.fhir.search.parameters.keys import param
from app.jobs import indexing
from app.publishing import publish
from app.storage import registry as statements
from app.storage.database import Database
from tests.build import goal, patient, reference
from tests.http.conftest import COUNTY, Json, Service, change, create, found, load, refused, serving
from tests.http.test_redaction import eyes, plans

__all__ = ["eyes"]

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


US_CORE = "http://hl7.org/fhir/us/core/SearchParameter"


async def test_those_of_us_core_are_searched_by(
    service: Service, operator: httpx.AsyncClient, county: httpx.AsyncClient
) -> None:
    asserted = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
    race = parameter("race", f"Patient.extension.where(url = '{RACE}').extension.value.code")
    dated = parameter(
        "asserted-date",
        f"Condition.extension.where(url = '{asserted}').valueDateTime",
        "date",
        base=["Condition"],
        url=f"{US_CORE}/us-core-condition-asserted-date",
    )
    role = parameter("role", "CareTeam.participant.role", base=["CareTeam"])
    status = parameter("clinical-status", "Condition.clinicalStatus", base=["Condition"])
    status["derivedFrom"] = "http://hl7.org/fhir/SearchParameter/Condition-clinical-status"
    same = parameter("name", "Patient.name", "string", base=["Patient"])
    await load(operator, racial("ines"), patient("ada", COUNTY))
    need = {"resourceType": "Condition", "id": "need", "subject": reference("Patient/ines")}
    need["extension"] = [{"url": asserted, "valueDateTime": "2026-03-04"}]
    await load(operator, need)
    assert found(await operator.get("/Condition?asserted-date=2026-03")) == ["Condition/need"]
    await register(service, operator, race | {"base": ["Patient"]}, dated, role, status, same)
    assert found(await operator.get("/Patient?race=2028-9")) == ["Patient/ines"]
    assert found(await operator.get("/Patient?race:missing=true&active=true")) == ["Patient/ada"]
    assert found(await operator.get("/Condition?asserted-date=2026-03")) == ["Condition/need"]
    assert found(await operator.get("/Condition?asserted-date=gt2026-04")) == []
    assert found(await operator.get("/Condition?patient.race=2028-9")) == ["Condition/need"]
    assert {*(await told(operator))} == {"race"}


KINDS = [
    ("token", "Goal.target.detail", None),
    ("string", "Goal.note.text", "Goal?own=hard"),
    ("reference", "Goal.expressedBy", "Goal?own=Patient/ada"),
    ("date", "Goal.note.time", "Goal?own=2026-01"),
    ("quantity", "Goal.target.detail.ofType(Quantity)", "Goal?own=gt6"),
    ("number", "Goal.target.select(iif(detail.exists(), 5, 3))", "Goal?own=5"),
    ("uri", "Goal.instantiates", None),
    ("token", "Goal.note.exists()", "Goal?own=true"),
    ("token", "Goal.note.where(text.startsWith('hard')).author", None),
    ("string", "Goal.note.where(time > @2020).text.upper()", "Goal?own=HARD"),
]


@pytest.mark.parametrize("case", KINDS)
async def test_every_type_of_parameter_is_indexed(
    service: Service, operator: httpx.AsyncClient, ada: str, case: Any
) -> None:
    kind, expression, url = case
    note = {"text": "hard", "time": "2026-01-02T00:00:00Z", "authorString": "Ada"}
    target = {"measure": {"text": "walks"}, "detailQuantity": {"value": 7, "unit": "walk"}}
    one = goal("full", note=[note], target=[target], expressedBy=reference("Patient/ada"))
    bare = {key: value for key, value in goal("bare").items() if key != "target"}
    await load(operator, one, bare)
    await register(service, operator, parameter("own", expression, kind))
    if url is not None:
        assert "Goal/full" in found(await operator.get(url))
        assert "Goal/bare" not in found(await operator.get(url))
    assert (await operator.get("/Goal?own:missing=true")).status_code == 200


async def test_a_reference_that_is_plain_is_followed(
    service: Service, operator: httpx.AsyncClient, ada: str
) -> None:
    said = parameter("said-by", "Goal.expressedBy", "reference", target=["Patient"])
    await load(operator, goal("said", expressedBy=reference("Patient/ada")))
    await register(service, operator, said)
    assert found(await operator.get("/Goal?said-by.family=Ada")) == ["Goal/said"]
    assert found(await operator.get("/Patient?_has:Goal:said-by:_id=said")) == ["Patient/ada"]
    answer = await operator.get("/Goal?_id=said&_include=Goal:said-by")
    assert found(answer, "include") == ["Patient/ada"]


async def test_an_expression_that_fails_stops_nobody_and_is_counted(
    service: Service, operator: httpx.AsyncClient, ada: str
) -> None:
    await load(operator, goal("two", note=[{"text": "a"}, {"text": "b"}]))
    await register(service, operator, parameter("own", "Goal.note.text + '!'", "string"))
    assert (await told(operator))["own"]["failed"] == 1
    await load(operator, goal("three", note=[{"text": "a"}, {"text": "b"}, {"text": "c"}]))
    assert (await told(operator))["own"]["failed"] == 2
    assert found(await operator.get("/Goal?own=a")) == []


async def test_by_what_is_hidden_nothing_is_found(
    service: Service, operator: httpx.AsyncClient, eyes: Any
) -> None:
    county, partner = eyes
    doing = parameter("doing", "CarePlan.activity.detail.code", base=["CarePlan"])
    sly = parameter(
        "sly",
        "CarePlan.goal.where(reference = 'Goal/sober').exists()",
        base=["CarePlan"],
    )
    named = parameter("named", "CarePlan.goal.reference", "string", base=["CarePlan"])
    await register(service, operator, doing, sly, named)
    for url in ("doing=quitting", "doing=walking", "sly=true", "named=Goal/sober"):
        assert len(await plans(county, f"/CarePlan?{url}")) == 1, url
        answer = (await partner.get(f"/CarePlan?{url}")).json()
        assert "entry" not in answer, url
    assert (await partner.get("/CarePlan?_sort=named")).status_code == 400


async def test_an_interrupted_index_goes_on_where_it_was(
    service: Service, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, ada: str
) -> None:
    monkeypatch.setattr(statements, "RESOURCES", statements.RESOURCES.replace("200", "3"))
    await load(operator, *(goal(f"g{at}", description={"text": f"{at}"}) for at in range(8)))
    await load(operator, WORDS)
    engine = service.app.state.engine
    assert [await step(engine) for _ in range(3)] == [0, 3, 3]
    assert (await told(operator))["words"]["indexed"] == 6
    await load(operator, MEASURE)  # begins again, with both
    await index(engine)
    assert found(await operator.get("/Goal?words=7")) == ["Goal/g7"]
    assert len(found(await operator.get("/Goal?measure=walks"))) == 10


async def test_a_write_that_began_before_is_waited_for(
    service: Service, operator: httpx.AsyncClient, database: Database, ada: str
) -> None:
    engine = service.app.state.engine
    async with database.transaction() as connection:
        await connection.execute("UPDATE resource SET digest = digest WHERE id = 'ada-goal-1'")
        await load(operator, WORDS)
        work = asyncio.create_task(index(engine))
        await asyncio.sleep(0.3)
        assert not work.done()
        assert (await told(operator))["words"]["indexed"] == 0
    assert await work == 2


async def test_writers_and_the_index_lose_nothing_between_them(
    service: Service, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, ada: str
) -> None:
    monkeypatch.setattr(statements, "RESOURCES", statements.RESOURCES.replace("200", "5"))
    await load(operator, *(goal(f"g{at}", description={"text": "before"}) for at in range(40)))

    async def write(at: int) -> None:
        await load(operator, goal(f"g{at}", description={"text": f"after {at}"}))
        await load(operator, goal(f"n{at}", description={"text": f"new {at}"}))

    async def all_written() -> None:
        for at in range(0, 40, 2):
            await write(at)

    await load(operator, WORDS)
    await asyncio.gather(index(service.app.state.engine), all_written())
    for text, count in (("before", 20), ("after", 20), ("new", 20)):
        assert len(found(await operator.get(f"/Goal?words={text}&_count=100"))) == count, text


STEPS = """
import asyncio, sys
from app.fhir.indexing import step
from app.main import create_app
from app.settings import Settings
from app.storage import registry

registry.RESOURCES = registry.RESOURCES.replace("LIMIT 200", "LIMIT 3")

async def main():
    app = create_app(Settings(database_url=sys.argv[1]))
    async with app.router.lifespan_context(app):
        while await step(app.state.engine) is not None:
            print("stepped", flush=True)
            await asyncio.sleep(0.2)

asyncio.run(main())
"""


async def test_an_index_survives_the_kill_of_who_was_at_it(
    service: Service, operator: httpx.AsyncClient, dsn: str
) -> None:
    await load(operator, patient("ada", None))
    await load(operator, *(goal(f"g{at:02}", description={"text": f"{at}"}) for at in range(12)))
    await load(operator, WORDS)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STEPS, dsn, stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdout is not None
    for _ in range(3):
        await worker.stdout.readline()
    worker.kill()
    await worker.wait()
    reached = (await told(operator))["words"]["indexed"]
    assert 0 < reached < 12
    assert await index(service.app.state.engine) == 12 - reached
    assert len(found(await operator.get("/Goal?words:missing=false&_count=50"))) == 12


async def test_a_worker_notices_by_itself(
    service: Service, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, ada: str
) -> None:
    """Nobody asks by the new parameter, so nothing but the job can have noticed it."""
    monkeypatch.setattr(indexing, "EVERY", 0.01)
    keeping = asyncio.create_task(indexing.keep(service.settings, service.app.state.engine))
    await load(operator, WORDS)
    async with asyncio.timeout(20):
        while "words" not in (await operator.get("/metadata")).text:
            await asyncio.sleep(0.02)
    keeping.cancel()
    assert len(found(await operator.get("/Goal?words=I walk"))) == 2


async def test_a_restart_publishes_none_of_it_again(
    service: Service, operator: httpx.AsyncClient, dsn: str, ada: str
) -> None:
    await register(service, operator, WORDS)
    adopt(Registered())
    async with serving(dsn) as again:
        assert (await publish(again.app.state.engine)).refused == []
        client = await again.as_("operator")
        assert len(found(await client.get("/Goal?words=I walk"))) == 2
        assert found(await client.get("/SearchParameter?code=words")) == [
            "SearchParameter/own-words"
        ]
