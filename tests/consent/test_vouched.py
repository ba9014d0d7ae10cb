"""What is included because a match vouches for it is what weighing it would show, by the same
Consents; in random worlds."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from app.fhir.access import Access
from app.fhir.search import compile
from app.fhir.search.query import Query
from app.fhir.search.vouched import APART, unvouched
from app.storage.database import Database
from app.storage.sql import Arguments
from tests.build import SUD, consent, reference
from tests.consent.case import BASE, Case
from tests.consent.paper import Resource, coding, part_2, rule
from tests.consent.stored import access, load
from tests.consent.worlds import case, record
from tests.fhir.search.conftest import asked

WORLDS = 300
SEALED = {"meta": {"security": [*SUD["meta"]["security"], coding("sensitivity", "42CFRPart2")]}}
KINDS = ("Goal", "Condition", "CareTeam", "Observation")
INCLUDES = "&_include=CarePlan:goal&_include=CarePlan:condition&_include=CarePlan:care-team"

Shown = set[tuple[str, str, tuple[str, ...]]]


def framed(seed: int) -> Case:
    """A world with plans that point to goals, conditions and teams, also to what is not there and
    to what is about somebody else."""
    random = Random(seed)
    made = case(random)
    others = [one(random, f"r{n}", random.choice(KINDS)) for n in range(8)]
    named = [f"{each['resourceType']}/{each['id']}" for each in others] + ["Goal/nothing"]
    plans = [one(random, f"plan{n}", "CarePlan") for n in range(3)]
    for plan in plans:
        for element, type_ in (("goal", "Goal"), ("addresses", "Condition"), ("careTeam", "Care")):
            plan[element] = [reference(name) for name in named if name.startswith(type_)]
    # Of the same ids, and no plan points to them.
    twins = [one(random, each["id"], "CareTeam") for each in others if "Care" not in str(each)]
    plain = consent(made.actor, id_="plain")
    sealed = part_2(rule("permit", to=made.actor)) | {"id": "sealed"}
    consents = random.choice((made.consents, made.consents, (plain,), (plain, sealed)))
    return replace(made, consents=consents, world=(*made.world, *twins, *others, *plans))


def one(random: Random, id_: str, type_: str) -> Resource:
    """A resource that mostly bears no label, and now and then is about somebody else."""
    made = record(random, id_, "eve" if random.random() < 0.1 else "ada")
    made["resourceType"] = type_
    if random.random() < 0.7:
        made.pop("meta", None)
    if random.random() < 0.3:
        made["meta"] = random.choice((SUD, SEALED))["meta"]
    return made


def rows_of(found: list[Any]) -> Shown:
    return {
        (row["type"], row["id"], tuple(sorted(row["consents"] or ())))
        for row in found
        if row["mode"] == "include"
    }


async def fetched(database: Database, query: Query, of: Access) -> list[Any]:
    return await database.fetch(*compile.compile_search(query, of, BASE).complete)


async def test_what_a_match_vouches_for_is_what_would_be_weighed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = [framed(seed) for seed in range(WORLDS)]
    await load(database, worlds)
    vouched = shown_apart = refused = 0
    for number, world in enumerate(worlds):
        query, of = asked(f"CarePlan?patient=ada-{number}{INCLUDES}"), access(world, number)
        found = await fetched(database, query, of)
        names = {row["id"] for row in found if row["mode"] == APART}
        args = Arguments()
        apart = rows_of(await database.fetch(*args.statement(unvouched(query, names, of, args))))
        with monkeypatch.context() as patch:
            patch.setattr(compile, "is_vouched", lambda *_: False)
            whole = rows_of(await fetched(database, query, of))
        assert rows_of(found) | apart == whole
        assert not rows_of(found) & apart
        vouched += len(rows_of(found))
        shown_apart += len(apart)
        refused += len(names) - len(apart)
    assert min(vouched, shown_apart, refused) > WORLDS
