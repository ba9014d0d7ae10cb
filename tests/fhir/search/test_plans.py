"""The plan of every search of daily work leads through an index, whatever the tables hold."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import pytest

from app.fhir.search.compile import compile_search
from app.storage.database import Database
from tests.build import concept, plan, reference
from tests.conftest import CLEAN
from tests.fhir.search.conftest import ALL, BASE, Shelf, asked

PERSONS, COPIES = 100, 30
LARGE = frozenset(
    {
        "resource",
        *("index_reference", "index_date", "index_string", "index_number", "index_composite"),
    }
)

COPY = {
    "resource": """
        INSERT INTO resource SELECT r.rid + c * 1000000, type, id || '-' || c, version,
          last_updated - c * interval '1 day', deleted, patient || '-' || c, patients, keys, digest,
          confidentiality, labels, seals, traits, lo, hi, body FROM resource r""",
    "index_reference": """
        INSERT INTO index_reference (rid, param, target)
        SELECT rid + c * 1000000, param, target || '-' || c FROM index_reference""",
    "index_date": """
        INSERT INTO index_date SELECT rid + c * 1000000, param, lo - c * interval '1 day',
          hi - c * interval '1 day', is_least, is_greatest FROM index_date""",
    "index_string": """
        INSERT INTO index_string SELECT rid + c * 1000000, param, folded || c, exact || c,
          is_least, is_greatest FROM index_string""",
    "index_composite": """
        INSERT INTO index_composite (rid, param, tokens, lo, hi, units)
        SELECT rid + c * 1000000, param, tokens, lo + c, hi + c, units FROM index_composite""",
    "index_number": """
        INSERT INTO index_number SELECT rid + c * 1000000, param, lo + c, hi + c, units,
          is_least, is_greatest FROM index_number""",
}

HOT = [
    "CarePlan?patient=p7&status=active&_include=CarePlan:goal&_include=CarePlan:care-team",
    "CarePlan?patient=Patient/p7&_sort=-date",
    "Goal?patient=p7&lifecycle-status=active",
    "Goal?patient=p7&_sort=-start-date",
    "Goal?_sort=-start-date&_count=20",
    "Patient?_sort=family&_count=20",
    "Goal?_count=20",
    "Goal?_lastUpdated=gt2025-01-01&_count=20",
    "Goal?start-date=ge2026&_count=20",
    "Patient?_id=p7",
    "Patient?identifier=urn:mrn|7",
    "Patient?name=p7",
    "Patient?family:exact=P7",
    "Patient?_id=p7&_revinclude=Goal:patient&_revinclude=CarePlan:subject",
    "Patient?_id=p7&_revinclude=*",
    "Goal?patient.identifier=urn:mrn|7",
    "Goal?patient:Patient.family:exact=P7",
    "Patient?_has:Observation:patient:code=urn:loinc|rare",
    "Observation?patient=p7&code-value-quantity=urn:loinc|weight$gt70",
    "Observation?code-value-quantity=urn:loinc|rare$gt70",
    "Observation?patient=p7&_filter=code eq urn:loinc|weight and value-quantity gt 70",
    "CarePlan?goal=Goal/p7-goal-1",
    "CarePlan?_has:List:item:_id=l1",
    "Goal?_list=l1",
    "Patient/p7/Goal",
    "Patient/p7/Observation?code=urn:loinc|weight",
    "Goal?patient=p7&_total=accurate",
    "CareTeam?participant=Patient/p7",
]


def person(number: int) -> list[dict[str, Any]]:
    """What belongs to p<number>."""
    id_ = f"p{number}"
    head, *rest = plan(person=id_)
    head["identifier"] = [{"system": "urn:mrn", "value": str(number)}]
    weight = {"resourceType": "Observation", "id": f"{id_}-weight", "status": "final"}
    code = concept("urn:loinc", "rare" if number == 7 else "weight")
    amount = {"value": 60 + number % 30, "unit": "kg"}
    weight |= {"code": code, "subject": reference(f"Patient/{id_}"), "valueQuantity": amount}
    return [head, *rest, weight]


@pytest.fixture(scope="module")
async def filled(pool: Database) -> AsyncIterator[Database]:
    """Some 20,000 resources, of which those of p0 … are as written and the others copies."""
    await pool.execute(CLEAN)
    shelf = Shelf(pool)
    await shelf.put(*(each for number in range(PERSONS) for each in person(number)))
    for statement in COPY.values():
        await pool.execute(f"{statement}, generate_series(1, {COPIES}) AS c")
    await pool.execute("UPDATE resource SET keys = keys[2:] WHERE id LIKE 'p7-weight-%'")
    for table in LARGE:
        await pool.execute(f"VACUUM ANALYZE {table}")
    yield pool
    await pool.execute(CLEAN)


def nodes(plan_: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan_
    for child in plan_.get("Plans", ()):
        yield from nodes(child)


@pytest.mark.parametrize("url", HOT)
async def test_no_table_is_read_whole(filled: Database, url: str) -> None:
    statement = compile_search(asked(url), ALL, BASE)
    sql, *values = statement.complete
    text = await filled.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values)
    found = list(nodes(orjson.loads(text)[0]["Plan"]))
    whole = {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"}
    assert whole & LARGE == set()
    assert any("Index Name" in node for node in found)


async def test_a_table_that_is_read_whole_would_be_seen(filled: Database) -> None:
    text = await filled.fetchval("EXPLAIN (FORMAT JSON) SELECT FROM resource WHERE body = ''")
    found = nodes(orjson.loads(text)[0]["Plan"])
    assert any(node["Node Type"] == "Seq Scan" for node in found)
