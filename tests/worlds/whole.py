"""A plan that lacks nothing, as the ground on which each check is tried out."""

from datetime import date

from tests.worlds.world import World

TODAY = date(2026, 1, 5)
SERVICE = "ServiceRequest/h2023-employment"


def whole(who: str = "ada", **frame: str) -> World:
    """An adult with two long-term goals and a step to each, a sister who helps, and three staff."""
    world = World(who, **frame)  # type: ignore[arg-type]
    world.person()
    world.staff("eve", what="Key worker")
    world.staff("tom", "Organization/nursery", "Job coach")
    world.staff("ida", what="Supervisor")
    world.relative("ines")
    world.allows("RelatedPerson/ines")
    world.member(world.me, "Leads the plan")
    world.member("PractitionerRole/eve", key=True)
    world.member("PractitionerRole/tom", "Job coach")
    world.member("PractitionerRole/ida", "Supervisor")
    world.member("RelatedPerson/ines", "Sister, walks")
    ground(world)
    goals(world)
    safety(world)
    agreement(world)
    return world


def ground(world: World) -> None:
    world.episode()
    world.meeting()
    world.choices()
    world.assessment()
    world.functioning("Reads bus plans; needs company in new places.")
    world.strength("I know every bird in the park.")
    world.preference("Call me in the afternoon.")
    world.changes["instantiatesCanonical"] = ["https://isp-fhir.example/PlanDefinition/isp"]


def goals(world: World) -> None:
    work = world.need("need-work", "Wants paid work outdoors")
    people = world.need("need-people", "Few people to be with")
    job = world.goal("job", "I want to work in a nursery.", work, "2026-08-20")
    trial = world.step("trial", "I try out two nurseries.", job, "2026-02-20")
    friends = world.goal("friends", "I want to walk with others.", people, "2026-08-20")
    group = world.step("group", "I go to the bird group.", friends, "2026-02-20")
    world.service(
        "h2023-employment", "Supported employment", "PractitionerRole/tom", [job, trial], work
    )
    world.service("h0038-coordination", "Coordination", "PractitionerRole/eve", [group], people)
    world.helps("walk", "RelatedPerson/ines", friends)


def safety(world: World) -> None:
    world.diet("No nuts")
    world.risk("risk-lost", "Gets lost", "Carries a card with Ines's number")
    world.crisis("When I am lost: I sit down and call Ines, +1-614-555-0100.")
    world.discharge("Twenty hours of work a week for three months.")


def agreement(world: World) -> None:
    world.signs(world.me, "PractitionerRole/eve", "PractitionerRole/tom", "PractitionerRole/ida")
    world.explains()
    world.reviews()
    world.meets()
