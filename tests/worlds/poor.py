"""Zed, deliberately poor: a form filled in by somebody who never met him."""

from tests.worlds.world import World

KEY = "PractitionerRole/max"
ALWAYS = (
    "C01e C08e C09e C10e C12e C14e C15i C17e C20e C21e C22w C23e C25e C27e C31e C35e C45w "
    "C53e C54e C59w C60i"
)
CORE = f"{ALWAYS} C11w C18w C30e C34w C41w C42e C47e C51e"
SOFT = "C13w C28w C44w C58w C61w"
EXPECTED = {
    "therapy": f"{ALWAYS} {SOFT} C11i C18i C30w C34i C41i C42w C47i C51w",
    "core": f"{CORE} {SOFT}",
    "va": f"{CORE} C13w C28w C44e C58w C61w",
    "ny": f"{CORE} C13w C28w C44w C58e C61e",
    "icf-iid": f"{CORE} C13e C28w C44e C58w C61e".replace("C18w", "C18e"),
    "oh-bh": f"{CORE} C13w C16e C28e C44e C49e C58w C61w".replace("C18w", "C18e"),
    "hcbs": f"{CORE} C13e C28e C44e C58e C61w C65e C66e C68e C69e".replace("C11w", "C11e"),
}


def zed() -> World:
    world = World("zed", worker=KEY, end="")
    world.person(communication=None)
    need = world.need("need-zed", "Noncompliant")
    world.need("need-other", "Housing")
    poor = {"target": None, "expressedBy": None, "extension": None, "category": None, "note": None}
    world.goal(
        "comply", "Patient will comply with treatment.", need, "2026-08-31", addresses=None, **poor
    )
    world.goal(
        "better", "Patient will feel better.", need, "2026-08-31", achievementStatus=None, **poor
    )
    bare = {"occurrenceTiming": None, "performer": None, "reasonReference": None, "insurance": None}
    world.service(
        "services",
        "Services as needed",
        KEY,
        [],
        need,
        code={"text": "Services"},
        extension=None,
        **bare,
    )
    world.risk("anger", "Gets angry", None)
    world.changes |= {"title": None, "category": None}
    return world
