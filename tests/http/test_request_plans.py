"""What a request reads, it reads along an index: whoever asks, and however much there is."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from app.storage.database import Database
from app.storage.versions import DERIVED
from tests.build import HL7, condition, consent, organization
from tests.conftest import CLEAN
from tests.fhir.search.test_plans import COPY, LARGE, nodes, person
from tests.http.conftest import COUNTY, PARTNER, Service, load, record, serving

PERSONS, COPIES = 40, 60
WHOLE = LARGE | {"resource_version", "relationship"}
"""The tables that grow with the people served."""

VERSIONS = """
INSERT INTO resource_version SELECT rid + c * 1000000, version, type,
  last_updated - c * interval '1 day', method, patient || '-' || c, patients, confidentiality,
  labels, seals, body, pointers FROM resource_version, generate_series(1, {copies}) AS c"""

WHO = {
    "operator": ("operator", None),
    "keeper": ("provider-organization", COUNTY),
    "member": ("partner-system", PARTNER),
    "permitted": ("partner-system", "Organization/school"),
}
"""Who sees everything, who keeps 2,440 records, who supports 60 people, whom a Consent permits."""

HOT = {
    "read": "/CarePlan/p7-plan",
    "vread": "/CarePlan/p7-plan/_history/1",
    "plan pull": "/CarePlan?patient=p7&status=active&_include=CarePlan:goal"
    "&_include=CarePlan:care-team",
    "token": "/Goal?patient=p7&lifecycle-status=active",
    "token of all": "/Patient?identifier=urn:mrn|7",
    "reference": "/CarePlan?goal=Goal/p7-goal-1",
    "date sort": "/CarePlan?patient=p7&_sort=-date",
    "date sort of all": "/Goal?_sort=-start-date&_count=20",
    "string prefix": "/Patient?name=P7",
    "chain": "/Goal?patient.identifier=urn:mrn|7",
    "_has": "/Patient?_has:Observation:patient:code=urn:loinc|rare",
    "_include:iterate": "/Goal?_id=p7-goal-1&_revinclude=CarePlan:goal"
    "&_include:iterate=CarePlan:care-team",
    "history": "/CarePlan/p7-plan/_history",
    "history since": "/Goal/_history?_since=2090-01-01T00:00:00Z&_count=20",
    "history of a type": "/Goal/_history?_count=20",
    "history of all": "/_history?_count=20",
    "count": "/Goal?patient=p7&_count=0",
    "compartment": "/Patient/p7/Goal",
    "compartment of all": "/Patient/p7/*?_count=20",
    "$everything": "/Patient/p7/$everything",
}
MIXED = ("read", "vread", "plan pull", "token", "date sort", "history", "compartment")
"""What differs from one caller to the next by a value alone."""

Sent = tuple[str, tuple[Any, ...]]
"""A statement and its values."""


@pytest.fixture(scope="module")
async def filled(dsn: str, pool: Database) -> AsyncIterator[Service]:
    """Some 17,000 resources; whoever may see p7 may see the copies of p7 too."""
    await pool.execute(CLEAN)
    async with serving(dsn) as running:
        operator = await running.as_("operator")
        await load(operator, *(organization(name) for name in ("county", "partner", "school")))
        for number in range(PERSONS):
            members = [PARTNER] if number == 7 else []
            await record(running, *_person(number, members))
        permit = consent("Organization/school", patient="Patient/p7", id_="p7-consent")
        hidden = condition("p7-secret", "Patient/p7")
        hidden["meta"] = {"security": [{"system": f"{HL7}/v3-ActCode", "code": "SUD"}]}
        await record(running, permit, hidden)
        await _copied(pool)
        yield running
    await pool.execute(CLEAN)


def _person(number: int, members: list[str]) -> list[dict[str, Any]]:
    made = person(number)
    for one in made:
        if one["resourceType"] == "Patient":
            one["managingOrganization"] = {"reference": COUNTY}
        if one["resourceType"] == "CareTeam":
            one["participant"] += [{"member": {"reference": each}} for each in members]
    return made


async def _copied(pool: Database) -> None:
    for statement in COPY.values():
        await pool.execute(f"{statement}, generate_series(1, {COPIES}) AS c")
    await pool.execute(VERSIONS.format(copies=COPIES))
    for table in ("relationship", "consent_rule"):
        names = [name for name, _ in DERIVED[table]]
        chosen = ", ".join("patient || '-' || c" if name == "patient" else name for name in names)
        await pool.execute(
            f"INSERT INTO {table} (rid, {', '.join(names)}) SELECT rid + c * 1000000, {chosen}"
            f" FROM {table}, generate_series(1, {COPIES}) AS c"
        )
    await pool.execute("UPDATE resource SET keys = keys[2:] WHERE id LIKE 'p7-weight-%'")
    for table in WHOLE:
        await pool.execute(f"VACUUM ANALYZE {table}")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """Every statement that reads, with its values, as it was sent while a test runs."""
    found: list[Sent] = []

    def watch(owner: type, name: str) -> None:
        original = getattr(owner, name)

        async def noted(self: Any, sql: str, *args: Any, **options: Any) -> Any:
            if sql.lstrip().startswith(("SELECT", "WITH")) and "INSERT" not in sql:
                found.append((sql, args))
            return await original(self, sql, *args, **options)

        monkeypatch.setattr(owner, name, noted)

    for name in ("fetch", "fetchrow", "fetchval"):
        watch(asyncpg.Connection, name)
    return found


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The statements that were planned for the values they had."""
    found: set[str] = set()
    original = Database.search

    async def noted(self: Database, sql: str, *args: Any) -> Any:
        found.add(sql)
        return await original(self, sql, *args)

    monkeypatch.setattr(Database, "search", noted)
    return found


