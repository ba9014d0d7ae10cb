"""app/jobs/clock.py: reviews and renewals come by themselves, and what is late is marked."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.fhir.engine import Engine
from app.isp.codes import CLIENT_REQUEST, ISP, PLAN, RENEWAL, REVIEW
from app.isp.element import codes
from app.isp.rules.profiles import DEFAULT, profile
from app.isp.schedule import marked, missing, renewal_due, review_due, task
from app.jobs import clock
from app.jobs.clock import tick
from app.loading import load
from app.main import create_app
from app.reading import Item
from app.settings import Settings
from app.storage.alone import alone
from app.storage.database import Database
from app.welcome import demonstrate
from tests.build import care_plan, concept, patient, reference

Json = dict[str, Any]
LIMITS = profile(DEFAULT).limits
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TASKS = "SELECT body FROM resource WHERE type = 'Task' ORDER BY id"


def isp(id_: str = "ada-plan", **elements: Any) -> Json:
    made = care_plan(id_=id_, period={"start": "2026-01-31", "end": "2027-01-30"})
    return made | {"category": [*made["category"], concept(ISP, PLAN)]} | elements


def review(**elements: Any) -> Json:
    return task(isp(), REVIEW, date(2026, 7, 31), NOW) | elements


async def store(engine: Engine, *resources: Json) -> None:
    items = [Item("test", 1, one, is_update=True) for one in resources]
    assert (await load(engine, items, is_as_recorded=True)).refused == []


def test_the_clock_runs_from_the_start_of_the_plan() -> None:
    assert review_due(isp(), [], LIMITS) == date(2026, 7, 31)
    assert renewal_due(isp(), LIMITS) == date(2027, 1, 30)
    edited = isp(meta={"lastUpdated": "2026-06-01T10:00:00Z", "versionId": "7"})
    assert review_due(edited, [], LIMITS) == date(2026, 7, 31)


def test_the_next_review_follows_the_one_that_was_held() -> None:
    held = review(status="completed", executionPeriod={"end": "2026-05-15T10:00:00Z"})
    assert review_due(isp(), [held], LIMITS) == date(2026, 11, 15)
    late = review(status="completed", executionPeriod={"end": "2026-11-15T10:00:00Z"})
    assert review_due(isp(), [late], LIMITS) == date(2027, 1, 30)


def test_a_plan_without_an_end_is_renewed_after_a_year() -> None:
    assert renewal_due(isp(period={"start": "2026-01-31"}), LIMITS) == date(2027, 1, 30)
    assert review_due(isp(period={"end": "2026-01-31"}), [], LIMITS) is None


def test_what_is_asked_for_takes_no_place_in_the_calendar() -> None:
    asked = review(reasonCode=concept(ISP, CLIENT_REQUEST))
    kinds = [codes(one["code"]) for one in missing(isp(), [asked], LIMITS, NOW)]
    assert kinds == [{REVIEW}, {RENEWAL}]
    assert [codes(one["code"]) for one in missing(isp(), [review()], LIMITS, NOW)] == [{RENEWAL}]


def test_what_is_late_is_marked_once() -> None:
    late = review()
    assert marked(late, LIMITS, date(2026, 7, 31)) is None
    said = marked(late, LIMITS, date(2026, 8, 1))
    assert said is not None
    assert codes(said["businessStatus"]) == {"overdue"}
    assert marked(said, LIMITS, date(2026, 8, 2)) is None
    assert marked(late | {"status": "completed"}, LIMITS, date(2026, 8, 1)) is None


def test_a_request_waits_some_days_before_it_is_marked() -> None:
    asked = review(authoredOn="2026-03-01", reasonCode=concept(ISP, CLIENT_REQUEST))
    days = LIMITS["request_days"]
    assert marked(asked, LIMITS, date(2026, 3, 1) + timedelta(days)) is None
    said = marked(asked, LIMITS, date(2026, 3, 2) + timedelta(days))
    assert said is not None
    assert codes(said["businessStatus"]) == {"unanswered"}
    assert marked(asked | {"status": "accepted"}, LIMITS, date(2026, 12, 1)) is None


async def test_a_plan_in_force_gets_its_tasks_once(engine: Engine, database: Database) -> None:
    draft = isp("ada-draft", status="draft")
    other = care_plan(id_="ada-other")
    part = isp("ada-part", partOf=[reference("CarePlan/ada-plan")])
    await store(engine, patient(organization=None), isp(), draft, other, part)
    first = await tick(engine, NOW)
    assert (first.made, first.marked, first.left) == (2, 0, 0)
    rows = await database.fetch(TASKS)
    assert len(rows) == 2
    assert all('"CarePlan/ada-plan"' in row["body"] for row in rows)
    again = await tick(engine, NOW)
    assert (again.made, again.marked) == (0, 0)
    late = await tick(engine, NOW + timedelta(days=400))
    assert (late.made, late.marked, late.left) == (0, 2, 0)
    assert all('"overdue"' in row["body"] for row in await database.fetch(TASKS))
    again = await tick(engine, NOW + timedelta(days=400))
    assert (again.made, again.marked) == (0, 0)


async def test_clocks_that_run_at_once_make_each_task_once(
    engine: Engine, database: Database
) -> None:
    plans = [isp(f"plan-{number}", subject=reference(f"Patient/p{number}")) for number in range(4)]
    people = [patient(f"p{number}", organization=None) for number in range(4)]
    await store(engine, *people, *plans)
    rounds = await asyncio.gather(*(tick(engine, NOW) for _ in range(3)))
    assert sum(one.made for one in rounds) == 8
    assert len(await database.fetch(TASKS)) == 8


async def test_one_server_at_a_time_looks_at_the_clock(dsn: str) -> None:
    async with alone(dsn, clock.LOCK) as first:
        assert first is not None
        async with alone(dsn, clock.LOCK) as second:
            assert second is None
    async with alone(dsn, clock.LOCK) as third:
        assert third is not None


async def test_a_server_keeps_the_clock_by_itself(
    dsn: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = asyncio.Event()

    async def look(_: Engine) -> clock.Ticked:
        looked.set()
        return clock.Ticked()

    sleep = asyncio.sleep
    monkeypatch.setattr(clock, "tick", look)
    monkeypatch.setattr(clock.asyncio, "sleep", lambda _: sleep(0))
    app = create_app(Settings(database_url=dsn), jobs=(clock.keep,))
    async with app.router.lifespan_context(app):
        await asyncio.wait_for(looked.wait(), 10)


async def test_the_demonstration_lacks_no_review(engine: Engine) -> None:
    assert (await demonstrate(engine)).refused == []
    done = await tick(engine)
    assert (done.made, done.left) == (0, 0)
