"""Who may see what, without a table: the judge of what `commit` derives and `visible` asks in SQL.

Whom a resource is about is said here once more; what a patient permits is decided provision within
provision, see tests/consent/recursive.py.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from app.consent.actors import actors, bases, reach
from app.consent.decision import Facts, Request
from app.consent.marks import author_key, marks
from app.consent.policy import standings
from app.consent.purpose import broader
from app.consent.relationships import project
from tests.consent.recursive import outcome

Json = dict[str, Any]
BASE = "http://127.0.0.1:8000/fhir"
PURPOSES = ("TREAT", "CAREMGT")


def visible(world: Sequence[Json], principals: Sequence[str]) -> set[str]:
    """The resources of the world that someone who is all of these may see, as Type/id."""
    return {
        f"{one['resourceType']}/{one['id']}"
        for one in world
        if one["resourceType"] in ("Organization", "PractitionerRole")
        or is_open(world, principals, one)
    }


def is_open(world: Sequence[Json], principals: Sequence[str], one: Json) -> bool:
    about = {
        "Patient": [f"Patient/{one['id']}"],
        "Group": [member["entity"]["reference"] for member in one.get("member", [])],
    }.get(one["resourceType"]) or [
        one[name]["reference"]
        for name in ("subject", "patient")
        if "reference" in one.get(name, {})
    ]
    patients = {target.removeprefix("Patient/") for target in about if "Patient/" in target}
    return bool(patients) and all(permits(world, principals, one, each) for each in patients)


def permits(world: Sequence[Json], principals: Sequence[str], one: Json, patient: str) -> bool:
    """Whether one of the patients it is about permits it to be seen."""
    now, asked = datetime.now(UTC), broader(*PURPOSES)
    rows = [project(each, BASE) for each in world]
    affiliated = [row for each in rows for row in each.get("affiliation", ())]
    related = [row for each in rows for row in each.get("relationship", ())]
    everyone = reach(principals, affiliated, now)
    request = Request(
        actors(principals, affiliated, now),
        everyone,
        frozenset(asked),
        frozenset({"access"}),
        now,
        frozenset(map(author_key, principals)),
    )
    held = bases(patient, everyone, related, now)
    given = [each for each in standings(asked, ("access",)) if each.basis in held]
    papers = [
        each
        for each in world
        if each["resourceType"] == "Consent"
        and each["patient"]["reference"] == f"Patient/{patient}"
    ]
    return outcome(papers, given, request, Facts(marks(one, BASE))) == "permit"
