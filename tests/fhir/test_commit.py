"""Changes become versions, index and audit rows: together, or not at all."""

import asyncio
from typing import Any

import pytest

from app.fhir.change import ANY, Change, Committed
from app.fhir.commit import commit
from app.fhir.context import Context
from app.fhir.errors import (
    BadRequest,
    Conflict,
    FHIRError,
    Forbidden,
    Gone,
    MethodNotAllowed,
    PreconditionFailed,
    Unprocessable,
)
from app.storage.database import Database
from app.storage.versions import DERIVED
from tests.admitted import context, put
from tests.build import care_team, goal, organization, patient, reference
from tests.http.conftest import COUNTY, Service, serving

TABLES = ("resource", "resource_version", "audit_event", *DERIVED)
WORLD = [organization("county"), patient("ada", COUNTY), goal()]


@pytest.fixture
async def ctx(service: Service) -> Context:
    operator = context(service.app.state.engine)
    await commit(operator, [put(resource) for resource in WORLD])
    return operator


@pytest.fixture
def county(service: Service, ctx: Context) -> Context:
    return context(service.app.state.engine, "clinician", organization=COUNTY)


def post(resource: dict[str, Any]) -> Change:
    return Change("create", "POST", resource["resourceType"], resource["id"], resource)


def delete(type_: str, id_: str, **more: Any) -> Change:
    return Change("delete", "DELETE", type_, id_, **more)


async def counts(database: Database) -> dict[str, int]:
    found = {}
    for table in TABLES:
        found[table] = await database.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def derived(database: Database, id_: str) -> dict[str, int]:
    """How many rows of each table follow from a resource."""
    of = "SELECT count(*) FROM {} AS x JOIN resource AS r USING (rid) WHERE r.id = $1"
    found = {table: await database.fetchval(of.format(table), id_) for table in DERIVED}
    return {table: number for table, number in found.items() if number}


async def test_a_change_leaves_all_its_rows_in_one_transaction(
    ctx: Context, database: Database
) -> None:
    before = await counts(database)
    [done] = await commit(ctx, [put(goal("new"))])
    assert (done.outcome, done.version, done.patient) == ("created", 1, "ada")
    after = await counts(database)
    for table in ("resource", "resource_version", "audit_event"):
        assert after[table] == before[table] + 1
    made_by = """
    SELECT count(DISTINCT xmin::text) FROM (
      SELECT xmin FROM resource WHERE id = 'new'
      UNION ALL SELECT v.xmin FROM resource_version v JOIN resource r USING (rid) WHERE r.id = 'new'
      UNION ALL SELECT i.xmin FROM index_date i JOIN resource r USING (rid) WHERE r.id = 'new'
      UNION ALL SELECT xmin FROM audit_event WHERE body LIKE '%Goal/new/_history/1%') AS made
    """
    assert await database.fetchval(made_by) == 1


async def test_what_was_stored_is_what_is_answered(ctx: Context, database: Database) -> None:
    [done] = await commit(ctx, [put(goal("new"))])
    sql = (
        "SELECT r.body, v.body AS also FROM resource r JOIN resource_version v"
        " USING (rid, version) WHERE r.id = 'new'"
    )
    row = await database.fetchrow(sql)
    assert row is not None
    assert row["body"] == row["also"] == done.body


async def test_index_and_relationships_follow_the_current_version(
    ctx: Context, database: Database
) -> None:
    team = care_team(COUNTY, id_="t")
    await commit(ctx, [put(team)])
    assert (await derived(database, "t"))["relationship"] == 2
    await commit(ctx, [put(team | {"status": "inactive"})])
    assert "relationship" not in await derived(database, "t")
    await commit(ctx, [put(team)])
    assert (await derived(database, "t"))["relationship"] == 2
    await commit(ctx, [delete("CareTeam", "t")])
    assert await derived(database, "t") == {}
    await commit(ctx, [put(team)])
    assert (await derived(database, "t"))["relationship"] == 2


async def test_a_deleted_patient_keeps_who_may_know_of_it(ctx: Context, database: Database) -> None:
    await commit(ctx, [delete("Patient", "ada")])
    assert await derived(database, "ada") == {"relationship": 2}


async def test_an_unchanged_resource_leaves_nothing_but_an_audit_event(
    ctx: Context, database: Database
) -> None:
    before = await counts(database)
    [done] = await commit(ctx, [put(goal())])
    assert (done.outcome, done.version) == ("unchanged", 1)
    after = await counts(database)
    assert {table for table in TABLES if after[table] != before[table]} == {"audit_event"}


async def test_deleting_what_is_not_there_stores_nothing(ctx: Context, database: Database) -> None:
    await commit(ctx, [delete("Goal", "ada-goal-1")])
    before = await counts(database)
    gone, never = await commit(ctx, [delete("Goal", "ada-goal-1"), delete("Goal", "x")])
    assert (gone.outcome, gone.version) == ("absent", 2)
    assert (never.outcome, never.version) == ("absent", 0)
    after = await counts(database)
    assert {table for table in TABLES if after[table] != before[table]} == {"audit_event"}


