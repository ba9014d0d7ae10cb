"""What each Access lets through, as rows. Who supports whom: tests/properties/test_visible.py."""

from collections.abc import AsyncIterator
from datetime import datetime, tzinfo
from typing import Any

import pytest

from app.fhir.access import (
    Access,
    All,
    AnyOf,
    Everything,
    ExceptType,
    InCompartment,
    Matching,
    Nothing,
    OfType,
    Related,
)
from app.fhir.change import Change
from app.fhir.commit import commit
from app.fhir.context import Context
from app.fhir.search.parameters import date
from app.fhir.visible import reached, versions, visible
from app.storage.database import Database
from app.storage.sql import Arguments
from tests.admitted import context, put
from tests.build import goal, organization, patient, reference
from tests.http.conftest import serving

ONE, TWO = Related(("Organization/one",)), Related(("Organization/two",))
TYPES = ["Patient", "Goal", "Group", "Organization"]
GOALS = {"Goal/ada-goal", "Goal/ben-goal", "Goal/nobodys"}
ADA = {"Patient/ada", "Goal/ada-goal", "Group/ada"}
BEN = {"Patient/ben", "Goal/ben-goal"}
DIRECTORY = {"Organization/one", "Organization/two"}
ALL = {*ADA, *BEN, *DIRECTORY, *GOALS, "Group/both", "Group/nobody"}


def group(id_: str, *people: str) -> dict[str, Any]:
    member = [{"entity": reference(f"Patient/{person}")} for person in people]
    made = {"resourceType": "Group", "id": id_, "type": "person", "actual": True}
    return made | ({"member": member} if member else {})


WORLD = [
    organization("one"),
    organization("two"),
    patient("ada", "Organization/one"),
    patient("ben", "Organization/two"),
    goal("ada-goal", "Patient/ada", lifecycleStatus="active"),
    goal("ben-goal", "Patient/ben", lifecycleStatus="completed"),
    goal("nobodys") | {"subject": {"display": "Somebody"}},
    group("ada", "ada"),
    group("both", "ada", "ben"),
    group("nobody"),
]


@pytest.fixture
async def ctx(dsn: str, database: Database) -> AsyncIterator[Context]:
    async with serving(dsn) as running:
        operator = context(running.app.state.engine)
        await commit(operator, [put(resource) for resource in WORLD])
        yield operator


async def rows(ctx: Context, access: Access, types: list[str] = TYPES) -> set[str]:
    args = Arguments()
    sql = f"SELECT r.type, r.id FROM {visible(access, types, args)} AS r"
    found = await ctx.engine.database.fetch(*args.statement(sql))
    return {f"{row['type']}/{row['id']}" for row in found}


CASES: dict[str, tuple[Access, set[str]]] = {
    "nothing": (Nothing(), set()),
    "everything": (Everything("test"), ALL),
    "a type": (OfType("Goal"), GOALS),
    "every type": (OfType("*"), ALL),
    "no such type": (OfType("Condition"), set()),
    "but a type": (ExceptType("Goal"), ALL - GOALS),
    "a compartment": (InCompartment("ada"), ADA | DIRECTORY),
    "nobody's compartment": (InCompartment("eve"), DIRECTORY),
    "a relationship": (ONE, ADA | DIRECTORY),
    "two relationships": (
        Related((*ONE.actors, *TWO.actors)),
        ALL - {"Goal/nobodys", "Group/nobody"},
    ),
    "no actor": (Related(()), DIRECTORY),
    "a basis": (Related(ONE.actors, ("custodian",)), ADA | DIRECTORY),
    "another basis": (Related(ONE.actors, ("care-team", "own")), DIRECTORY),
    "a criterion": (
        Matching("Goal", (("lifecycle-status", "active"),)),
        {"Goal/ada-goal", "Goal/nobodys"},
    ),
    "two criteria": (
        Matching("Goal", (("lifecycle-status", "active"), ("patient", "ada"))),
        {"Goal/ada-goal"},
    ),
    "both": (All((ONE, TWO)), DIRECTORY),
    "either": (AnyOf((ONE, TWO)), ALL - {"Goal/nobodys", "Group/nobody", "Group/both"}),
    "a type of a relationship": (All((OfType("Goal"), ONE)), {"Goal/ada-goal"}),
    "types with different reach": (
        AnyOf((All((OfType("Goal"), ONE)), All((OfType("Patient"), TWO)), OfType("Organization"))),
        {"Goal/ada-goal", "Patient/ben", *DIRECTORY},
    ),
    "both with nothing": (All((ONE, Nothing())), set()),
    "either of nothing": (AnyOf(()), set()),
}