async def _whole(pool: Database, sql: str, args: tuple[Any, ...], kind: str) -> set[str]:
    """The tables that a statement reads from the first row to the last."""
    text = await pool.fetchval(f"EXPLAIN ({kind}, FORMAT JSON) {sql}", *args)
    every = nodes(orjson.loads(text)[0]["Plan"])
    return {node["Relation Name"] for node in every if node["Node Type"] == "Seq Scan"} & WHOLE


CASES = [(what, who) for what in HOT for who in WHO]


@pytest.mark.parametrize("case", CASES, ids=" by ".join)
async def test_no_table_is_read_whole(
    filled: Service, asked: list[Sent], searched: set[str], case: tuple[str, str]
) -> None:
    what, who = case
    client: httpx.AsyncClient = await filled.as_(*WHO[who])
    asked.clear()
    response = await client.get(HOT[what])
    assert response.status_code == 200, response.text
    sent = [(sql, args) for sql, args in asked if "resource" in sql]
    assert sent
    for sql, args in sent:
        kind = "GENERIC_PLAN false" if sql in searched else "GENERIC_PLAN"
        assert await _whole(filled.app.state.engine.database, sql, args, kind) == set(), sql


@pytest.mark.parametrize("case", CASES, ids=" by ".join)
async def test_no_table_is_read_whole_for_many_at_once(
    filled: Service, asked: list[Sent], searched: set[str], case: tuple[str, str]
) -> None:
    what, who = case
    client: httpx.AsyncClient = await filled.as_(*WHO[who])
    alone = seen(await client.get(HOT[what]))
    asked.clear()
    answers = await asyncio.gather(*(client.get(HOT[what]) for _ in range(6)))
    assert all(seen(answer) == alone for answer in answers)
    for sql, args in asked:
        if "resource" in sql and sql not in searched:
            pool = filled.app.state.engine.database
            assert await _whole(pool, sql, args, "GENERIC_PLAN") == set(), sql


async def test_many_callers_at_once_see_what_each_of_them_sees_alone(
    filled: Service, asked: list[Sent]
) -> None:
    clients = [await filled.as_(*WHO[who]) for who in WHO]
    urls = [HOT[what].replace("p7", f"p{number}") for number in (5, 6, 7, 8) for what in MIXED]
    calls = [(client, url) for url in urls for client in clients]
    alone = [seen(await client.get(url)) for client, url in calls]
    asked.clear()
    answers = await asyncio.gather(*(client.get(url) for client, url in calls))
    assert [seen(answer) for answer in answers] == alone
    assert any("LATERAL" in sql for sql, _ in asked)


def seen(answer: httpx.Response) -> tuple[int, Any]:
    """What an answer shows of records: neither when it was given nor where it goes on."""
    body = answer.json()
    match body["resourceType"]:
        case "OperationOutcome":
            return answer.status_code, None
        case "Bundle":
            return answer.status_code, (body.get("total"), body.get("entry"))
    return answer.status_code, body
