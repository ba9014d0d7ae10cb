"""Random worlds: a directory, people with records and consents, and who asks for what."""

from dataclasses import replace
from random import Random
from typing import Any

from tests.build import care_team, concept, patient, practitioner_role, reference, related_person
from tests.consent.case import PERMIT, Case
from tests.consent.paper import (
    COUNTY,
    GRACE,
    ICD,
    INES,
    LOINC,
    NETWORK,
    PARTNER,
    ROLE,
    Resource,
    coding,
    form,
    part_2,
    rule,
)

ACTORS = (PARTNER, GRACE, ROLE, COUNTY, INES, NETWORK, "Organization/other", "Patient/ada")
NAMED = (*ACTORS, "CareTeam/circle", "Group/staff")
PURPOSES = ("TREAT", "COC", "CAREMGT", "HPAYMT", "HRESCH", "BTG", "FAMRQT", "TREAT CAREMGT")
RULE_PURPOSES = ("TREAT", "COC", "HOPERAT", "HPAYMT", "ETREAT", "PurposeOfUse", "WHATEVER")
ACTIONS = ("access", "access", "access", "correct", "collect correct", "disclose")
LABELS = ("N", "R", "V", "L", "PSY", "MH", "SUD", "ETH", "ETHUD", "OPIOIDUD", "HIV", "SPI")
ON_RECORD = (*LABELS, "PSYTHPN", "", "", "", "", "R PSY", "HIV SDV", "N ETHUD", "R SUD HIV")
TYPES = ("Observation", "Goal", "Condition", "CarePlan")
CODES = (f"{LOINC}#8867-4", f"{ICD}#B20", f"{ICD}#F33.1", "http://snomed.info/sct#84757009")
DAYS = ("2021-05-05", "2022-06-06", "2023-07-07")
TIMES = ("2022/2022", "2022/", "/2022-12", "2023-01-01/2023-06-30")
PERIODS = ("2020-01-01/", "2020-01-01/2020-12-31", "2025-01-01/2025-12-31", "2030-01-01/")
SIGNED = ("2023-01-01", "2024-01-01", "2024-06-01")
POLICIES = (None, None, None, "OPTIN", "OPTINR", "OPTOUT", "OPTOUTE", "EMRGONLY", "HIPAAPsyNotes")
BASES = ("own", "guardian", "custodian", "care-team")


def provision(random: Random, depth: int = 0, *, is_root: bool = True) -> Resource:
    """A provision with up to three levels within."""
    limits: dict[str, Any] = {}
    for name, chance, choices in (
        ("to", 0.5, NAMED),
        ("purpose", 0.25, RULE_PURPOSES),
        ("action", 0.1, ("access", "correct", "collect", "disclose", "access correct")),
        ("label", 0.4, LABELS),
        ("type_", 0.12, TYPES),
        ("code", 0.1, CODES),
        ("time", 0.1, TIMES),
        ("data", 0.1, data()),
        ("period", 0.1, PERIODS),
    ):
        if random.random() < chance:
            limits[name] = _some(random, choices, 1 if name in ("time", "period") else 2)
    nested = 0 if depth == 3 else random.choice((0, 0, 1, 1, 2))
    kinds = ("permit", "permit", "deny", None) if is_root else ("permit", "deny", "permit")
    within = [provision(random, depth + 1, is_root=False) for _ in range(nested)]
    return rule(random.choice(kinds), *within, **limits)


def data() -> tuple[str, ...]:
    return (
        "instance:Observation/it",
        "dependents:Encounter/visit",
        "related:CarePlan/frame",
        f"authoredby:{GRACE}",
        "instance:Goal/it",
    )


def _some(random: Random, choices: tuple[str, ...], most: int) -> str:
    return " ".join(random.sample(choices, random.randint(1, most)))


def signed(random: Random, id_: str, who: str = "ada") -> Resource:
    """A consent, of a Part 2 program now and then, now and then not active."""
    root = provision(random) if random.random() < 0.9 else None
    is_part_2 = root is not None and random.random() < 0.15
    made = part_2(root or {}) if is_part_2 else form(root, random.choice(POLICIES))
    status = "inactive" if random.random() < 0.1 else "active"
    about = {"patient": reference(f"Patient/{who}"), "dateTime": random.choice(SIGNED)}
    return made | about | {"id": id_, "status": status}


def record(random: Random, id_: str = "it", who: str = "ada") -> Resource:
    """A resource that provisions may speak of."""
    made: Resource = {"resourceType": random.choice(TYPES), "id": id_}
    made["subject"] = reference(f"Patient/{who}")
    labels = random.choice(ON_RECORD).split()
    security = [coding("level" if x in "UMLNRV" else "sensitivity", x) for x in labels]
    if "SUD" in labels and random.random() < 0.6:
        security.append(coding("sensitivity", "42CFRPart2"))
    if security:
        made["meta"] = {"security": security}
    if random.random() < 0.4:
        made["code"] = concept(*random.choice(CODES).split("#"))
    if random.random() < 0.6:
        made["startDate"] = random.choice(DAYS)
    if random.random() < 0.3:
        made["encounter"] = reference("Encounter/visit")
    if random.random() < 0.3:
        made["performer"] = [reference(random.choice((GRACE, PARTNER)))]
    return made


def directory(random: Random) -> list[Resource]:
    """Who works where, who is in which team and group."""
    staff = {"resourceType": "Group", "id": "staff", "type": "practitioner", "actual": True}
    staff["member"] = [{"entity": reference(random.choice((GRACE, ROLE)))}]
    elsewhere = practitioner_role("elsewhere", organization="Organization/other")
    return [staff, elsewhere] if random.random() < 0.3 else [staff]


def support(random: Random, who: str = "ada") -> list[Resource]:
    """The team and the relatives of a person, and a plan that may refer to a record."""
    of = f"Patient/{who}"
    made = [
        care_team(*random.sample(ACTORS[:5], random.randint(0, 3)), id_=f"{who}-team", patient=of)
    ]
    whose = of if random.random() < 0.8 else "Patient/eve"
    made.append(care_team(random.choice(ACTORS[:4]), id_="circle", patient=whose))
    made.append(related_person(patient=of, role=random.choice(("GUARD", "SIS"))))
    made.append(patient(who, random.choice((COUNTY, COUNTY, "Organization/other"))))
    return made


def case(random: Random) -> Case:
    """One request in one world; what follows is for two ways of deciding to agree on."""
    subject = record(random)
    frame = {"resourceType": "CarePlan", "id": "frame", "subject": reference("Patient/ada")}
    frame["goal"] = [reference(f"{subject['resourceType']}/it")] * (random.random() < 0.5)
    told = {"resourceType": "Provenance", "id": "told", "agent": [{"who": reference(GRACE)}]}
    told["target"] = [reference(f"{subject['resourceType']}/{random.choice(('it', 'else'))}")]
    return replace(
        Case("", (), PERMIT),
        consents=tuple(signed(random, f"c{n}") for n in range(random.randint(0, 4))),
        actor=random.choice(ACTORS),
        purpose=random.choice(PURPOSES),
        action=random.choice(ACTIONS),
        resource=subject,
        world=(*directory(random), *support(random), frame, told),
    )
