"""What is included with a plan that vouches for it, and what consents are weighed for."""

from collections.abc import Awaitable
from typing import Any

import httpx
import pytest
from asyncpg import Record

from app.fhir.search import bundle, vouched
from app.storage.database import Database
from tests.build import SUD, consent, goal, plan, reference
from tests.http.conftest import COUNTY, PARTNER, Json, load
from tests.http.redacted import REDACTED

PULL = "/CarePlan?patient=ada&_include=CarePlan:goal&_include=CarePlan:care-team"
PLAIN = {"CareTeam/ada-team", "Goal/ada-goal-1", "Goal/ada-goal-2"}


pytestmark = pytest.mark.usefixtures("county")


async def pointing(client: httpx.AsyncClient, *goals: Json, to: str = "Goal/sober") -> None:
    """Ada's plan, shared with the partner's team, points to one goal more."""
    *ada, mine = plan(PARTNER, organization=COUNTY)
    mine["goal"].append(reference(to))
    await load(client, *ada, *goals, mine)


def included(answer: httpx.Response) -> set[str]:
    entries = [each for each in answer.json()["entry"] if each["search"]["mode"] == "include"]
    return {f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in entries}


def goals(answer: httpx.Response) -> list[str]:
    [mine] = [each["resource"] for each in answer.json()["entry"] if "goal" in each["resource"]]
    return [each["reference"] for each in mine["goal"]]


async def test_a_goal_unlike_its_plan_is_included_for_who_may_see_it(
    operator: httpx.AsyncClient, county: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    await pointing(operator, goal("sober", **SUD))
    assert included(await county.get(PULL)) == {*PLAIN, "Goal/sober"}
    hidden = await partner.get(PULL)
    assert included(hidden) == PLAIN
    assert "sober" not in hidden.text
    await load(operator, consent(PARTNER))
    shown = await partner.get(PULL)
    assert included(shown) == {*PLAIN, "Goal/sober"}
    assert "Goal/sober" in goals(shown)
    assert REDACTED not in shown.json()["entry"][0]["resource"].get("meta", {}).get("security", [])


async def test_what_was_deleted_is_not_included(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient
) -> None:
    await pointing(operator, goal("sober"))
    assert included(await partner.get(PULL)) == {*PLAIN, "Goal/sober"}
    assert (await operator.delete("/Goal/sober")).status_code == 204
    assert included(await partner.get(PULL)) == PLAIN


async def test_what_is_hidden_takes_as_many_statements_as_what_is_not_there(
    operator: httpx.AsyncClient,
    partner: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    database: Database,
) -> None:
    asked: list[str] = []
    together = Database.together

    def counted(self: Database, sql: str, *args: Any) -> Awaitable[list[Record]]:
        asked.append(sql)
        return together(self, sql, *args)

    monkeypatch.setattr(Database, "together", counted)
    await pointing(operator, goal("sober", **SUD))
    counts, answers = [], []
    for change in ("SELECT", "DELETE FROM resource WHERE id = 'sober'"):
        await database.execute(change)
        await partner.get(PULL)
        asked.clear()
        answers.append((await partner.get(PULL)).content)
        counts.append(len(asked))
    assert counts[0] == counts[1] > 1
    assert answers[0] == answers[1]


async def test_a_page_that_would_include_too_much_says_so(
    operator: httpx.AsyncClient, partner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pointing(operator, goal("sober", **SUD))
    for module in (vouched, bundle):
        monkeypatch.setattr(module, "MAX_INCLUDED", 3)
    entries = (await partner.get(f"{PULL}&_count=7")).json()["entry"]
    assert entries[-1]["resource"]["resourceType"] == "OperationOutcome"
    assert sum(each["search"]["mode"] == "include" for each in entries) <= 3


async def test_a_total_vouches_for_nothing(
    operator: httpx.AsyncClient,
    county: httpx.AsyncClient,
    partner: httpx.AsyncClient,
    database: Database,
) -> None:
    await load(operator, *plan(person="eve", organization=COUNTY))
    await pointing(operator, to="Goal/eve-goal-1")
    plain = await partner.get("/CarePlan?patient=ada")
    assert goals(plain) == ["Goal/ada-goal-1", "Goal/ada-goal-2"]
    # As many plans are found as the number of a row that is like the hidden goal.
    await database.execute("UPDATE resource SET rid = 1 WHERE id = 'eve-goal-2'")
    counted = await partner.get("/CarePlan?patient=ada&_total=accurate")
    assert counted.json()["total"] == 1
    assert goals(counted) == goals(plain)
