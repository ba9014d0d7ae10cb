"""Mia, 9, worries: a therapist in private practice, her parents, her school. No public funding."""

from tests.worlds.world import World

THERAPIST, MOTHER, FATHER = (
    "PractitionerRole/nell",
    "RelatedPerson/mias-mother",
    "RelatedPerson/mias-father",
)
EXPECTED = {
    "therapy": "C11i C29-overduei C48i C60i",
    "core": "C11w C29-overduei C48w C60i",
    "oh-bh": "C11w C16e C29-overduei C48w C49e C60i",
}


def mia() -> World:
    world = World("mia", worker=THERAPIST)
    world.person(birthDate="2016-04-11")
    world.relative("mias-mother", "MTH")
    world.relative("mias-father", "FTH")
    world.member(world.me, "Draws what the week was like")
    world.member(world.staff("nell", "Organization/nells-practice", "Child therapist"), key=True)
    world.member(MOTHER, "Practices with Mia; comes to every third hour")
    world.member(FATHER, "Reads with Mia in the evening")
    world.assessment(source={"reference": MOTHER})
    world.functioning("Sleeps with the light on; plays well with one friend at a time.")
    world.strength("I am good at drawing dragons.")
    world.preference("I want to draw while we talk.")
    goals(world)
    world.diet("No milk")
    world.crisis("If I cannot breathe: box breathing, then Mom, +1-614-555-0144.")
    world.discharge("Four weeks of sleeping in my own bed.")
    world.signs(MOTHER, FATHER, THERAPIST)
    world.explains()
    world.reviews()
    world.meets()
    return world


def goals(world: World) -> None:
    worries = world.need("need-sleep", "Is afraid at night")
    night = world.goal("own-bed", "I sleep in my own bed.", worries, "2026-06-30", 7)
    lamp = world.step("lamp", "I fall asleep with the small lamp.", night, "2025-12-20", 4)
    world.service(
        "90847-family", "Family therapy", THERAPIST, [night, lamp], worries, insurance=None
    )
    world.helps("reading", FATHER, lamp)
    world.helps("practice", MOTHER, night)
