"""Nils, 58, has left: goals ended, summary written, aftercare and a first follow-up agreed."""

from datetime import date

from tests.build import HL7, concept, reference
from tests.worlds.frame import LOINC
from tests.worlds.world import World

KEY, COACH = "PractitionerRole/meg", "PractitionerRole/abe"
TODAY = date(2026, 9, 5)
EXPECTED = {
    "therapy": "C60i",
    "core": "C60i",
    "hcbs": "C60i C65e C66e C68e",
    "icf-iid": "C60i",
}


def nils() -> World:
    world = World("nils", worker=KEY, status="completed")
    world.person(birthDate="1967-08-19")
    world.episode(status="finished")
    world.member(world.me, "Leads the plan")
    world.member(world.staff("meg", "Organization/county", "Case manager"), key=True)
    world.member(world.staff("abe", what="Walking coach"), "Coach")
    world.assessment()
    world.functioning("Walks a mile; forgets names, not faces.")
    world.strength("I get up when the alarm goes.")
    world.preference("Short meetings.")
    world.diet("Eats everything")
    goals(world)
    world.crisis("My doctor's office, +1-614-555-0107.")
    leave(world)
    world.signs(world.me, KEY, COACH)
    world.explains()
    return world


def goals(world: World) -> None:
    walk = world.need("need-walk", "Wants to walk without fear")
    mile = world.goal("mile", "I walk to the lake.", walk, "2026-08-20", 1)
    block = world.step("block", "I walk around the block.", mile, "2026-01-31", 3)
    for goal in (mile, block):
        world[goal]["lifecycleStatus"] = "completed"
        world[goal]["achievementStatus"] = concept(f"{HL7}/goal-achievement", "achieved")
    walks = world.service("h2014-walks", "Skills training: walking", COACH, [mile, block], walk)
    world[walks]["status"] = "completed"


def leave(world: World) -> None:
    group = world.task("walking-group", "aftercare", world.me, "ready")
    world.part("discharge-plan", "To the lake and back, alone, ten times.", group)
    summary = {"resourceType": "DocumentReference", "id": "nils-summary", "status": "current"}
    summary |= {"type": concept(LOINC, "18842-5"), "subject": reference(world.me)}
    world.put(summary | {"content": [{"attachment": {"contentType": "text/plain"}}]})
    world.meets("2026-10-01")