@pytest.mark.parametrize("name", CASES)
async def test_an_access_lets_through(ctx: Context, name: str) -> None:
    access, expected = CASES[name]
    assert await rows(ctx, access) == expected
    for type_ in TYPES:
        alone = {each for each in expected if each.startswith(f"{type_}/")}
        assert await rows(ctx, access, [type_]) == alone


async def test_what_is_deleted_is_still_judged(ctx: Context) -> None:
    """Whoever saw a resource sees that it was deleted, and nobody else does."""
    await commit(ctx, [Change("delete", "DELETE", "Goal", "ada-goal")])
    assert "Goal/ada-goal" in await rows(ctx, ONE)
    assert "Goal/ada-goal" not in await rows(ctx, TWO)


async def test_the_audit_trail_is_seen_by_who_supports_all_it_names(ctx: Context) -> None:
    async def seen(access: Access) -> int:
        return len(await rows(ctx, access, ["AuditEvent"]))

    everything = await seen(Everything("test"))
    assert 0 < await seen(ONE) < everything
    assert await seen(Nothing()) == 0


async def test_versions_of_another_patients_time_are_not_shown(ctx: Context) -> None:
    await commit(ctx, [put(goal("ada-goal", "Patient/ada", lifecycleStatus="completed"))])
    await commit(ctx, [put(goal("ada-goal", "Patient/ben"))])

    async def shown(access: Access) -> list[int]:
        args = Arguments()
        source = versions(access, "Goal", args)
        sql = f"SELECT r.version FROM {source} AS r WHERE r.id = 'ada-goal' ORDER BY r.version"
        return [row["version"] for row in await ctx.engine.database.fetch(*args.statement(sql))]

    assert await shown(ONE) == []
    assert await shown(TWO) == [3]
    assert await shown(Everything("test")) == [3]


async def test_only_the_current_version_is_shown_where_its_content_decides(ctx: Context) -> None:
    """An earlier version could be what the scope does not open."""
    await commit(ctx, [put(goal("ben-goal", "Patient/ben", lifecycleStatus="active"))])
    args = Arguments()
    narrow = Matching("Goal", (("lifecycle-status", "active"),))
    sql = f"SELECT r.version FROM {versions(narrow, 'Goal', args)} AS r WHERE r.id = 'ben-goal'"
    assert [row["version"] for row in await ctx.engine.database.fetch(*args.statement(sql))] == [2]


async def test_the_bound_of_a_plan_is_no_narrower_than_what_is_visible(ctx: Context) -> None:
    for access in (ONE, All((OfType("Goal"), ONE)), InCompartment("ada"), Everything("test")):
        args = Arguments()
        bound = reached(access, "Goal", args)
        if bound is None:
            continue
        found = await ctx.engine.database.fetch(*args.statement(bound))
        assert {row["patient"] for row in found} == {"ada"}
    assert reached(ONE, "Group", Arguments()) is None


def test_no_value_of_a_caller_is_written_into_the_statement() -> None:
    args = Arguments()
    evil = "x'; DROP TABLE resource; --"
    access = All((InCompartment(evil), Related((evil,)), Matching("Goal", (("_tag", evil),))))
    assert evil not in visible(access, ["Goal", "Patient", "Group"], args)


class Clock(datetime):
    """Whatever the time is, it is June of that year."""

    year_now = 2026

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime(cls.year_now, 6, 1, tzinfo=tz)


def test_a_scope_that_says_about_when_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """How far a date may be off follows from how long ago it is."""
    recent = Matching("Goal", (("start-date", "ap2026-01-01"),))
    found = []
    for year in (2026, 2027):
        monkeypatch.setattr(Clock, "year_now", year)
        monkeypatch.setattr(date, "datetime", Clock)
        args = Arguments()
        visible(recent, "Goal", args)
        found.append(args.values)
    # What was read by that clock is remembered: nobody else is to get instants of its class.
    date.interval.cache_clear()
    assert found[0] != found[1]
