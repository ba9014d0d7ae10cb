"""`visible` lets through exactly what the rules permit, in any world, also after it has changed."""

from collections.abc import AsyncIterator, Sequence
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings

from app.admission import admit
from app.auth.caller import Caller
from app.auth.scopes import parse
from app.consent.access import permitted
from app.fhir.change import Change
from app.fhir.commit import commit
from app.fhir.context import Context
from app.fhir.visible import visible
from app.storage.database import Database
from app.storage.sql import Arguments
from tests.conftest import CLEAN
from tests.http.conftest import serving
from tests.properties import rules
from tests.properties.worlds import ORGANIZATIONS, PATIENTS, PRACTITIONERS, RELATED, ROLES, worlds

Json = dict[str, Any]
TYPES = [
    "Patient",
    "Goal",
    "CareTeam",
    "Consent",
    "RelatedPerson",
    "Group",
    "Organization",
    "PractitionerRole",
]
CALLERS = [
    *((each,) for each in (*ORGANIZATIONS, *PRACTITIONERS, *RELATED, *PATIENTS)),
    (ORGANIZATIONS[0], PRACTITIONERS[0]),
    (ORGANIZATIONS[1], ROLES[0]),
    (ORGANIZATIONS[0], RELATED[1]),
]
number = count()


@pytest.fixture(scope="module")
async def operator(dsn: str, pool: Database) -> AsyncIterator[Context]:
    await pool.execute(CLEAN)
    scopes = parse("system/*.cruds")
    caller = Caller("c", "operator", None, None, None, None, scopes, frozenset(), None, "t", 0)
    async with serving(dsn, references="lenient") as running:
        yield admit(running.app.state.engine, caller, "r")


def placed(world: Sequence[Json], prefix: str) -> list[Json]:
    """The world with ids of its own, so that many fit into one database."""
    made: list[Json] = orjson.loads(orjson.dumps(world).replace(b"W-", prefix.encode()))
    return made


async def write(ctx: Context, world: Sequence[Json], gone: Sequence[Json] = ()) -> None:
    puts = [
        Change("update", "PUT", one["resourceType"], one["id"], one, may_create=True)
        for one in world
    ]
    deletions = [Change("delete", "DELETE", one["resourceType"], one["id"]) for one in gone]
    await commit(ctx, [*deletions, *puts])


async def seen(ctx: Context, actors: Sequence[str], prefix: str) -> set[str]:
    args = Arguments()
    source = visible(permitted(tuple(actors), rules.PURPOSES, "r"), TYPES, args)
    mine = f"starts_with(r.id, {args.add(prefix)})"
    sql = f"SELECT r.type, r.id FROM {source} AS r WHERE NOT r.deleted AND {mine}"
    rows = await ctx.engine.database.fetch(*args.statement(sql))
    return {f"{row['type']}/{row['id']}" for row in rows}


async def check(ctx: Context, world: Sequence[Json], prefix: str) -> None:
    for caller in CALLERS:
        actors = [actor.replace("W-", prefix) for actor in caller]
        assert await seen(ctx, actors, prefix) == rules.visible(world, actors), actors


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=worlds(), second=worlds())
async def test_what_is_visible_is_what_the_rules_permit(
    operator: Context, first: list[Json], second: list[Json]
) -> None:
    prefix = f"w{next(number)}-"
    before, after = placed(first, prefix), placed(second, prefix)
    await write(operator, before)
    await check(operator, before, prefix)
    kept = {(one["resourceType"], one["id"]) for one in after}
    gone = [one for one in before if (one["resourceType"], one["id"]) not in kept]
    await write(operator, after, gone)
    await check(operator, after, prefix)


@settings(max_examples=25, deadline=None)
@given(world=worlds())
def test_the_worlds_are_neither_all_open_nor_all_closed(world: list[Json]) -> None:
    for caller in CALLERS:
        found = rules.visible(world, caller)
        assert {"Organization/W-one", "PractitionerRole/W-role-0"} <= found
        assert "Goal/W-lost" not in found
