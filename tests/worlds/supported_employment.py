"""Sam, 24, wants to work with bicycles: a job coach, a bus pass, a friend. Virginia."""

from tests.worlds.world import World

KEY, COACH = "PractitionerRole/viv", "PractitionerRole/carl"
EXPECTED = {
    "therapy": "",
    "core": "",
    "va": "C53e C71e",
    "hcbs": "",
}


def sam() -> World:
    world = World("sam", worker=KEY)
    world.person(birthDate="2001-09-30")
    world.episode("2025-06-01")
    world.relative("sams-friend", "FRND")
    world.allows("RelatedPerson/sams-friend")
    world.member(world.me, "Leads the plan")
    world.member(world.staff("viv", what="Employment counselor"), key=True)
    world.member(world.staff("carl", "Organization/wheels", "Job coach"), "Job coach")
    world.member("Organization/metro-transit", "Bus passes")
    world.member("RelatedPerson/sams-friend", "Rides along")
    world.meeting()
    world.choices()
    world.assessment()
    world.functioning("Works carefully for two hours; loses track when interrupted.")
    world.strength("I can true a wheel by ear.")
    world.preference("Show me once, then let me try.")
    goals(world)
    world.diet("Eats everything")
    world.crisis("If the bus does not come I call Carl, +1-804-555-0123.", "backup-plan")
    world.discharge("Six months in the job without a coach.")
    world.changes["instantiatesCanonical"] = ["https://isp-fhir.example/PlanDefinition/employment"]
    world.signs(world.me, KEY, COACH, "Organization/metro-transit")
    world.explains()
    world.reviews()
    world.meets()
    return world


def goals(world: World) -> None:
    work = world.need("need-job", "Wants a paid job in a workshop")
    ride = world.need("need-ride", "Cannot get to the workshop")
    job = world.goal("job", "I earn money fixing bicycles.", work, "2026-08-20", 20)
    trial = world.step("trial", "I work a trial week in two workshops.", job, "2026-01-30", 5)
    alone = world.step(
        "bus", "I take the 12 alone.", job, "2026-03-30", 5, addresses=[{"reference": ride}]
    )
    coach = world.service("h2023-coach", "Supported employment", COACH, [job, trial], work)
    world[coach]["note"] = [{"text": "Needs a bus pass for the workshop days."}]
    world.service("t2004-pass", "Transport: bus pass", "Organization/metro-transit", [alone], ride)
    world.helps("ride-along", "RelatedPerson/sams-friend", alone)
