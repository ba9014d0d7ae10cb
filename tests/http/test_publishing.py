"""app/publishing.py: what the server says of itself is stored, found, and kept as it is."""

import io
import json
import tarfile
from pathlib import Path

import httpx

from app.fhir.engine import Engine
from app.fhir.validation.structure import validate
from app.isp.definitions import complete
from app.loading import load
from app.main import OPERATIONS
from app.publishing import publish, published
from app.reading import find, read
from tests.http.conftest import Service, found, refused

ISP = "https://isp-fhir.example"
LOOKED_FOR = (
    ("StructureDefinition", {"url": f"{ISP}/StructureDefinition/isp-care-plan"}),
    ("StructureDefinition", {"base": f"{ISP}/StructureDefinition/isp-plan-part"}),
    ("ValueSet", {"name": "isp"}),
    ("CodeSystem", {"url": f"{ISP}/CodeSystem/isp"}),
    ("SearchParameter", {"base": "CarePlan", "code": "category"}),
    ("OperationDefinition", {"code": "isp-sign"}),
    ("OperationDefinition", {"code": "validate"}),
    ("CompartmentDefinition", {"code": "Patient"}),
    ("Measure", {"url": "https://isp-fhir.example/Measure/isp"}),
)


def engine(service: Service) -> Engine:
    chosen: Engine = service.app.state.engine
    return chosen


async def test_what_is_published_is_valid_and_found_by_search(
    service: Service, stranger: httpx.AsyncClient
) -> None:
    report = await publish(engine(service))
    assert report.refused == []
    for type_, asked in LOOKED_FOR:
        assert found(await stranger.get(f"/{type_}", params=asked)), (type_, asked)
    again = await publish(engine(service))
    assert again.to_json()["loaded"] == 0


async def test_every_operation_has_a_definition(service: Service) -> None:
    urls = {one["url"]: one for one in published(engine(service))}
    for operation in OPERATIONS.values():
        for url in (operation.definition, *dict(operation.also).values()):
            assert urls[url]["code"] == operation.name


async def test_every_definition_is_valid(service: Service) -> None:
    ids: set[tuple[str, str]] = set()
    for one in published(engine(service)):
        assert validate(one, one["resourceType"]) == [], one["url"]
        ids.add((one["resourceType"], one["id"]))
    assert len(ids) == len(list(published(engine(service))))


async def test_what_was_changed_is_put_right_by_the_next_start(
    service: Service, operator: httpx.AsyncClient
) -> None:
    await publish(engine(service))
    await operator.delete("/CompartmentDefinition/patient")
    report = await publish(engine(service))
    assert report.to_json()["types"] == {"CompartmentDefinition": 1}


async def test_nobody_puts_something_else_at_a_url_of_ours(
    service: Service, operator: httpx.AsyncClient, county: httpx.AsyncClient
) -> None:
    known = engine(service).definitions
    ours = complete(known[f"{ISP}/StructureDefinition/isp-goal"], known)
    said = refused(
        await operator.post("/StructureDefinition", json={**ours, "title": "Mine"}),
        422,
        "business-rule",
        "StructureDefinition.url",
    )
    assert "use a url of your own" in said
    mine = {**ours, "url": "https://county.example/goal", "id": "mine"}
    assert (await operator.post("/StructureDefinition", json=mine)).status_code == 201
    assert (await county.post("/StructureDefinition", json=mine)).status_code == 403


async def test_a_package_of_definitions_is_loaded(service: Service, tmp_path: Path) -> None:
    profile = {
        "resourceType": "StructureDefinition",
        "id": "short-goal",
        "url": "https://county.example/StructureDefinition/short-goal",
        "name": "ShortGoal",
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": "Goal",
        "baseDefinition": f"{ISP}/StructureDefinition/isp-goal",
        "derivation": "constraint",
        "differential": {"element": [{"id": "Goal.note", "path": "Goal.note", "max": "0"}]},
    }
    files = {
        "package/package.json": {"name": "county.plans"},
        "package/ImplementationGuide-x.json": {"resourceType": "ImplementationGuide"},
        "package/StructureDefinition-short-goal.json": profile,
        "package/example/Goal-x.json": {"resourceType": "Goal"},
    }
    with tarfile.open(tmp_path / "county.tgz", "w:gz") as packed:
        for name, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    chosen = engine(service)
    report = await load(chosen, read(find([tmp_path]), chosen.base_url, lambda size: None))
    assert report.to_json()["types"] == {"StructureDefinition": 1}
    client = await service.as_("provider-organization", "Organization/county")
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "I walk."},
        "subject": {"reference": "Patient/ada"},
        "note": [{"text": "Today."}],
    }
    answer = await client.post("/Goal/$validate", params={"profile": profile["url"]}, json=goal)
    said = [one["diagnostics"] for one in answer.json()["issue"] if one["severity"] == "error"]
    assert len(said) == 1
    assert said[0].startswith("note must not be there")
