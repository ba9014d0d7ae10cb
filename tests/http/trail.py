"""The audit trail: what a test added to it, and what somebody finds in it."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from app.fhir import json
from app.storage.database import Database
from tests.http.conftest import Json

EVENTS = "SELECT body FROM audit_event ORDER BY id"


async def events(reader: httpx.AsyncClient, **asked: Any) -> list[Json]:
    """What this reader finds in the audit trail, the oldest first."""
    response = await reader.get("/AuditEvent", params={"_sort": "date", **asked})
    assert response.status_code == 200, response.text
    return [entry["resource"] for entry in response.json().get("entry", [])]


@pytest.fixture
async def trail(database: Database, ada: str) -> "Trail":
    return Trail(database, {row["body"] for row in await database.fetch(EVENTS)})


class Trail:
    """The events written since this test began."""

    def __init__(self, database: Database, before: set[str]) -> None:
        self._database = database
        self._before = before

    async def new(self) -> list[Json]:
        rows = [row["body"] for row in await self._database.fetch(EVENTS)]
        return [json.parse(body.encode()) for body in rows if body not in self._before]

    async def kinds(self) -> Sequence[tuple[str, str, str]]:
        """(interaction, outcome, HTTP status where refused) of each, in order."""
        return [
            (
                event["subtype"][0]["code"],
                event["outcome"],
                event.get("outcomeDesc", "").partition(" ")[0],
            )
            for event in await self.new()
        ]
