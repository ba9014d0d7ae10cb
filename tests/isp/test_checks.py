from datetime import date

import pytest

from app.isp.check import check
from app.isp.plan import assemble
from app.isp.rules.profiles import Profile, profile
from app.isp.rules.rule import Finding
from app.isp.rules.table import RULES
from tests.isp.breaking.cases import CASES
from tests.isp.breaking.change import Break
from tests.worlds.whole import TODAY, whole
from tests.worlds.world import World

ALL = Profile("all", {rule.id: rule.ceiling for rule in RULES}, profile("core").limits)
ASKED_FOR_BY_LAW = {"C16", "C64-part2"}
"""What only some laws ask for: the whole plan, made for the core, does not hold it."""


def found(world: World, today: date = TODAY) -> list[Finding]:
    return check(assemble(world.all(), world.who), ALL, today)


def places(world: World, id_: str, today: date = TODAY) -> set[str]:
    return {f"{one.resource} {one.expression}" for one in found(world, today) if one.id == id_}


@pytest.mark.parametrize("id_", [rule.id for rule in RULES if rule.id not in ASKED_FOR_BY_LAW])
def test_a_whole_plan_has_no_finding(id_: str) -> None:
    assert places(whole(), id_) == set()


@pytest.mark.parametrize(
    ("id_", "place", "change"), CASES, ids=[f"{id_} {place}" for id_, place, _ in CASES]
)
def test_a_broken_plan_has_the_finding_at_its_place(id_: str, place: str, change: Break) -> None:
    world = whole()
    change(world)
    assert place in places(world, id_)


def test_every_check_has_a_case_that_breaks_it() -> None:
    assert {id_ for id_, _, _ in CASES} == {rule.id for rule in RULES}
