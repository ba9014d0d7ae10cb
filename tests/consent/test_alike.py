"""What is as open as something visible is visible itself, in random worlds."""

from random import Random

from app.fhir.alike import alike
from app.fhir.compartments import is_single
from app.fhir.visible import visible
from app.storage.database import Database
from app.storage.sql import Arguments
from tests.consent.case import Case
from tests.consent.stored import access, load
from tests.consent.worlds import case, record

WORLDS = 120


def crowded(seed: int) -> Case:
    """A world with more records than one."""
    random = Random(seed)
    made = case(random)
    others = [record(random, f"other{number}") for number in range(8)]
    return Case(
        made.why,
        made.consents,
        made.expected,
        made.actor,
        made.purpose,
        made.action,
        made.resource,
        (*made.world, *others),
    )


async def test_what_a_visible_resource_vouches_for_is_visible(database: Database) -> None:
    worlds = [crowded(seed) for seed in range(WORLDS)]
    await load(database, worlds)
    vouched = refused = 0
    for number, world in enumerate(worlds):
        pairs = {
            (each["resourceType"], f"{each['id']}-{number}")
            for each in world.everything
            if is_single(each["resourceType"])
        }
        args = Arguments()
        types = sorted({type_ for type_, _ in pairs})
        source = visible(access(world, number), types, args)
        ids = args.add([id_ for _, id_ in pairs], "text[]")
        rows = await database.fetch(
            *args.statement(f"SELECT r.type, r.id FROM {source} AS r WHERE r.id = ANY({ids})")
        )
        seen = {(row["type"], row["id"]) for row in rows}
        args = Arguments()
        found = await database.fetch(*args.statement(alike(pairs, seen, args)))
        same = {(row["type"], row["id"]) for row in found}
        assert same <= seen
        vouched += len(same)
        refused += len(pairs - seen)
    assert vouched > WORLDS
    assert refused > WORLDS
