"""Requests of one caller that share a transaction: each is answered as if it were alone."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from app.fhir.change import Change, Committed
from app.fhir.commit import commit
from app.fhir.context import Context
from app.fhir.engine import Policy
from app.fhir.errors import Forbidden, PreconditionFailed, Unprocessable
from app.fhir.sharing import UNDER_WAY
from app.storage.database import Database
from app.storage.joined import Joined
from tests.admitted import context, put
from tests.build import care_team, goal, organization, patient, practitioner, reference
from tests.http.conftest import COUNTY, Service

MANY = 24
HELD = ", ".join(f"'g{7 + at}'" for at in range(UNDER_WAY + 1))
"""As many goals as a caller has transactions under way, and one more."""

WORLD = [organization("county"), organization("other"), patient("ada", COUNTY)]
GOALS = [goal(f"g{number}") for number in range(MANY)]


@pytest.fixture
async def county(service: Service) -> Context:
    operator = context(service.app.state.engine)
    await commit(operator, [put(resource) for resource in (*WORLD, *GOALS)])
    return context(service.app.state.engine, "clinician", organization=COUNTY)


def changed(number: int, **more: Any) -> Change:
    """An update of the goal of this number."""
    return put(goal(f"g{number}", description={"text": "Changed"}), **more)


async def at_once(ctx: Context, changes: list[Change]) -> list[list[Committed] | BaseException]:
    """What becomes of these changes, each of a request of its own."""
    asked = [
        commit(replace(ctx, request_id=f"request-{at}"), [change])
        for at, change in enumerate(changes)
    ]
    return await asyncio.gather(*asked, return_exceptions=True)


def outcomes(done: list[list[Committed] | BaseException]) -> list[str]:
    return [
        type(one).__name__ if isinstance(one, BaseException) else one[0].outcome for one in done
    ]


async def test_requests_that_come_at_once_share_transactions(
    county: Context, database: Database
) -> None:
    done = await at_once(county, [changed(number) for number in range(MANY)])
    assert outcomes(done) == ["updated"] * MANY
    ids = [one[0].id for one in done if not isinstance(one, BaseException)]
    assert ids == [f"g{number}" for number in range(MANY)]
    written = "SELECT count(DISTINCT xmin::text) FROM resource_version WHERE version = 2"
    assert await database.fetchval(written) < MANY


async def test_each_request_has_its_own_audit_event(county: Context, database: Database) -> None:
    await at_once(county, [changed(number) for number in range(MANY)])
    for number in range(MANY):
        sql = (
            f"SELECT count(*) FROM audit_event WHERE body LIKE '%Goal/g{number}/_history/2%'"
            f""" AND body LIKE '%{{"value":"request-{number}"}}%'"""
        )
        assert await database.fetchval(sql) == 1


async def test_who_is_refused_takes_nothing_from_the_others(
    county: Context, database: Database
) -> None:
    changes = [changed(number) for number in range(MANY)]
    changes[5] = changed(5, if_match=frozenset({"7"}))
    nowhere = goal("g9", addresses=[reference("Condition/none")])
    changes[9] = put(nowhere)
    changes[13] = put(goal("g13") | {"subject": {"display": "Somebody"}})
    done = await at_once(county, changes)
    wrong = {5: PreconditionFailed, 9: Unprocessable, 13: Forbidden}
    for at, one in enumerate(done):
        assert type(one) is wrong.get(at, list)
    versions = "SELECT id, version FROM resource WHERE type = 'Goal'"
    found = {row["id"]: row["version"] for row in await database.fetch(versions)}
    assert found == {f"g{at}": 1 if at in wrong else 2 for at in range(MANY)}
    sql = "SELECT count(*) FROM audit_event WHERE body LIKE '%/_history/2%'"
    assert await database.fetchval(sql) == MANY - len(wrong)


async def test_of_many_changes_of_few_resources_one_each_wins(county: Context) -> None:
    for version in ("1", "2"):
        changes = [
            put(
                goal(f"g{at % 4}", description={"text": f"{version} {at}"}),
                if_match=frozenset({version}),
            )
            for at in range(MANY)
        ]
        done = Counter(outcomes(await at_once(county, changes)))
        assert done == {"updated": 4, "PreconditionFailed": MANY - 4}


async def test_what_is_created_and_deleted_at_once_is_told_apart(county: Context) -> None:
    changes = [
        Change("delete", "DELETE", "Goal", f"g{at}") if at % 3 else changed(at)
        for at in range(MANY)
    ]
    changes += [Change("create", "POST", "Goal", f"n{at}", goal(f"n{at}")) for at in range(MANY)]
    done = await at_once(county, changes)
    wanted = ["deleted" if at % 3 else "updated" for at in range(MANY)] + ["created"] * MANY
    assert outcomes(done) == wanted


async def test_a_lock_of_somebody_else_holds_up_only_who_asks_for_it(
    county: Context, database: Database
) -> None:
    async with database.transaction() as connection:
        await connection.execute(f"SELECT FROM resource WHERE id IN ({HELD}) FOR UPDATE")
        asked = asyncio.create_task(at_once(county, [changed(number) for number in range(MANY)]))
        left = "SELECT count(*) FROM resource WHERE type = 'Goal' AND version = 1"
        async with asyncio.timeout(20):
            while await database.fetchval(left) > UNDER_WAY + 1:
                await asyncio.sleep(0.01)
        assert not asked.done()
    assert outcomes(await asked) == ["updated"] * MANY


async def test_nobody_signs_by_what_another_request_names(service: Service) -> None:
    role = {
        "resourceType": "PractitionerRole",
        "id": "there",
        "practitioner": reference("Practitioner/grace"),
        "organization": reference("Organization/other"),
    }
    people = [practitioner("grace"), role, *WORLD, goal("g")]
    await commit(context(service.app.state.engine), [put(each) for each in people])
    engine = service.app.state.engine
    grace = context(engine, "clinician", organization=COUNTY, fhir_user="Practitioner/grace")
    behalf = {"onBehalfOf": reference("Organization/other")}
    proofs = [signed("p1", "PractitionerRole/there"), signed("p2", "Practitioner/grace", **behalf)]
    done = await at_once(grace, [put(each) for each in proofs])
    assert outcomes(done) == ["created", "Unprocessable"]


def signed(id_: str, who: str, **more: Any) -> dict[str, Any]:
    kind = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1"}
    signature = {"type": [kind], "when": "2026-01-01T00:00:00Z", "who": reference(who), **more}
    return {
        "resourceType": "Provenance",
        "id": id_,
        "target": [reference("Goal/g")],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": reference("Practitioner/grace")}],
        "signature": [signature],
    }


async def test_each_is_told_only_of_its_own_references_to_nothing(county: Context) -> None:
    lax = replace(county.engine, policy=Policy(check_references=False))
    changes = [changed(number) for number in range(MANY)]
    changes[3] = put(goal("g3", addresses=[reference("Condition/none")]))
    done = await at_once(replace(county, engine=lax), changes)
    told = [one[0].dangling for one in done if not isinstance(one, BaseException)]
    lost = ("Goal.addresses[0]: Condition/none",)
    assert told == [lost if at == 3 else () for at in range(MANY)]


async def test_who_joins_a_team_is_recorded_under_the_request_that_let_them_in(
    service: Service, county: Context, database: Database
) -> None:
    operator = context(service.app.state.engine)
    teams = [care_team("Organization/other", id_=f"t{number}") for number in range(MANY)]
    assert outcomes(await at_once(operator, [put(team) for team in teams])) == ["created"] * MANY
    sql = """
    SELECT count(*) FROM audit_event
    WHERE body LIKE '%Let into the care team%' AND body LIKE '%"request-' || $1 || '"%'
    """
    assert [await database.fetchval(sql, str(at)) for at in range(MANY)] == [1] * MANY


async def test_what_is_part_of_another_transaction_is_written_there(
    county: Context, database: Database
) -> None:
    def within(connection: Any) -> Context:
        return replace(county, engine=replace(county.engine, database=Joined(connection, database)))

    async with database.transaction() as kept:
        with pytest.raises(ZeroDivisionError):
            async with database.transaction() as lost:
                await asyncio.gather(
                    commit(within(kept), [changed(0, may_create=False)]),
                    commit(within(lost), [changed(1, may_create=False)]),
                    at_once(county, [changed(number) for number in range(2, MANY)]),
                )
                raise ZeroDivisionError
    left = "SELECT id FROM resource WHERE type = 'Goal' AND version = 1"
    assert [row["id"] for row in await database.fetch(left)] == ["g1"]
