"""Jonas, 41, depression: therapy, medicine, a peer, a bowling club. Ohio, behavioral health."""

from tests.worlds.world import World

KEY, THERAPY, DOCTOR, PEER, BOSS = (
    f"PractitionerRole/{one}" for one in ("gail", "theo", "dr-amin", "pete", "helen")
)
EXPECTED = {
    "therapy": "C29-overduei C44w C60i",
    "core": "C29-overduei C44w C60i",
    "oh-bh": "C29-overduei C44e C60i",
    "va": "C29-overduei C44e C53e C60i",
    "hcbs": "C29-overduei C44e C60i C65e C66e C67e C68e",
}


def jonas() -> World:
    world = World("jonas", worker=KEY)
    world.person(birthDate="1984-03-02")
    world.episode("2025-08-04")
    world.member(world.me, "Leads the plan")
    world.member(world.staff("gail", what="Key worker"), key=True)
    world.member(world.staff("theo", what="Therapist"), "Therapist")
    world.member(world.staff("dr-amin", what="Psychiatrist"), "Psychiatrist")
    world.member(world.staff("pete", "Organization/peer-center", "Peer specialist"), "Peer")
    world.member(world.staff("helen", what="Clinical supervisor"), "Supervisor")
    world.assessment()
    world.functioning("Cooks and pays bills; does not leave the house on most days.")
    world.strength("I fix radios, and I am patient.")
    world.preference("No calls before noon. Say what you mean.")
    world.diet("Eats everything")
    world.risk("low", "A low spell that ends in hospital", "Mood card; Pete calls on two red days")
    goals(world)
    world.discharge(
        "Mood score of 9 or less twice in a row, and bowling every week for half a year."
    )
    world.signs(world.me, KEY, THERAPY, DOCTOR, PEER, BOSS)
    world.explains()
    world.reviews()
    world.meets()
    return world


def goals(world: World) -> None:
    mood = world.need("need-mood", "Low and without drive most days")
    people = world.need("need-company", "Sees nobody but his brother")
    world.diagnosis("depression", "Recurrent depression, moderate")
    well = world.goal("well", "I want to wake up and want something.", mood, "2026-08-20", 9)
    card = world.step("card", "I fill in my mood card five days a week.", well, "2025-12-19", 5)
    club = world.goal("club", "I want to bowl with people every week.", people, "2026-07-31", 1)
    first = world.step("first-visit", "I go to the club once, with Pete.", club, "2026-01-30", 1)
    world.service("90837-cbt", "Cognitive behavioral therapy", THERAPY, [well, card], mood)
    world.service("99213-medicine", "Medication management", DOCTOR, [well], mood)
    world.service("h0038-peer", "Peer support", PEER, [club, first], people)