async def test_the_instants_of_a_resource_never_go_back(ctx: Context, database: Database) -> None:
    async def change(number: int) -> None:
        await commit(ctx, [put(goal(description={"text": str(number)}))])

    await asyncio.gather(*map(change, range(20)))
    sql = (
        "SELECT v.last_updated FROM resource_version v JOIN resource r USING (rid)"
        " WHERE r.id = 'ada-goal-1' ORDER BY v.version"
    )
    instants = [row["last_updated"] for row in await database.fetch(sql)]
    assert instants == sorted(instants)
    assert len(instants) == 21


REFUSED: dict[str, tuple[list[Change], type[FHIRError]]] = {
    "twice": ([put(goal("x")), delete("Goal", "x")], BadRequest),
    "unknown": ([put(goal("x"), may_create=False)], MethodNotAllowed),
    "stale": ([put(goal(), if_match=frozenset("7"))], PreconditionFailed),
    "stale deletion": ([delete("Goal", "ada-goal-1", if_match=frozenset("7"))], PreconditionFailed),
    "nothing to match": ([put(goal("x"), if_match=frozenset({ANY}))], PreconditionFailed),
    "nowhere": ([post(goal("x", "Patient/none"))], Unprocessable),
    "to the deleted": (
        [delete("Patient", "ada"), post(goal("x", addresses=[reference("Patient/ada")]))],
        Unprocessable,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_one_refusal_takes_everything_back(
    ctx: Context, database: Database, name: str
) -> None:
    changes, error = REFUSED[name]
    before = await counts(database)
    with pytest.raises(error):
        await commit(ctx, [put(goal("good")), *changes])
    assert await counts(database) == before


async def test_a_new_state_out_of_sight_is_refused(county: Context, database: Database) -> None:
    before = await counts(database)
    for resource in (patient("new", None), goal() | {"subject": {"display": "Somebody"}}):
        with pytest.raises(Forbidden) as raised:
            await commit(county, [put(resource)])
        assert raised.value.issues[0].expression == (resource["resourceType"],)
    assert await counts(database) == before


async def test_what_comes_after_belongs_to_the_transaction(
    ctx: Context, database: Database
) -> None:
    seen: list[Any] = []

    async def look(within: Context) -> None:
        assert within.connection is not None
        sql = "SELECT id FROM resource WHERE id = 'new'"
        seen.append(await within.connection.fetchval(sql))
        seen.append(await database.fetchval(sql))
        raise Gone("no")

    before = await counts(database)
    with pytest.raises(Gone):
        await commit(ctx, [put(goal("new"))], look)
    assert seen == ["new", None]
    assert await counts(database) == before


async def test_an_id_taken_out_of_sight_is_a_conflict(
    ctx: Context, county: Context, database: Database
) -> None:
    await commit(ctx, [put(organization("other")), put(patient("eve", "Organization/other"))])
    before = await counts(database)
    with pytest.raises(Conflict):
        await commit(county, [put(patient("eve", COUNTY))])
    assert await counts(database) == before


async def test_transactions_in_opposite_order_do_not_wait_for_each_other(
    ctx: Context, database: Database
) -> None:
    await commit(ctx, [put(goal(f"g{number}")) for number in range(4)])

    async def mixed(number: int) -> list[Committed]:
        ids = [f"g{each}" for each in range(4)]
        at = number % 4
        first, *rest = ids[at:] + ids[:at]
        changes = [put(goal(id_, description={"text": str(number)})) for id_ in rest]
        return await commit(ctx, [*changes, delete("Goal", first)])

    done = await asyncio.gather(*map(mixed, range(12)))
    assert [len(each) for each in done] == [4] * 12


async def test_what_leads_nowhere_is_told_where_it_is_let_pass(dsn: str, ctx: Context) -> None:
    async with serving(dsn, references="lenient") as lenient:
        operator = context(lenient.app.state.engine)
        wish = goal("new", addresses=[reference("Condition/none")])
        [done] = await commit(operator, [put(wish)])
    assert done.dangling == ("Goal.addresses[0]: Condition/none",)


async def test_a_provenance_is_about_whom_its_targets_are_about(
    ctx: Context, database: Database
) -> None:
    mark = {
        "resourceType": "Provenance",
        "id": "mark",
        "target": [reference("Goal/ada-goal-1"), reference("Goal/new")],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": reference(COUNTY)}],
    }
    ben = patient("ben", COUNTY)
    [done, *_] = await commit(ctx, [put(mark), put(ben), put(goal("new", "Patient/ben"))])
    assert done.patients == ["ada", "ben"]
