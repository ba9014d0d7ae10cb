"""What consents let through beside what else an access asks, and which of them did."""

from collections.abc import AsyncIterator
from itertools import permutations

import pytest

from app.consent.policy import standings
from app.fhir.access import (
    Access,
    All,
    AnyOf,
    InCompartment,
    Matching,
    OfType,
    Permitted,
    Related,
)
from app.fhir.commit import commit
from app.fhir.context import Context
from app.fhir.visible import versions, visible
from app.storage.database import Database
from app.storage.sql import Arguments
from tests.admitted import context, put
from tests.build import consent, goal, patient
from tests.fhir.test_visible import DIRECTORY, TYPES, WORLD, group
from tests.http.conftest import serving

TWO = "Organization/two"
PURPOSES, ACTIONS = ("TREAT",), ("access",)

WORLD_OF_CONSENTS = [
    *WORLD,
    patient("eve", "Organization/one"),
    goal("eve-goal", "Patient/eve"),
    group("all", "ada", "ben", "eve"),
    group("open", "ada", "cem", "ben"),
    patient("cem", "Organization/one"),
    consent(TWO, id_="yes"),
    consent(TWO, id_="cems", patient="Patient/cem"),
]

BY_CONSENT = {"Patient/ada", "Goal/ada-goal", "Group/ada"}
SEEN = BY_CONSENT | {"Patient/ben", "Patient/cem", "Goal/ben-goal", "Group/both", "Group/open"}


def permitted(*actors: str) -> Permitted:
    return Permitted(actors, PURPOSES, ACTIONS, standings(PURPOSES, ACTIONS))


ASKING = permitted(TWO)

PARTS: dict[str, Access] = {
    "consents to another": permitted("Organization/one"),
    "a relationship": Related((TWO,)),
    "a compartment": InCompartment("ada"),
    "a type": OfType("Goal"),
    "a criterion": Matching("Goal", (("lifecycle-status", "active"),)),
}


@pytest.fixture
async def ctx(dsn: str, database: Database) -> AsyncIterator[Context]:
    async with serving(dsn) as running:
        operator = context(running.app.state.engine)
        await commit(operator, [put(resource) for resource in WORLD_OF_CONSENTS])
        yield operator


async def opened(
    ctx: Context, access: Access, types: list[str] = TYPES
) -> dict[str, tuple[str, ...]]:
    """By reference what is visible, with the Consents that opened it."""
    args = Arguments()
    sql = f"SELECT r.type, r.id, r.consents FROM {visible(access, types, args)} AS r"
    found = await ctx.engine.database.fetch(*args.statement(sql))
    return {f"{r['type']}/{r['id']}": tuple(sorted(r["consents"] or ())) for r in found}


async def test_each_person_a_resource_is_about_permits_it(ctx: Context) -> None:
    found = await opened(ctx, ASKING)
    assert set(found) == SEEN | DIRECTORY
    assert found["Goal/ada-goal"] == found["Group/both"] == ("ada/yes",)
    assert found["Group/open"] == ("ada/yes", "cem/cems")
    assert found["Goal/ben-goal"] == found["Organization/one"] == ()
    for type_ in TYPES:
        alone = {each: by for each, by in found.items() if each.startswith(f"{type_}/")}
        assert await opened(ctx, ASKING, [type_]) == alone


@pytest.mark.parametrize("name", PARTS)
async def test_several_parts_let_through_what_all_or_any_of_them_do(
    ctx: Context, name: str
) -> None:
    """Whatever comes first; and where consents have a part in it they are named."""
    mine, other = await opened(ctx, ASKING), await opened(ctx, PARTS[name])
    for parts in permutations((ASKING, PARTS[name])):
        both, either = await opened(ctx, All(parts)), await opened(ctx, AnyOf(parts))
        assert set(both) == set(mine) & set(other)
        assert set(either) == set(mine) | set(other)
        if name != "consents to another":
            assert both == {each: mine[each] for each in both}
            found = {each: by for each, by in either.items() if by}
            assert found.items() <= mine.items()


async def test_types_that_are_open_on_different_grounds_are_told_apart(ctx: Context) -> None:
    """Consents open goals, and a relationship the rest."""
    goals = All((OfType("Goal"), ASKING))
    found = await opened(ctx, AnyOf((goals, All((OfType("Patient"), Related((TWO,)))))))
    assert found == {"Goal/ada-goal": ("ada/yes",), "Goal/ben-goal": (), "Patient/ben": ()}
    people = All((OfType("Patient"), permitted("Organization/one")))
    found = await opened(ctx, AnyOf((goals, people)))
    theirs = {f"Patient/{who}" for who in ("ada", "eve", "cem")}
    assert set(found) == {"Goal/ada-goal", "Goal/ben-goal", *theirs}


async def test_without_a_relationship_that_counts_only_consents_open(ctx: Context) -> None:
    access = Permitted((TWO,), PURPOSES, ACTIONS, ())
    assert set(await opened(ctx, access)) == BY_CONSENT | {"Patient/cem"} | DIRECTORY


async def test_a_content_that_decides_closes_versions_of_its_own_type_alone(ctx: Context) -> None:
    await commit(ctx, [put(goal("ben-goal", "Patient/ben", lifecycleStatus="active"))])
    await commit(ctx, [put(patient("ben", TWO, birthDate="1990-01-01"))])
    access = AnyOf((PARTS["a criterion"], OfType("Patient")))
    args = Arguments()
    sql = (
        f"SELECT r.type, r.version FROM {versions(access, ['Goal', 'Patient'], args)} AS r"
        " WHERE r.id IN ('ben-goal', 'ben') ORDER BY r.type, r.version"
    )
    rows = await ctx.engine.database.fetch(*args.statement(sql))
    shown = [(row["type"], row["version"]) for row in rows]
    assert shown == [("Goal", 2), ("Patient", 1), ("Patient", 2)]


async def test_a_provision_of_one_grant_closes_versions_of_its_own_types_alone(
    ctx: Context,
) -> None:
    """What the provision looks at is judged for the types that consents have a say in."""
    narrow = consent(TWO, "deny", "narrow")
    kind = {"system": "http://hl7.org/fhir/resource-types", "code": "Task"}
    narrow["provision"]["class"] = [kind]
    await commit(ctx, [put(narrow)])
    await commit(ctx, [put(goal("ada-goal", "Patient/ada", description={"text": "New"}))])
    await commit(ctx, [put(patient("ada", "Organization/one", birthDate="1990-01-01"))])
    access = AnyOf((All((OfType("Goal"), ASKING)), OfType("Patient")))
    args = Arguments()
    sql = (
        "SELECT r.type, r.version, r.superseded, r.last_updated"
        f" FROM {versions(access, ['Goal', 'Patient'], args)} AS r"
        " WHERE r.id IN ('ada-goal', 'ada') ORDER BY r.type, r.version"
    )
    rows = await ctx.engine.database.fetch(*args.statement(sql))
    shown = [(row["type"], row["version"]) for row in rows]
    assert shown == [("Goal", 2), ("Patient", 1), ("Patient", 2)]
    assert [row["superseded"] for row in rows] == [None, rows[2]["last_updated"], None]
