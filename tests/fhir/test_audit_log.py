"""When an audit event is durable, what happens when it cannot be, and how it is found again."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.fhir import audit_log
from app.fhir.access import Everything
from app.fhir.audit import Audited, AuditLog, AuditRow, audit_row, insert_audit
from app.fhir.context import Agent
from app.fhir.errors import Unavailable
from app.fhir.search.parameters import criterion
from app.fhir.visible import visible
from app.storage import postmaster
from app.storage.audit import BATCH
from app.storage.database import Database
from app.storage.embedded import embedded
from app.storage.migrate import migrate
from app.storage.sql import Arguments

BASE = "https://plans.example.org/fhir"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
GRACE = Agent("portal", "key-worker", "Organization/agency", "grace", "Practitioner/grace")


def row(id_: str = "1", request: str = "request-1", **more: Any) -> AuditRow:
    audited = Audited("read", "0", 200, "Goal", id_, "3", **({"patients": ("ada",)} | more))
    return audit_row(GRACE, request, NOW + timedelta(seconds=int(id_)), BASE, audited)


async def recorded(database: Database) -> set[str]:
    return {found["id"] for found in await database.fetch("SELECT id FROM audit_event")}


@pytest.fixture
async def log(database: Database) -> AsyncIterator[AuditLog]:
    log = AuditLog(database)
    yield log
    await log.close()


async def test_an_event_is_in_the_database_when_record_returns(
    log: AuditLog, database: Database
) -> None:
    made = row()
    await log.record([made])
    (found,) = await database.fetch("SELECT * FROM audit_event")
    assert (found["type"], found["id"], found["version"]) == ("AuditEvent", made.id, 1)
    assert (found["body"], found["patients"]) == (made.body, ["ada"])
    assert found["last_updated"] == made.last_updated


async def test_events_that_wait_together_are_written_together(
    log: AuditLog, database: Database
) -> None:
    await asyncio.gather(*(log.record([row(str(number))]) for number in range(3 * BATCH)))
    rows = await database.fetch("SELECT rid, xmin::text AS transaction FROM audit_event")
    assert len({found["rid"] for found in rows}) == 3 * BATCH
    assert len({found["transaction"] for found in rows}) <= 4


async def test_a_caller_who_leaves_does_not_take_the_event_along(
    log: AuditLog, database: Database
) -> None:
    gone, stays = row("1"), row("2")
    leaving = asyncio.create_task(log.record([gone]))
    await asyncio.sleep(0)
    leaving.cancel()
    await log.record([stays])
    assert await recorded(database) == {gone.id, stays.id}


async def test_events_of_a_transaction_come_and_go_with_it(database: Database) -> None:
    rows = [row(str(number)) for number in range(2 * BATCH + 1)]
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await insert_audit(connection, rows)
            raise ZeroDivisionError
    assert await recorded(database) == set()
    async with database.transaction() as connection:
        await insert_audit(connection, rows)
    assert await recorded(database) == {made.id for made in rows}


async def test_nothing_may_be_disclosed_while_the_database_is_away(tmp_path: Path) -> None:
    away = await Database.open(f"postgresql:///x?host={tmp_path}")
    log = AuditLog(away)
    with pytest.raises(Unavailable) as refused:
        await log.record([row()])
    assert refused.value.headers == {"Retry-After": "5"}
    with pytest.raises(Unavailable):
        await log.record([row()])
    await log.close()
    await away.close()


async def test_a_broken_event_does_not_stop_the_log(log: AuditLog, database: Database) -> None:
    with pytest.raises(Unavailable):
        await log.record([row()._replace(targets="{no number}")])
    good = row()
    await log.record([good])
    assert await recorded(database) == {good.id}


async def test_an_event_with_a_line_break_is_refused_rather_than_torn(
    log: AuditLog, database: Database
) -> None:
    made = row()
    for torn in ({"body": made.body.replace(",", ",\n", 1)}, {"keys": f"{made.keys}\n{{}}"}):
        with pytest.raises(Unavailable):
            await log.record([made._replace(**torn)])
        with pytest.raises(Unavailable):
            await asyncio.gather(log.record([made._replace(**torn)]), log.record([row("2")]))
    assert await recorded(database) == set()


async def test_a_full_log_lets_callers_in_as_soon_as_there_is_room(
    log: AuditLog, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "MAX_WAITING", 2)
    rows = [row(str(number)) for number in range(20)]
    await asyncio.gather(*(log.record([made]) for made in rows))
    assert await recorded(database) == {made.id for made in rows}


async def test_a_closed_log_refuses(log: AuditLog) -> None:
    await log.record([row()])
    await log.close()
    with pytest.raises(Unavailable):
        await log.record([row()])


async def test_an_asynchronous_log_writes_everything_before_it_closes(database: Database) -> None:
    log = AuditLog(database, is_asynchronous=True)
    rows = [row(str(number)) for number in range(5 * BATCH)]
    for made in rows:
        await log.record([made])
    await log.close()
    assert await recorded(database) == {made.id for made in rows}


async def test_an_asynchronous_log_keeps_what_it_could_not_write(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "PAUSE", 0.01)
    log, made = AuditLog(database, is_asynchronous=True), row()
    await database.execute("ALTER TABLE audit_event RENAME TO hidden")
    try:
        await log.record([made])
        await asyncio.sleep(0.05)
    finally:
        await database.execute("ALTER TABLE hidden RENAME TO audit_event")
    await log.close()
    assert await recorded(database) == {made.id}


async def test_a_full_asynchronous_log_holds_callers_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MAX_WAITING", 2), ("PATIENCE", 0.05), ("PAUSE", 0.01)):
        monkeypatch.setattr(audit_log, name, value)
    away = await Database.open(f"postgresql:///x?host={tmp_path}")
    log = AuditLog(away, is_asynchronous=True)
    with pytest.raises(Unavailable):
        for number in range(2 * BATCH):
            await log.record([row(str(number))])
    await log.close()
    await away.close()


async def found(database: Database, *asked: tuple[str, str]) -> list[str]:
    """The ids of the goals whose events match, by the door and the predicates of search."""
    args = Arguments()
    tests = [criterion("AuditEvent", name, value, args) for name, value in asked]
    rows = visible(Everything("test"), "AuditEvent", args)
    sql = f"SELECT r.body::jsonb #>> '{{entity,0,what,reference}}' AS goal FROM {rows} AS r"
    condition = " AND ".join(tests)
    matches = await database.fetch(*args.statement(f"{sql} WHERE {condition} ORDER BY goal"))
    return [match["goal"].split("/")[1] for match in matches]


async def test_events_are_found_by_what_they_say(log: AuditLog, database: Database) -> None:
    await log.record([row("1", "request-1")])
    await log.record([row("2", "request-2", patients=("ben",))])
    for asked, expected in {
        ("patient", "Patient/ben"): ["2"],
        ("patient", "ada,ben"): ["1", "2"],
        ("entity", "Goal/1"): ["1"],
        ("entity", "Practitioner/grace"): [],
        ("agent", "Practitioner/grace"): ["1", "2"],
        ("agent", "Organization/other"): [],
        ("agent:identifier", "portal"): ["1", "2"],
        ("entity:identifier", "request-2"): ["2"],
        ("source:missing", "true"): [],
        ("action", "R"): ["1", "2"],
        ("action", "D"): [],
        ("outcome", "0"): ["1", "2"],
        ("subtype", "http://hl7.org/fhir/restful-interaction|read"): ["1", "2"],
        ("agent-role", "key-worker"): ["1", "2"],
        ("altid", "grace"): ["1", "2"],
        ("date", "eq2026-03-04T05:06:08Z"): ["1"],
        ("date", "gt2026-03-04T05:06:08Z"): ["2"],
        ("_lastUpdated", "lt2026-03-05"): ["1", "2"],
    }.items():
        assert await found(database, asked) == expected, asked


async def test_an_acknowledged_event_survives_a_crash(tmp_path: Path) -> None:
    server = postmaster.locate(tmp_path)
    made = row()
    with embedded(tmp_path) as dsn:
        await migrate(dsn)
        before = await Database.open(dsn)
        log = AuditLog(before)
        await log.record([made])
        crash(server)
        with pytest.raises(Unavailable):
            await log.record([row()])
        await log.close()
        await before.close()
    with embedded(tmp_path) as dsn:
        after = await Database.open(dsn)
        assert await recorded(after) == {made.id}
        await after.close()


def crash(server: postmaster.Server) -> None:
    """An immediate shutdown: no checkpoint, recovery from the log at the next start."""
    number = postmaster.pid(server)
    assert number is not None
    os.kill(number, signal.SIGQUIT)
    while postmaster.pid(server) is not None:
        time.sleep(0.01)
