"""Who may see what, said once more in plain Python: the judge of the SQL that `visible` compiles.

Knows nothing of tables. Dates are compared with today's, so a world keeps clear of this decade's.
"""

from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]
NOW = "2026"
PARTS = ("purpose", "action", "securityLabel", "class", "code", "dataPeriod", "data")


def visible(world: Sequence[Json], actors: Sequence[str]) -> set[str]:
    """The resources of the world that someone who is all of these actors may see, as Type/id."""
    open_to = {
        f"Patient/{one['id']}"
        for one in of(world, "Patient")
        if supports(world, actors, f"Patient/{one['id']}")
        and not refuses(world, actors, f"Patient/{one['id']}")
    }
    return {f"{one['resourceType']}/{one['id']}" for one in world if is_open(one, open_to)}


def of(world: Sequence[Json], type_: str) -> list[Json]:
    return [one for one in world if one["resourceType"] == type_]


def is_open(one: Json, open_to: set[str]) -> bool:
    if one["resourceType"] in ("Organization", "PractitionerRole"):
        return True
    about = set(subjects(one))
    return bool(about) and about <= open_to


def subjects(one: Json) -> list[str]:
    if one["resourceType"] == "Patient":
        return [f"Patient/{one['id']}"]
    if one["resourceType"] == "Group":
        return [points(member, "entity") for member in one.get("member", [])]
    return [points(one, name) for name in ("subject", "patient") if points(one, name)]


def now(element: Json) -> bool:
    """Whether the period of an element covers now; the years tell, in these worlds."""
    period = element.get("period", {})
    return period.get("start", "0")[:4] <= NOW <= period.get("end", "9")[:4]


def points(element: Json, name: str) -> str:
    reference: str = element.get(name, {}).get("reference", "")
    return reference


def acting(world: Sequence[Json], actors: Sequence[str]) -> set[str]:
    """The actors, and who stands for one of them by a role."""
    found = set(actors)
    for role in of(world, "PractitionerRole"):
        if not now(role) or not role.get("active", True):
            continue
        who, where = points(role, "practitioner"), points(role, "organization")
        if who in actors or where in actors:
            found.add(f"PractitionerRole/{role['id']}")
        if where in actors and who:
            found.add(who)
    return found


def supports(world: Sequence[Json], actors: Sequence[str], patient: str) -> bool:
    here = acting(world, actors)
    own = next(one for one in of(world, "Patient") if f"Patient/{one['id']}" == patient)
    if patient in here or points(own, "managingOrganization") in here:
        return True
    if here & {*guardians(world, patient), *members(world, patient)}:
        return True
    papers = privacy(world, patient)
    return any(here & permitted(paper) for paper in papers)


def guardians(world: Sequence[Json], patient: str) -> Iterator[str]:
    for person in of(world, "RelatedPerson"):
        kind = person["relationship"][0]["coding"][0]["code"]
        is_active = person.get("active", True) and now(person)
        if kind == "GUARD" and is_active and points(person, "patient") == patient:
            yield f"RelatedPerson/{person['id']}"


def members(world: Sequence[Json], patient: str) -> Iterator[str]:
    for team in of(world, "CareTeam"):
        if team["status"] == "active" and now(team) and points(team, "subject") == patient:
            yield from (points(one, "member") for one in team.get("participant", []) if now(one))


def privacy(world: Sequence[Json], patient: str) -> list[Json]:
    """The active privacy consents of a patient whose time is now."""
    return [
        paper
        for paper in of(world, "Consent")
        if paper["status"] == "active"
        and paper["scope"]["coding"][0]["code"] == "patient-privacy"
        and points(paper, "patient") == patient
        and now(paper.get("provision", {}))
    ]


def provisions(paper: Json) -> Iterator[tuple[str, list[str], bool]]:
    """(type, actors, whether it is about a part) of the root and what is nested in it."""
    root = paper.get("provision", {})
    for one in (root, *root.get("provision", [])):
        if now(one) and "type" in one:
            is_part = any(name in PARTS for each in (root, one) for name in each)
            yield one["type"], [points(each, "reference") for each in one.get("actor", [])], is_part


def permitted(paper: Json) -> set[str]:
    """Whom a consent lets see everything: a permission of a part opens nothing."""
    found = (
        set(actors) for kind, actors, part in provisions(paper) if kind == "permit" and not part
    )
    return set().union(*found)


def refuses(world: Sequence[Json], actors: Sequence[str], patient: str) -> bool:
    """Whether the patient refuses one of the actors; a patient cannot shut themselves out."""
    for paper in privacy(world, patient):
        spared = {patient, *guardians(world, patient), *permitted(paper)}
        for kind, named, _ in provisions(paper):
            if kind != "deny":
                continue
            if set(actors) & set(named) - {patient}:
                return True
            if not named and not set(actors) & spared:
                return True
    return False
