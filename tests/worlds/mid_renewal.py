"""Amir, 46: last year's plan ends in a week, this year's is a draft that nobody has signed."""

from datetime import date

from tests.build import Resource, reference
from tests.worlds.frame import days
from tests.worlds.world import World

KEY, COACH = "PractitionerRole/ruth", "PractitionerRole/ken"
TODAY = date(2026, 1, 5)
EXPECTED = {
    "therapy": "",
    "core": "",
    "hcbs": "C65e C66e C67e",
    "va": "",
}
"""A draft needs neither signature nor review yet; and the old plan is no second one."""


def amir() -> World:
    world = World("amir", worker=KEY, start="2026-01-12", end="2027-01-11", status="draft")
    world.person(birthDate="1979-03-03")
    world.episode("2024-12-20")
    world.relative("amirs-wife", "WIFE")
    world.allows("RelatedPerson/amirs-wife")
    world.member(world.me, "Leads the plan")
    world.member(world.staff("ruth", what="Case manager"), key=True)
    world.member(world.staff("ken", what="Occupational therapist"), "Therapist")
    world.member("RelatedPerson/amirs-wife", "Drives on Fridays")
    world.assessment("2025-12-10")
    world.functioning("Left hand is slow; speech is back; tired by four.")
    world.strength("I speak three languages again.")
    world.preference("Mornings.")
    world.diet("Halal")
    goals(world)
    world.crisis("If the left side fails: 911, then my wife.", "backup-plan")
    world.discharge("Half days in the shop for six months.")
    world.changes["created"] = "2026-01-02"
    world.changes["instantiatesCanonical"] = ["https://isp-fhir.example/PlanDefinition/isp"]
    world.changes["replaces"] = [reference(world.put(last_year(world)))]
    world.explains()
    world.meets("2026-01-09")
    return world


def last_year(world: World) -> Resource:
    [made] = [
        one for one in world.all() if one["resourceType"] == "CarePlan" and one["id"] == "amir"
    ]
    period = days("2025-01-12", "2026-01-11")
    return {
        **made,
        "id": "amir-2025",
        "status": "active",
        "period": period,
        "goal": [reference("Goal/walk")],
    }


def goals(world: World) -> None:
    shop = world.need("need-shop", "Wants to be back in his shop")
    walk = world.goal(
        "walk", "I walk to the shop and back.", shop, "2026-01-31", startDate="2025-01-12"
    )
    world[walk]["lifecycleStatus"] = "completed"
    world.links["goal"].remove(walk)
    half = world.goal("half-days", "I work half days in the shop.", shop, "2026-12-20", 5)
    till = world.step("till", "I stand at the till for an hour.", half, "2026-04-20", 1)
    world.service("97530-hand", "Occupational therapy", COACH, [half, till], shop)
    world.helps("fridays", "RelatedPerson/amirs-wife", till)
