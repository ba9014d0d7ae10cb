"""app/reading.py and app/loading.py: files become resources, and every refusal has its reason."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from app.fhir.engine import Engine
from app.loading import BATCH, Report, load
from app.reading import find, read
from app.storage.database import Database


async def load_files(engine: Engine, *paths: Path) -> Report:
    return await load(engine, read(find(paths), engine.base_url, lambda size: None))


def organization(id_: str | None = None, **elements: Any) -> dict[str, Any]:
    given = {"id": id_} if id_ else {}
    return {"resourceType": "Organization", **given, "name": "Wren", **elements}


async def ids(database: Database) -> list[str]:
    rows = await database.fetch("SELECT id FROM resource ORDER BY id")
    return [row["id"] for row in rows]


async def test_a_folder_is_read_whatever_is_in_it(
    engine: Engine, database: Database, tmp_path: Path
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "one.json").write_text(json.dumps(organization("one")))
    (tmp_path / "deep" / "two.json.gz").write_bytes(
        gzip.compress(json.dumps(organization("two")).encode())
    )
    lines = "\n".join(json.dumps(organization(f"line-{n}")) for n in range(3))
    (tmp_path / "many.ndjson").write_text(f"{lines}\n\n")
    (tmp_path / "more.ndjson.gz").write_bytes(
        gzip.compress(json.dumps(organization("zipped")).encode())
    )
    (tmp_path / "notes.txt").write_text("not read")
    report = await load_files(engine, tmp_path)
    assert report.refused == []
    assert await ids(database) == ["line-0", "line-1", "line-2", "one", "two", "zipped"]
    assert report.to_json()["outcomes"] == {"created": 6}


async def test_what_is_loaded_again_unchanged_stays_at_its_version(
    engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(organization("one")))
    await load_files(engine, file)
    assert (await load_files(engine, file)).outcomes == {"unchanged": 1}
    file.write_text(json.dumps(organization("one", active=True)))
    assert (await load_files(engine, file)).outcomes == {"updated": 1}


async def test_every_refusal_says_where_what_and_why(
    engine: Engine, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "many.ndjson"
    good, wrong = organization("good"), organization("wrong", color="red")
    nowhere = {"resourceType": "Dragon", "id": "d"}
    texts = [json.dumps(one) for one in (good, wrong, nowhere)]
    file.write_text("\n".join([*texts, '{"resourceType":', "[]"]))
    report = await load_files(engine, file)
    assert await ids(database) == ["good"]
    said = [(one["source"], one["resource"], one["issues"][0]["code"]) for one in report.refused]
    assert said == [
        (f"{file}:2", "Organization/wrong", "structure"),
        (f"{file}:3", "Dragon/d", "not-supported"),
        (f"{file}:4", None, "structure"),
        (f"{file}:5", None, "invalid"),
    ]
    assert report.refused[0]["issues"][0]["expression"] == ["Organization.color"]


async def test_the_entries_of_a_bundle_find_each_other(
    engine: Engine, database: Database, tmp_path: Path
) -> None:
    place = {
        "resourceType": "Location",
        "name": "Clinic",
        "managingOrganization": {"reference": "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"},
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": "urn:uuid:3b241101-e2bb-4255-8caf-4136c566a962", "resource": place},
            {
                "fullUrl": "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427",
                "resource": organization(),
            },
        ],
    }
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    report = await load_files(engine, tmp_path)
    assert (report.refused, dict(report.missing)) == ([], {})
    body = await database.fetchval("SELECT body FROM resource WHERE type = 'Location'")
    target = await database.fetchval("SELECT id FROM resource WHERE type = 'Organization'")
    assert json.loads(body)["managingOrganization"]["reference"] == f"Organization/{target}"


async def test_references_to_nothing_warn(engine: Engine, tmp_path: Path) -> None:
    part = {"partOf": {"reference": "Organization/later"}}
    resources = [organization("early", **part)]
    resources += [organization(f"filler-{n}") for n in range(BATCH)]
    resources += [organization("later", partOf={"reference": "Organization/never"})]
    file = tmp_path / "many.ndjson"
    file.write_text("\n".join(map(json.dumps, resources)))
    report = await load_files(engine, file)
    assert report.refused == []
    assert dict(report.missing) == {"Organization/never": 1}


async def test_two_versions_of_one_resource_in_one_batch_both_count(
    engine: Engine, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "many.ndjson"
    both = [organization("one"), organization("one", active=True)]
    file.write_text("\n".join(map(json.dumps, both)))
    assert (await load_files(engine, file)).outcomes == {"created": 1, "updated": 1}
    assert await database.fetchval("SELECT version FROM resource") == 2


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        find([tmp_path / "nothing"])


async def test_a_resource_that_comes_twice_ends_a_batch_and_nothing_else(
    engine: Engine, database: Database, tmp_path: Path
) -> None:
    names = ["a", "b", "a", "c"]
    lines = [json.dumps(organization(id_, alias=[str(at)])) for at, id_ in enumerate(names)]
    (tmp_path / "twice.ndjson").write_text("\n".join(lines))
    report = await load_files(engine, tmp_path)
    assert report.to_json()["outcomes"] == {"created": 3, "updated": 1}
    rows = await database.fetch("SELECT xmin::text AS made FROM resource_version ORDER BY rid")
    assert len({row["made"] for row in rows}) == 2


def plan_in_force() -> dict[str, Any]:
    code = {
        "system": "https://isp-fhir.example/CodeSystem/isp",
        "code": "individualized-service-plan",
    }
    plan: dict[str, Any] = {"resourceType": "CarePlan", "id": "theirs", "status": "active"}
    plan |= {"intent": "plan", "category": [{"coding": [code]}]}
    return plan | {"subject": {"reference": "Patient/theirs"}}


async def test_a_plan_in_force_elsewhere_is_taken_as_it_was_when_the_operator_says_so(
    engine: Engine, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "plans.ndjson"
    person = {"resourceType": "Patient", "id": "theirs"}
    file.write_text("\n".join(json.dumps(one) for one in (person, plan_in_force())))
    [refused] = (await load_files(engine, file)).refused
    assert refused["resource"] == "CarePlan/theirs"
    assert {issue["diagnostics"][:3] for issue in refused["issues"]} == {"C30", "C24", "C54"}
    items = read([file], engine.base_url, lambda size: None)
    assert (await load(engine, items, is_as_recorded=True)).refused == []
    assert await ids(database) == ["theirs", "theirs"]
