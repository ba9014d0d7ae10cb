"""The decision in SQL is the decision on paper: every case, and worlds by the thousand."""

from random import Random

from app.storage.database import Database
from tests.consent.case import decision
from tests.consent.stored import load, shown
from tests.consent.test_cases import CASES
from tests.consent.worlds import case

WORLDS, BATCH = 2_000, 500


async def test_every_case_is_shown_as_the_table_says(database: Database) -> None:
    await load(database, CASES)
    wrong = [
        each.why
        for number, each in enumerate(CASES)
        if await shown(database, each, number) != (each.expected == "permit")
    ]
    assert wrong == []


async def test_random_worlds_are_shown_as_they_are_permitted(database: Database) -> None:
    """Consents nested and chained, teams, roles, groups, all kinds of labels and limits."""
    wrong, permitted = [], 0
    worlds = [case(Random(seed)) for seed in range(WORLDS)]
    for start in range(0, WORLDS, BATCH):
        await database.execute(
            "TRUNCATE resource, resource_version, relationship,"
            " affiliation, consent_rule, index_reference"
        )
        batch = worlds[start : start + BATCH]
        await load(database, batch)
        for number, each in enumerate(batch):
            is_permitted = decision(each).outcome == "permit"
            permitted += is_permitted
            if await shown(database, each, number) != is_permitted:
                wrong.append((start + number, is_permitted))
    assert wrong == []
    assert WORLDS / 5 < permitted < WORLDS * 4 / 5
