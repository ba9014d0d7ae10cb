"""R1 to R84: each is asked for by checks that find it missing, or held by tests that are there."""

import pytest

from app.isp.document.page import page
from app.isp.document.sections import sections
from app.isp.document.view import View
from app.isp.plan import assemble
from app.isp.words import words
from app.main import OPERATIONS
from tests.isp.breaking.cases import CASES
from tests.isp.requirements import PAGE, Requirement, markdown, requirements
from tests.isp.test_checks import places
from tests.named import exists
from tests.worlds.whole import TODAY, whole
from tests.worlds.world import World

ROWS = list(requirements())
CHECKED = [(one, rule.id) for one in ROWS for rule in one.rules]


def test_there_are_eighty_four() -> None:
    assert [one.id for one in ROWS] == [f"R{number}" for number in range(1, 85)]


@pytest.mark.parametrize(("row", "id_"), CHECKED, ids=[f"{one.id}-{id_}" for one, id_ in CHECKED])
def test_a_plan_that_does_not_meet_it_is_told(row: Requirement, id_: str) -> None:
    """A good plan is broken in one place, and the check finds it there."""
    broken = [(place, change) for check_, place, change in CASES if check_ == id_]
    assert broken, row.asked
    for place, change in broken[:1]:
        world = whole()
        change(world)
        assert place in places(world, id_)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.id))
def test_its_tests_are_there(row: Requirement) -> None:
    assert row.tests
    for named in row.tests:
        assert exists(named), named


def test_the_operations_it_names_are_meant_to_be() -> None:
    """Those that are served; the others are of the same family and not there yet."""
    named = {name for one in ROWS for name in one.operations}
    served = {name for name, one in OPERATIONS.items() if "isp-fhir.example" in one.definition}
    later = {"isp-create", "isp-review", "isp-renew", "isp-replace", "isp-discharge"}
    assert named <= served | later


def test_the_page_is_fresh() -> None:
    """Written anew by `python -m tests.isp.requirements`."""
    assert PAGE.read_text("utf-8") == markdown(set(OPERATIONS))


def read(world: World) -> str:
    view = View(assemble(world.all(), world.who), words("en"), TODAY)
    return page(view, list(sections(view)))


def test_r21_how_the_person_lives_is_told() -> None:
    world = whole()
    home = {"coding": [{"code": "social-history"}]}
    text = "I live above the bakery; the stairs are steep."
    world.support(world.observe("home", text, {"text": "Home"}, category=[home]))
    assert text in read(world)
