"""Who stands for whom at another instant is the same in SQL as on paper."""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from app.consent.actors import actors, bases, reach
from app.consent.relationships import project
from app.fhir.grounds import standing_at
from app.storage.database import Database
from app.storage.sql import Arguments
from tests.consent.case import BASE, Case
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


async def test_standings_are_those_of_that_time(database: Database) -> None:
    worlds = [shifted(Random(seed)) for seed in range(WORLDS)]
    await load(database, worlds)
    changed = 0
    for number, each in enumerate(worlds):
        resources = [own(resource, number) for resource in each.everything]
        rows = [project(resource, BASE) for resource in resources]
        affiliated = [row for made in rows for row in made.get("affiliation", ())]
        related = [row for made in rows for row in made.get("relationship", ())]
        whose, asked = f"ada-{number}", access(each, number)
        seen = []
        for at in TIMES:
            args = Arguments()
            sql = standing_at(asked, at, args, args.add(whose, "text"))
            row = await database.fetchrow(*args.statement(sql))
            known = reach(asked.actors, affiliated, at)
            seen.append((actors(asked.actors, affiliated, at), known))
            assert (set(row["actors"]), set(row["reach"])) == seen[-1], each.actor
            assert set(row["bases"]) == bases(whose, known, related, at)
        changed += seen[0] != seen[1] or seen[1] != seen[2]
    assert changed > WORLDS / 5
