"""Searching the audit trail: its events have hashes in their own row instead of index rows."""

from datetime import UTC, datetime, timedelta

import pytest

from app.fhir.access import InCompartment
from app.fhir.audit import Audited, audit_row, insert_audit
from app.fhir.context import Agent
from app.fhir.errors import BadRequest
from tests.fhir.search.conftest import BASE

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
ANN = Agent("ann", "clinician", fhir_user="Practitioner/ann")


@pytest.fixture
async def trail(shelf):
    """Three reads, a second apart: of ada, of ben, of both."""
    rows = [
        audit_row(ANN, f"r{at}", FIRST + timedelta(seconds=at), BASE, event)
        for at, event in enumerate(
            (
                Audited("read", "0", 200, "Goal", "g1", "1", ("ada",)),
                Audited("read", "4", 404, "Goal", "g2", None, ("ben",)),
                Audited("search-type", "0", 200, "Goal", None, None, ("ada", "ben"), "x=1"),
            )
        )
    ]
    async with shelf.database.acquire() as connection:
        await insert_audit(connection, rows)
    names = dict(zip((row.id for row in rows), ("a", "b", "c"), strict=True))

    async def find(url: str, **more: object) -> str:
        return "".join(names[id_] for id_ in await shelf.find(url, **more))

    return find


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "cba"),
        ("patient=ada", "ca"),
        ("patient=Patient/ben", "cb"),
        ("entity=Goal/g1", "a"),
        ("agent=Practitioner/ann", "cba"),
        ("agent=Practitioner/bob", ""),
        ("outcome=4", "b"),
        ("patient=ada&outcome=4", ""),
        ("action=R", "ba"),
        ("date=gt2025-01-01T00:00:00Z", "cb"),
        ("date=2025-01-01T00:00:01Z", "b"),
        ("_sort=date", "abc"),
        ("_sort=-date&_count=2", "cba"),
        ("patient:missing=true", ""),
    ],
)
async def test_an_event_is_found(trail, query: str, found: str) -> None:
    assert await trail(f"AuditEvent?{query}") == found


async def test_the_compartment_of_a_patient_holds_the_events_about_them(trail) -> None:
    assert await trail("Patient/ada/AuditEvent") == "ca"
    assert await trail("Patient/nobody/AuditEvent") == ""


async def test_an_event_about_another_patient_too_is_not_visible(trail) -> None:
    assert await trail("AuditEvent?", access=InCompartment("ada")) == "a"


@pytest.mark.parametrize(
    "query",
    [
        "agent-name=x",
        "_sort=agent-name",
        "patient.name=x",
        "_include=AuditEvent:patient",
        "_revinclude=AuditEvent:entity",
    ],
)
async def test_what_the_trail_does_not_index_is_refused(trail, query: str) -> None:
    with pytest.raises(BadRequest):
        await trail(f"AuditEvent?{query}")


async def test_the_trail_cannot_be_reached_around(shelf) -> None:
    with pytest.raises(BadRequest, match="cannot be followed"):
        await shelf.find("Patient?_has:AuditEvent:patient:action=R")
    with pytest.raises(BadRequest, match="cannot be followed"):
        await shelf.find("Patient?_revinclude=AuditEvent:patient")
