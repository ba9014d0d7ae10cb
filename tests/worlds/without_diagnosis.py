"""Lea, 19, cares for her father and wants to study: a plan without a diagnosis, and none needed."""

from tests.worlds.world import World

KEY, TUTOR = "PractitionerRole/fay", "PractitionerRole/ned"
EXPECTED = {
    "therapy": "C60i",
    "core": "C60i",
    "oh-bh": "C16e C49e C60i",
}


def lea() -> World:
    world = World("lea", worker=KEY)
    world.person(birthDate="2006-07-07")
    world.relative("leas-aunt", "AUNT")
    world.allows("RelatedPerson/leas-aunt")
    world.member(world.me, "Leads the plan")
    world.member(world.staff("fay", what="Social worker"), key=True)
    world.member(world.staff("ned", "Organization/college", "Tutor"), "Tutor")
    world.member("RelatedPerson/leas-aunt", "Sits with my father on Tuesdays")
    world.assessment()
    world.functioning("Runs a household of two; three hours of her own a week.")
    world.strength("I keep calm when others do not.")
    world.preference("Write to me; I cannot always talk.")
    world.diet("Vegetarian")
    goals(world)
    world.crisis("If my father falls and I am away: my aunt, +1-614-555-0133.", "backup-plan")
    world.discharge("First year passed, and a carer for three days.")
    world.signs(world.me, KEY, TUTOR)
    world.explains()
    world.reviews()
    world.meets()
    return world


def goals(world: World) -> None:
    own = world.need("need-study", "Wants to study beside caring for her father")
    study = world.goal("study", "I pass the first year.", own, "2026-06-30", 6)
    exam = world.step("exam", "I sit two exams in winter.", study, "2026-02-20", 2)
    world.service("t1027-tutor", "Tutoring", TUTOR, [study, exam], own)
    world.helps("tuesdays", "RelatedPerson/leas-aunt", study)
