"""Tomas, 28: his sister is guardian and signs; he agrees goal by goal, and rejects one himself."""

from tests.build import reference
from tests.worlds.world import World

KEY, CLUB = "PractitionerRole/ola", "PractitionerRole/raf"
SISTER, GRANDMA = "RelatedPerson/tomas-sister", "RelatedPerson/tomas-grandmother"
EXPECTED = {
    "therapy": "C24e C41i C60i",
    "core": "C24e C41w C60i",
    "hcbs": "C24e C41w C60i C65e C66e",
}
"""Grandmother sits on the team, and neither the guardian nor anybody else consented to it."""


def tomas() -> World:
    world = World("tomas", worker=KEY)
    world.person(birthDate="1997-10-12")
    world.episode()
    world.relative("tomas-sister", "GUARD")
    world.relative("tomas-grandmother", "GRMTH")
    world.member(world.me, "Says yes or no to every goal")
    world.member(world.staff("ola", what="Support coordinator"), key=True)
    world.member(world.staff("raf", "Organization/boat-club", "Coach"), "Coach")
    world.member(SISTER, "Guardian")
    world.member(GRANDMA, "Knows his childhood")
    world.assessment(source=reference(SISTER))
    world.functioning("Understands pictures; decides quickly; needs time to say it.")
    world.strength("I can row for an hour.")
    world.preference("Show me a picture.")
    goals(world)
    world.crisis("On the water: the coach; on land my sister, +1-614-555-0190.")
    world.discharge("A full season in the club without a helper.")
    world.signs(SISTER, KEY, CLUB)
    world.explains()
    world.reviews()
    world.meets()
    return world


def goals(world: World) -> None:
    club = world.need("need-club", "Wants to be with people who row")
    row = world.goal("row", "I row with the others.", club, "2026-08-15", 2)
    world.step("alone", "I carry the boat with one other.", row, "2026-04-30", 1)
    cook = world.goal("cook", "Cooking class.", club, "2026-08-15", 1)
    world[cook]["lifecycleStatus"] = "rejected"
    world[cook]["statusReason"] = "Tomas pushed the picture away, twice."
    world.service("h2032-row", "Activity therapy: rowing", CLUB, [row], club)
    world.helps("to-the-lake", SISTER, row)
