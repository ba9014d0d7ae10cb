"""Prefer: return=… — https://hl7.org/fhir/R4/http.html#ops"""

import httpx
import pytest

from tests.build import goal
from tests.http.conftest import refused

BARE = {name: value for name, value in goal().items() if name != "id"}
MINIMAL, OUTCOME = {"Prefer": "return=minimal"}, {"Prefer": "return=OperationOutcome"}


@pytest.mark.parametrize("prefer", [None, "return=representation", "handling=lenient"])
async def test_a_write_answers_with_the_resource(
    county: httpx.AsyncClient, ada: str, prefer: str | None
) -> None:
    headers = {"Prefer": prefer} if prefer else {}
    made = await county.post("/Goal", json=BARE, headers=headers)
    assert made.json()["resourceType"] == "Goal"
    again = await county.put("/Goal/ada-goal-1", json=goal(), headers=headers)
    assert again.json()["id"] == "ada-goal-1"


async def test_a_minimal_answer_has_headers_only(county: httpx.AsyncClient, ada: str) -> None:
    made = await county.post("/Goal", json=BARE, headers=MINIMAL)
    assert (made.status_code, made.content) == (201, b"")
    assert (await county.get(made.headers["location"])).status_code == 200
    changed = goal(lifecycleStatus="completed")
    updated = await county.put("/Goal/ada-goal-1", json=changed, headers=MINIMAL)
    assert (updated.status_code, updated.content) == (200, b"")
    assert updated.headers["etag"] == 'W/"2"'


async def test_an_outcome_says_what_happened(county: httpx.AsyncClient, ada: str) -> None:
    made = await county.post("/Goal", json=BARE, headers=OUTCOME)
    assert made.status_code == 201
    [issue] = made.json()["issue"]
    assert (issue["severity"], issue["code"]) == ("information", "informational")
    assert made.headers["location"]


async def test_a_refusal_is_told_whatever_was_preferred(
    county: httpx.AsyncClient, ada: str
) -> None:
    refused(await county.post("/Goal", json={}, headers=MINIMAL), 400, "structure")


async def test_preferences_can_come_together(county: httpx.AsyncClient, ada: str) -> None:
    both = {"Prefer": "handling=lenient; return=minimal"}
    made = await county.post("/Goal", json=BARE, headers=both)
    assert (made.status_code, made.content) == (201, b"")


@pytest.mark.parametrize(
    "prefer", ["return=everything", "handling=kind", "return", "return=", "return=minimal2"]
)
async def test_a_preference_that_means_nothing_is_passed_over(
    county: httpx.AsyncClient, ada: str, prefer: str
) -> None:
    made = await county.post("/Goal", json=BARE, headers={"Prefer": prefer})
    assert made.status_code == 201
    assert made.json()["resourceType"] == "Goal"


async def test_a_preference_of_others_is_passed_over(county: httpx.AsyncClient, ada: str) -> None:
    made = await county.post("/Goal", json=BARE, headers={"Prefer": "respond-async, wait=10"})
    assert made.status_code == 201
