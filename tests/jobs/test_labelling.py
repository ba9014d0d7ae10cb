"""app/jobs/labelling.py: rules that changed are asked again about all that is stored."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from app.fhir.context import Resource
from app.fhir.engine import Engine
from app.fhir.marks import Marks
from app.jobs import labelling
from app.storage.alone import alone
from app.storage.database import Database
from tests.build import HL7, care_team, condition, goal, organization, patient
from tests.http.conftest import COUNTY, PARTNER, Service, load, serving

ABUSE = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F10.20"}]}
FORGET = "UPDATE resource SET confidentiality = 3, labels = NULL WHERE id = 'ada-need'"
STANDING = "SELECT after_rid, done IS NOT NULL AS is_done FROM labelling"


@pytest.fixture
async def service(dsn: str, database: Database) -> AsyncIterator[Service]:
    async with serving(dsn) as running:
        operator = await running.as_()
        people = [organization("county"), organization("partner"), patient("ada", COUNTY)]
        await load(operator, *people, care_team(PARTNER), condition(code=ABUSE))
        yield running


async def test_what_was_stored_under_other_rules_gets_the_labels_of_these(
    service: Service, database: Database
) -> None:
    partner = await service.as_("partner-system", PARTNER)
    await database.execute(FORGET)
    assert (await partner.get("/Condition/ada-need")).status_code == 200
    assert await labelling.relabel(service.app.state.engine, labelling.digest()) == 1
    for url in ("/Condition/ada-need", "/Condition/ada-need/_history/1"):
        assert (await partner.get(url)).status_code == 404, url


async def test_rules_are_asked_once_until_they_change(service: Service, database: Database) -> None:
    engine, operator = service.app.state.engine, await service.as_()
    await load(operator, goal("gone"))
    assert (await operator.delete("/Goal/gone")).status_code == 204
    assert await labelling.relabel(engine, "some rules") == 0
    await database.execute(FORGET)
    assert await labelling.relabel(engine, "some rules") == 0
    assert await labelling.relabel(engine, "other rules") == 1


async def test_no_label_is_lowered_or_taken_away(service: Service, database: Database) -> None:
    """Rules that know no sensitive code add nothing, and leave what is there."""
    meta = {"security": [{"system": f"{HL7}/v3-ActCode", "code": "HIV"}]}
    await load(await service.as_(), goal("ada-goal", meta=meta))
    told = "SELECT id, confidentiality, labels, seals FROM resource ORDER BY rid"
    before = await database.fetch(told)
    assert {"HIV", "ETH"} & {label for row in before for label in row["labels"] or ()}
    lax = replace(service.app.state.engine, mark=lambda _resource, _base: Marks(0))
    assert await labelling.relabel(lax, "lax") == 0
    assert await database.fetch(told) == before


async def test_what_other_rules_were_asked_these_are_asked_all_the_same(
    service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an older program is not through yet, a newer one is done."""
    monkeypatch.setattr(labelling, "BATCH", 1)
    engine: Engine = service.app.state.engine

    def failing(resource: Resource, base_url: str) -> Marks:
        if resource["resourceType"] == "Condition":
            raise ConnectionResetError
        return engine.mark(resource, base_url)

    with pytest.raises(ConnectionResetError):
        await labelling.relabel(replace(engine, mark=failing), "older")
    asked: list[Any] = []

    def noting(resource: Resource, base_url: str) -> Marks:
        asked.append(resource["id"])
        return engine.mark(resource, base_url)

    assert await labelling.relabel(replace(engine, mark=noting), "newer") == 0
    assert sorted(asked) == ["ada", "ada-need", "ada-team", "county", "partner"]
    await database.execute(FORGET)
    assert await labelling.relabel(engine, "older") == 1


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        (Marks(4), (4, None, None)),
        (Marks(0, labels=("HIV",)), (3, ["HIV"], None)),
        (Marks(0, seals=("42CFRPart2",)), (3, None, ["42CFRPart2"])),
    ],
    ids=["level", "label", "seal"],
)
async def test_whatever_rules_add_is_added_there_and_nowhere_else(
    service: Service, database: Database, marks: Marks, expected: tuple[Any, ...]
) -> None:
    await load(await service.as_(), goal("ada-goal"))
    told = "SELECT id, confidentiality, labels, seals FROM resource ORDER BY rid"
    before = {row["id"]: tuple(row)[1:] for row in await database.fetch(told)}

    def strict(resource: Resource, _base: str) -> Marks:
        return marks if resource["id"] == "ada-goal" else Marks(0)

    assert await labelling.relabel(replace(service.app.state.engine, mark=strict), "strict") == 1
    after = {row["id"]: tuple(row)[1:] for row in await database.fetch(told)}
    assert after == before | {"ada-goal": expected}


async def test_one_process_does_it_when_no_other_does(
    service: Service, database: Database, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.execute(FORGET)
    pauses: list[float] = []
    async with AsyncExitStack() as other:
        await other.enter_async_context(alone(dsn, labelling.LOCK))

        async def passing(seconds: float) -> None:
            pauses.append(seconds)
            assert len(pauses) < 100
            if len(pauses) == 2:
                assert await database.fetch(STANDING) == []
                await other.aclose()

        monkeypatch.setattr(labelling, "asyncio", SimpleNamespace(sleep=passing))
        await labelling.keep(service.settings, service.app.state.engine)
    assert len(pauses) >= 2
    partner = await service.as_("partner-system", PARTNER)
    assert (await partner.get("/Condition/ada-need")).status_code == 404


async def test_it_goes_on_where_it_was_interrupted(
    service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelling, "BATCH", 1)
    await database.execute(FORGET)
    engine: Engine = service.app.state.engine
    asked: list[str] = []

    def failing(resource: Resource, base_url: str) -> Marks:
        if resource["resourceType"] == "Condition":
            raise ConnectionResetError
        return noting(resource, base_url)

    def noting(resource: Resource, base_url: str) -> Marks:
        asked.append(f"{resource['resourceType']}/{resource['id']}")
        return engine.mark(resource, base_url)

    with pytest.raises(ConnectionResetError):
        await labelling.relabel(replace(engine, mark=failing), "rules")
    [standing] = await database.fetch(STANDING)
    assert not standing["is_done"]
    before: list[Any] = [*asked]
    assert await labelling.relabel(replace(engine, mark=noting), "rules") == 1
    assert "Condition/ada-need" in asked
    assert len(asked) == len({*asked}), "what was done is done again"
    assert asked[: len(before)] == before
    assert (await database.fetchrow(STANDING))["is_done"]
