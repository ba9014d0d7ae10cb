"""Rosa, 52, lives in a small home: staff, a nurse, a brother as guardian, a locked cupboard."""

from tests.build import reference
from tests.worlds.frame import FORMS, local
from tests.worlds.world import World

KEY, HOUSE, NURSE = "PractitionerRole/quin", "PractitionerRole/hana", "PractitionerRole/nico"
BROTHER = "RelatedPerson/rosas-brother"
EXPECTED = {
    "therapy": "C60i",
    "core": "C60i",
    "icf-iid": "C60i",
    "hcbs": "C60i",
    "ny": "C60i",
}


def rosa() -> World:
    world = World("rosa", worker=KEY)
    world.person(birthDate="1973-02-20")
    world.episode("2025-08-11")
    world.relative("rosas-brother", "GUARD")
    world.member(world.me, "Chooses")
    world.member(world.staff("quin", what="Service coordinator"), key=True)
    world.member(world.staff("hana", "Organization/little-house", "House lead"), "House lead")
    world.member(world.staff("nico", "Organization/nurses", "Nurse"), "Nurse")
    world.member(BROTHER, "Guardian; Sundays")
    world.meeting()
    world.choices(source=reference(BROTHER))
    world.assessment(source=reference(BROTHER))
    world.functioning("Dresses herself; needs a hand with steps and with sugar.")
    world.strength("I remember every birthday.")
    world.preference("Tell me the day before what is coming.")
    world.diet("Diabetic diet, soft")
    world.risk(
        "sugar", "Too much sugar when alone", "Locked cupboard until February, walks instead"
    )
    world.risk("fall", "Falls on the stairs", "A rail on both sides, shoes with backs")
    goals(world)
    world.crisis(
        "If nobody can come: on-call list, +1-518-555-0170, then my brother.", "backup-plan"
    )
    world.part("behavior-support-plan", "Praise first; nobody stands in the door.")
    world.discharge("When I want a flat of my own: a year of cooking for myself.")
    world.signs(BROTHER, KEY, HOUSE, NURSE)
    world.explains()
    world.reviews()
    world.meets()
    return world


def goals(world: World) -> None:
    kitchen = world.need("need-kitchen", "Wants to cook, and must watch her sugar")
    cook = world.goal("cook", "I cook for my friends.", kitchen, "2026-08-20", 1)
    soup = world.step("soup", "I make soup with Hana.", cook, "2026-02-10", 2)
    world.service("t2016-home", "Residential habilitation", HOUSE, [cook, soup], kitchen)
    world.service("t1002-nurse", "Nursing", NURSE, [cook], kitchen)
    cupboard = world.service("t2016-cupboard", "Sweets are locked up", HOUSE, [cook], kitchen)
    world[cupboard]["category"] = [local("rights-restriction")]
    world[cupboard]["supportingInfo"] = justified(world)
    world.helps("sunday-lunch", BROTHER, cook)


def justified(world: World) -> list[dict[str, str]]:
    """The eight questions of 42 CFR 441.301(c)(2)(xiii), and the guardian's consent."""
    form = {"resourceType": "QuestionnaireResponse", "id": "cupboard-asked", "status": "completed"}
    form |= {"questionnaire": f"{FORMS}/rights-modification", "subject": reference(world.me)}
    form["authored"] = "2025-08-25"
    form["item"] = [{"linkId": f"r{n}", "answer": [{"valueString": "yes"}]} for n in range(1, 9)]
    return [reference(world.put(form)), reference(world.allows(BROTHER))]
