"""Dean, 35, in recovery from opioids: a Part 2 program, a sponsor. Labels and consent count."""

from tests.build import HL7, Resource, concept
from tests.worlds.world import World

KEY, COUNSELOR = "PractitionerRole/bo", "PractitionerRole/lin"
SPONSOR = "RelatedPerson/deans-sponsor"
BASIS = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-basis"
EXPECTED = {
    "therapy": "C60i",
    "core": "C60i",
    "core,part2": "C60i",
    "oh-bh,part2": "C49e C60i",
}


def part_2() -> Resource:
    basis = {"system": f"{HL7}/v3-ActCode", "code": "42CFRPart2"}
    sensitive = {"system": f"{HL7}/v3-ActCode", "code": "OPIOIDUD"}
    sensitive["extension"] = [{"url": BASIS, "valueCoding": basis}]  # type: ignore[assignment]
    return {"security": [sensitive, {"system": f"{HL7}/v3-Confidentiality", "code": "R"}]}


def dean() -> World:
    world = World("dean", worker=KEY)
    world.person(birthDate="1990-12-01")
    world.episode(meta=part_2())
    world.relative("deans-sponsor", "FRND")
    consent(world)
    world.member(world.me, "Leads the plan")
    world.member(world.staff("bo", what="Case manager"), key=True)
    world.member(world.staff("lin", what="Counselor"), "Counselor")
    world.member(SPONSOR, "Sponsor; the first to call")
    world.assessment(meta=part_2())
    world.functioning("Steady since spring; nights after bad calls are hard.")
    world.strength("I have done this before: eleven months.")
    world.preference("No meetings in the hospital.")
    world.diet("Eats everything")
    world.risk(
        "relapse", "Uses alone after a bad call", "Naloxone at home; calls the sponsor first"
    )
    goals(world)
    world.crisis("First my sponsor, +1-614-555-0188; then the line, 988.")
    world.discharge("A year without use and work for half a year.")
    world.signs(world.me, KEY, COUNSELOR)
    world.explains()
    world.reviews()
    world.meets()
    return world


def consent(world: World) -> None:
    """What 42 CFR 2.31(a) asks for: what, to whom, for which purpose, until when."""
    provision = {
        "type": "permit",
        "period": {"start": "2025-08-11", "end": "2026-08-31"},
        "actor": [
            {
                "role": concept(f"{HL7}/v3-ParticipationType", "IRCP"),
                "reference": {"reference": SPONSOR},
            }
        ],
        "purpose": [{"system": f"{HL7}/v3-ActReason", "code": "CAREMGT"}],
        "securityLabel": [{"system": f"{HL7}/v3-ActCode", "code": "OPIOIDUD"}],
    }
    world.allows(SPONSOR, provision=provision)


def goals(world: World) -> None:
    clean = world.need("need-recovery", "Wants to stay in recovery", meta=part_2())
    code = concept("http://hl7.org/fhir/sid/icd-10-cm", "F11.20")
    world.diagnosis("opioids", "Opioid use disorder", code=code, meta=part_2())
    stay = world.goal("stay", "I want my year.", clean, "2026-08-20", 0, meta=part_2())
    calls = world.step("calls", "I call before I go out.", stay, "2026-01-31", 7, meta=part_2())
    world.service("h0004-counsel", "Counseling", COUNSELOR, [stay, calls], clean, meta=part_2())
    world.helps("evenings", SPONSOR, calls)
