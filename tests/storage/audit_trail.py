"""An audit trail that is sealed, and who tampers with it."""

from datetime import UTC, datetime

import pytest

from app.fhir.audit import Audited, audit_row, insert_audit
from app.fhir.context import Agent
from app.storage.audit_chain import seal
from app.storage.audit_verify import verify
from app.storage.database import Database

AGENT = Agent("portal", "key-worker", "Organization/agency", "grace", "Practitioner/grace")
LATER = "SET LOCAL session_replication_role = 'replica'"
COPY = """
INSERT INTO audit_event (rid, id, last_updated, keys, targets, body)
SELECT $1, 'forged', $2, keys, targets, body FROM audit_event LIMIT 1
"""


def now() -> datetime:
    return datetime.now(UTC)


async def record(database: Database, *ids: str, at: datetime | None = None) -> None:
    """One transaction with one event a Goal."""
    rows = [
        audit_row(AGENT, "request", at or now(), "http://h", Audited("read", "0", 200, "Goal", id_))
        for id_ in ids
    ]
    async with database.transaction() as connection:
        await insert_audit(connection, rows)


async def tamper(database: Database, sql: str, *values: object) -> None:
    """As somebody who owns the database and switched its triggers off."""
    async with database.transaction() as connection:
        await connection.execute(LATER)
        assert await connection.execute(sql, *values) != "UPDATE 0"


async def problems(database: Database) -> list[str]:
    return (await verify(database, now())).problems


@pytest.fixture
async def sealed(database: Database) -> Database:
    """Three seals over nine events."""
    for start in range(0, 9, 3):
        await record(database, *(str(number) for number in range(start, start + 3)))
        assert await seal(database) == 3
    assert await problems(database) == []
    return database
