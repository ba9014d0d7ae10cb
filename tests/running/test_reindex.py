"""app/fhir/reindex.py: what follows from a resource can be derived again at any time."""

from dataclasses import replace

from app.fhir.engine import Engine
from app.fhir.registry import Registered, adopt
from app.fhir.reindex import reindex
from app.loading import load
from app.reading import Item
from app.storage.database import Database
from app.storage.versions import DERIVED
from app.welcome import demonstrate

OWN = {
    "resourceType": "SearchParameter",
    "id": "own",
    "url": "https://example.org/SearchParameter/own",
    "name": "Own",
    "status": "active",
    "description": "The words of a goal",
    "code": "own-words",
    "base": ["Goal"],
    "type": "string",
    "expression": "Goal.description.text",
}


async def derived(database: Database) -> dict[str, list[str]]:
    heads = "SELECT rid, patient, patients, keys, digest FROM resource"
    versions = (
        "SELECT rid, v.patient, v.patients FROM resource JOIN resource_version AS v"
        " USING (rid, version)"
    )
    found = {
        "resource": [str(row) for row in await database.fetch(heads)],
        "resource_version": [str(row) for row in await database.fetch(versions)],
    }
    for table, columns in DERIVED.items():
        names = ", ".join(("rid", *(name for name, _ in columns)))
        found[table] = [str(row) for row in await database.fetch(f"SELECT {names} FROM {table}")]
    return {name: sorted(rows) for name, rows in found.items()}


async def test_reindexing_brings_back_what_was_lost(engine: Engine, database: Database) -> None:
    assert (await demonstrate(engine)).refused == []
    assert (await load(engine, [Item("own", 1, OWN, is_update=True)])).refused == []
    before = await derived(database)
    lost = "patient = NULL, patients = NULL"
    await database.execute(f"UPDATE resource SET keys = '{{}}', digest = 0, {lost}")
    await database.execute(f"UPDATE resource_version SET {lost}")
    for table in DERIVED:
        await database.execute(f"DELETE FROM {table}")
    count = await database.fetchval("SELECT count(*) FROM resource")
    adopt(Registered())  # as a process that has not noticed what is registered
    assert await reindex(replace(engine, database=database)) == count
    assert await derived(database) == before
    assert all(before.values())
    adopt(Registered())
