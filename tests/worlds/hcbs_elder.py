"""Edith, 81, stays in her flat: an aide, meals, a daughter with a key. Medicaid waiver."""

from tests.worlds.world import World

KEY, AIDE = "PractitionerRole/una", "PractitionerRole/kim"
DAUGHTER = "RelatedPerson/ediths-daughter"
EXPECTED = {
    "therapy": "",
    "core": "",
    "hcbs": "",
    "ny": "C61e",
    "oh-bh": "C16e C49e",
    "icf-iid": "",
}


def edith() -> World:
    world = World("edith", worker=KEY)
    world.person(birthDate="1944-06-06")
    world.episode("2025-08-15")
    world.relative("ediths-daughter", "DAU")
    world.allows(DAUGHTER)
    world.member(world.me, "Decides")
    world.member(world.staff("una", "Organization/area-agency", "Support planner"), key=True)
    world.member(world.staff("kim", "Organization/home-care", "Home aide"), "Aide")
    world.member("Organization/meals-on-wheels", "Lunch")
    world.member(DAUGHTER, "Weekends; has the key")
    world.meeting()
    world.choices()
    world.assessment()
    world.functioning("Walks with a stick; cannot reach the stove safely; hears well.")
    world.strength("I taught school for thirty years, and I still correct people.")
    world.preference("The same aide, please, and not before nine.")
    world.diet("Little salt")
    world.risk("fall", "Falls at night", "A lamp with a sensor; the button on the wrist")
    goals(world)
    world.crisis("If Kim cannot come: agency, +1-614-555-0161, then my daughter.", "backup-plan")
    world.discharge("When I want to move to my daughter's.")
    world.changes["instantiatesCanonical"] = ["https://isp-fhir.example/PlanDefinition/waiver"]
    world.signs(world.me, KEY, AIDE, "Organization/meals-on-wheels")
    world.explains()
    world.reviews()
    world.meets()
    return world


def goals(world: World) -> None:
    home = world.need("need-home", "Wants to live at home, and needs a hand with bath and food")
    out = world.need("need-church", "Has not been to church since spring")
    stay = world.goal("stay-home", "I stay in my flat.", home, "2026-08-31", 0)
    bath = world.step("bath", "I bathe three times a week with Kim.", stay, "2026-01-31", 3)
    church = world.goal("church", "I sit in my pew on Sundays.", out, "2025-11-30", 2)
    world.service("s5125-aide", "Attendant care", AIDE, [stay, bath], home)
    world.service("s5170-meals", "Meals at home", "Organization/meals-on-wheels", [stay], home)
    world.helps("sunday-drive", DAUGHTER, church)
    world[church]["note"][0]["time"] = "2025-11-20T10:00:00Z"
    world[church]["achievementStatus"]["coding"][0]["code"] = "achieved"
