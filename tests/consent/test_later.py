"""Who stands for whom at another instant is the same in SQL as on paper."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from app.consent.actors import actors, bases, reach
from app.consent.relationships import project
from app.fhir.grounds import standing_at, standing_of
from app.storage.database import Database
from app.storage.sql import Arguments
from tests.build import organization, reference
from tests.consent.case import BASE, Case
from tests.consent.paper import PARTNER
from tests.consent.stored import access, load, own
from tests.consent.worlds import case

WORLDS = 150
TIMES = [datetime(year, 7, 1, tzinfo=UTC) for year in (2019, 2024, 2031)]
SPANS = (("2018", "2020"), ("2023", "2032"), ("2030", None), (None, "2024-01"))


def shifted(random: Random) -> Case:
    """A random world of which roles, teams and relatives have a time of their own."""
    made = case(random)
    world = []
    for each in made.everything:
        is_timed = each["resourceType"] in ("PractitionerRole", "CareTeam", "RelatedPerson")
        if is_timed and random.random() < 0.7:
            start, end = random.choice(SPANS)
            span = {name: at for name, at in (("start", start), ("end", end)) if at}
            world.append(each | {"period": span})
        else:
            world.append(each)
    return replace(made, world=tuple(world), resource=world[-1])


Known = tuple[frozenset[str], frozenset[str], frozenset[str]]


def on_paper(each: Case, number: int, principals: Collection[str], at: datetime) -> Known:
    """For whom the principals stand, who works for them, and by what they are related to Ada."""
    rows = [project(own(resource, number), BASE) for resource in each.everything]
    affiliated = [row for made in rows for row in made.get("affiliation", ())]
    related = [row for made in rows for row in made.get("relationship", ())]
    reached = reach(principals, affiliated, at)
    return (
        actors(principals, affiliated, at),
        reached,
        bases(f"ada-{number}", reached, related, at),
    )


async def in_sql(database: Database, made: Callable[[Arguments], str]) -> Known:
    args = Arguments()
    row = await database.fetchrow(*args.statement(made(args)))
    actors_, reached, held = (frozenset(row[name]) for name in ("actors", "reach", "bases"))
    return actors_, reached, held


async def test_standings_are_those_of_that_time(database: Database) -> None:
    """Whoever acts, by themselves or with an organization they do not work for."""
    worlds = [shifted(Random(seed)) for seed in range(WORLDS)]
    await load(database, worlds)
    changed = 0
    for number, each in enumerate(worlds):
        asked = access(each, number)
        if number % 3 == 0:
            both = (*asked.actors, f"Practitioner/other-{number}", f"{PARTNER}-{number}")
            asked = replace(asked, actors=both)
        whose = f"ada-{number}"
        now = await in_sql(database, lambda a: standing_of(asked, a, a.add(whose)))  # noqa: B023
        seen = [on_paper(each, number, asked.actors, at) for at in TIMES]
        paper = on_paper(each, number, asked.actors, datetime.now(UTC))
        counted = paper[2] & {standing.basis for standing in asked.standings}
        assert now == (*paper[:2], counted), each.actor
        for at, expected in zip(TIMES, seen, strict=True):
            found = await in_sql(
                database,
                lambda a: standing_at(asked, at, a, a.add(whose)),  # noqa: B023
            )
            assert found == expected, each.actor
        changed += len({each[:2] for each in seen}) > 1
    assert changed > WORLDS / 5


async def test_organizations_that_are_part_of_each_other_come_to_an_end(
    database: Database,
) -> None:
    ring = [
        organization(name, partOf=reference(f"Organization/{whole}"))
        for name, whole in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    await load(database, [Case("a ring", (), "deny", actor="Organization/a", world=tuple(ring))])
    asked = replace(access(Case("", (), "deny"), 0), actors=("Organization/a-0",))
    for made in (
        lambda a: standing_of(asked, a, a.add("ada")),
        lambda a: standing_at(asked, TIMES[1], a, a.add("ada")),
    ):
        found = await in_sql(database, made)
        assert found[0] == {f"Organization/{name}-0" for name in "abc"}
