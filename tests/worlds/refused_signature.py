"""Kay, 33, will not sign and says why; nor will the clinic, and it does not say. Work goes on."""

from tests.worlds.world import World

KEY, NURSE = "PractitionerRole/gus", "PractitionerRole/ivy"
EXPECTED = {
    "therapy": "C51w C58w C60i",
    "core": "C51e C58w C60i",
    "hcbs": "C51e C58e C60i C65e C66e C67e C68e C70w",
    "oh-bh": "C16e C49e C51e C58w C60i",
}


def kay() -> World:
    world = World("kay", worker=KEY)
    world.person(birthDate="1992-11-23")
    world.episode()
    world.member(world.me, "Leads the plan")
    world.member(world.staff("gus", what="Outreach worker"), key=True)
    world.member(world.staff("ivy", what="Street nurse"), "Nurse")
    world.assessment()
    world.functioning("Finds food and shelter; sleeps badly; trusts two people.")
    world.strength("I know every door in this town.")
    world.preference("Outside, and no forms.")
    world.diet("Eats everything")
    world.risk("cold", "Freezes at night", "A place in the shelter below zero, whoever asks")
    goals(world)
    world.crisis("Gus, +1-614-555-0116, day or night.")
    world.discharge("A key of my own, for a year.")
    world.refuses(world.me, "I say yes to the plan, and I sign nothing. Ask me again in spring.")
    world.put(world[f"{world.provenance('kay-nurse-refused', world.plan)}"] | unsaid(world))
    world.signs(KEY)
    world.reviews()
    world.meets()
    return world


def unsaid(world: World) -> dict[str, object]:
    """The nurse would not sign either, without a word why."""
    said = world[f"Provenance/{world.who}-refused"]
    agent = [{**said["agent"][0], "who": {"reference": NURSE}}]
    return {"reason": [{"coding": said["reason"][0]["coding"]}], "agent": agent}


def goals(world: World) -> None:
    home = world.need("need-roof", "Sleeps outdoors, and wants a door to close")
    key = world.goal("key", "I have a key.", home, "2026-08-01", 1)
    list_ = world.step("list", "I am on the list of two houses.", key, "2026-02-01", 2)
    world.service("t1016-outreach", "Outreach", KEY, [key, list_], home)
    world.service("t1002-feet", "Wound care", NURSE, [key], home)
