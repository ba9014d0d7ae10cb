"""The audit trail is sealed as it grows; whoever touches it afterwards is found, and where."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from app.fhir.audit import Audited, audit_row, insert_audit
from app.storage import audit_chain, postmaster
from app.storage.audit_chain import Seal, seal
from app.storage.audit_verify import Verdict, Witness, verify
from app.storage.database import Database
from app.storage.embedded import embedded
from app.storage.migrate import migrate
from tests.storage.audit_trail import AGENT, COPY, now, problems, record, sealed, tamper

__all__ = ["sealed"]


async def test_an_untouched_trail_is_intact(sealed: Database) -> None:
    await record(sealed, "new")
    verdict = await verify(sealed, now())
    assert (verdict.seals, verdict.events, verdict.unsealed) == (3, 9, 1)
    assert verdict.problems == []
    assert verdict.head.startswith("3:")


async def test_an_empty_trail_is_intact_and_not_sealed(database: Database) -> None:
    assert await seal(database) == 0
    assert await verify(database, now()) == Verdict()


EVENT = "(SELECT rid FROM audit_event ORDER BY rid OFFSET 4 LIMIT 1)"
CHANGES = {
    "body": "replace(body, 'grace', 'bertha')",
    "last_updated": "last_updated - interval '1 s'",
    "patients": "'{ben}'",
    "id": "'00'",
    "targets": "'{}'",
    "keys": "'{}'",
    "deleted": "true",
}


@pytest.mark.parametrize("column", CHANGES)
async def test_an_event_that_was_changed_is_named(sealed: Database, column: str) -> None:
    await tamper(sealed, f"UPDATE audit_event SET {column} = {CHANGES[column]} WHERE rid = {EVENT}")
    id_ = await sealed.fetchval(f"SELECT id FROM audit_event WHERE rid = {EVENT}")
    [problem] = await problems(sealed)
    assert problem.startswith(f"AuditEvent/{id_} ")
    assert problem.endswith("seal 2) was changed after it was sealed")


async def test_an_event_that_was_removed_is_named(sealed: Database) -> None:
    rid = await sealed.fetchval(f"SELECT {EVENT}")
    await tamper(sealed, "DELETE FROM audit_event WHERE rid = $1", rid)
    assert await problems(sealed) == [f"row {rid} of seal 2 was removed"]


async def test_an_event_that_was_slipped_in_is_named(sealed: Database) -> None:
    rid = await sealed.fetchval("SELECT max(rid) - 1 FROM audit_event")
    await tamper(sealed, "UPDATE audit_event SET rid = rid + 50 WHERE rid = $1", rid)
    found = await problems(sealed)
    assert [problem.partition(") ")[2] or problem for problem in found] == [
        "was inserted after it was sealed",
        f"row {rid} of seal 3 was removed",
    ]


@pytest.mark.parametrize("rid", [-5, 0, 50])
async def test_gaps_between_row_numbers_are_guarded(sealed: Database, rid: int) -> None:
    first = await sealed.fetchval("SELECT min(rid) FROM audit_event")
    await tamper(sealed, COPY, first + rid if rid > 0 else rid, now())
    [problem] = await problems(sealed)
    assert problem.startswith("AuditEvent/forged")
    assert problem.endswith("was inserted after it was sealed")


async def test_an_event_added_today_and_dated_last_month_is_named(sealed: Database) -> None:
    await record(sealed, "late", at=now() - timedelta(days=30))
    await seal(sealed)
    [problem] = await problems(sealed)
    assert "seal 4) is dated" in problem
    assert problem.endswith("before seal 3 was made")


async def test_a_removed_seal_is_named(sealed: Database) -> None:
    await tamper(sealed, "DELETE FROM audit_seal WHERE number = 2")
    assert await problems(sealed) == [
        "seals 2 to 2 were removed",
        "seal 3 does not begin where the one before it ends",
    ]


async def test_a_changed_seal_is_named(sealed: Database) -> None:
    await tamper(sealed, "UPDATE audit_seal SET sealed = sealed - interval '1 h' WHERE number = 2")
    assert await problems(sealed) == [
        "seal 2 was changed",
        "seal 3 does not follow from the one before it",
    ]


async def test_who_changes_an_event_and_its_seal_breaks_the_chain(sealed: Database) -> None:
    await tamper(sealed, f"UPDATE audit_event SET patients = '{{ben}}' WHERE rid = {EVENT}")
    await tamper(sealed, "DELETE FROM audit_seal WHERE number = 2")
    row = await sealed.fetchrow("SELECT * FROM audit_seal WHERE number = 1")
    after = await sealed.fetchval("SELECT after_rid FROM audit_seal WHERE number = 3")
    events = await sealed.fetch(audit_chain.EVENTS, row["last_rid"], after, 10)
    forged = audit_chain._link(Seal.of(row), events, after, now())
    async with sealed.transaction() as connection:
        await audit_chain._append(connection, forged, events)
    assert await problems(sealed) == ["seal 3 does not follow from the one before it"]


async def test_who_forges_the_whole_chain_is_found_by_a_seal_noted_elsewhere(
    sealed: Database,
) -> None:
    number, _, digest = (await verify(sealed, now())).head.partition(":")
    witness = Witness(int(number), bytes.fromhex(digest))
    assert (await verify(sealed, now(), witness)).problems == []
    await tamper(sealed, f"UPDATE audit_event SET patients = '{{ben}}' WHERE rid = {EVENT}")
    await tamper(sealed, "DELETE FROM audit_seal")
    await seal(sealed)
    assert (await verify(sealed, now())).problems == []
    found = (await verify(sealed, now(), witness)).problems
    assert found == ["seal 3 is not the one that was expected"]


async def test_an_event_in_flight_is_waited_for(database: Database) -> None:
    """Its number is lower than that of an event committed before it."""
    async with database.transaction() as connection:
        row = audit_row(AGENT, "r", now(), "http://h", Audited("read", "0", 200, "Goal", "slow"))
        await insert_audit(connection, [row])
        await record(database, "fast")
        sealing = asyncio.create_task(seal(database))
        await asyncio.sleep(0.1)
        assert not sealing.done()
    assert await sealing == 2
    assert await problems(database) == []


async def test_an_event_that_takes_too_long_holds_the_seal_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_chain, "PATIENCE", 0.05)
    async with database.transaction() as connection:
        row = audit_row(AGENT, "r", now(), "http://h", Audited("read", "0", 200, "Goal", "slow"))
        await insert_audit(connection, [row])
        assert await seal(database) == 0
    assert await seal(database) == 1


async def test_many_workers_write_and_seal_at_once(dsn: str, database: Database) -> None:
    workers = [await Database.open(dsn, 4) for _ in range(3)]
    done = asyncio.Event()

    async def write(worker: Database, number: int) -> None:
        for step in range(15):
            async with worker.transaction() as connection:
                audited = Audited("read", "0", 200, "Goal", f"{number}-{step}")
                row = audit_row(AGENT, "r", now(), "http://h", audited)
                await insert_audit(connection, [row])
                await asyncio.sleep((number * 5 + step * 3) % 4 / 1000)
                if (number + step) % 5 == 0:
                    await connection.execute(
                        "SELECT 1 / (SELECT count(*) FROM audit_seal WHERE false)"
                    )

    async def writing(worker: Database, number: int) -> None:
        try:
            await write(worker, number)
        except asyncpg.DivisionByZeroError:
            await write(worker, number + 101)

    async def sealing(worker: Database) -> None:
        while not done.is_set():
            await seal(worker)
            await asyncio.sleep(0.001)

    sealers = [asyncio.create_task(sealing(worker)) for worker in workers]
    attempts = (writing(worker, number) for number, worker in enumerate(workers * 3))
    await asyncio.gather(*attempts, return_exceptions=True)
    done.set()
    await asyncio.gather(*sealers)
    await seal(database)
    verdict = await verify(database, now())
    assert verdict.problems == []
    assert verdict.seals > 1
    assert verdict.unsealed == 0
    assert verdict.events == await database.fetchval("SELECT count(*) FROM audit_event")
    for worker in workers:
        await worker.close()


async def test_more_events_than_one_seal_holds_get_several(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_chain, "MOST", 4)
    await record(database, *map(str, range(10)))
    assert await seal(database) == 10
    verdict = await verify(database, now())
    assert (verdict.seals, verdict.events, verdict.problems) == (3, 10, [])


@pytest.fixture
async def crashing(tmp_path: Path) -> AsyncIterator[tuple[postmaster.Server, str]]:
    with embedded(tmp_path) as dsn:
        await migrate(dsn)
        yield postmaster.locate(tmp_path), dsn


async def test_the_chain_holds_after_a_crash(crashing: tuple[postmaster.Server, str]) -> None:
    server, dsn = crashing
    before = await Database.open(dsn)
    await record(before, "1")
    await seal(before)
    await record(before, "2")
    await asyncio.to_thread(postmaster._pg_ctl, server, "stop", "--mode=immediate")
    await before.close()
    with embedded(server.home):
        after = await Database.open(dsn)
        await record(after, "3")
        assert await seal(after) == 2
        verdict = await verify(after, now())
        assert (verdict.seals, verdict.events, verdict.problems) == (2, 3, [])
        await after.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_event SET patients = '{ben}'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "UPDATE audit_seal SET digests = NULL",
        "DELETE FROM audit_seal",
    ],
)
async def test_even_the_owner_does_not_change_it_unawares(sealed: Database, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await sealed.execute(sql)
    assert await problems(sealed) == []
