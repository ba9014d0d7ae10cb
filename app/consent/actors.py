"""Principals → all whom they stand for, and who stands for them. Pure.

`app/fhir/consented.py` finds the same in SQL, in tables `affiliation` and `relationship`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

Affiliation = tuple[str, str, datetime, datetime]
"""(actor, principal, starts, ends): the actor stands for the principal."""

Relationship = tuple[str, str, str, datetime, datetime]
"""(patient, actor, basis, starts, ends)."""


def team_of(team: str, patient: str) -> str:
    """A care team as whom the consents of its own patient (a logical id) can let in."""
    return f"{team} of Patient/{patient}"


def actors(
    principals: Collection[str], affiliations: Iterable[Affiliation], now: datetime
) -> frozenset[str]:
    """What the principals are or belong to: roles, organizations upward, teams, groups."""
    active = [(a, p) for a, p, starts, ends in affiliations if starts <= now < ends]
    found = {*principals, *(a for a, p in active if p in principals and _is_role_of(a, p))}
    while fresh := {p for a, p in active if a in found} - found:
        found |= fresh
    return frozenset(found)


def reach(
    principals: Collection[str], affiliations: Iterable[Affiliation], now: datetime
) -> frozenset[str]:
    """`actors`, and the people and roles that work for the principals."""
    rows = list(affiliations)
    staff = {
        actor
        for actor, principal, starts, ends in rows
        if starts <= now < ends and principal in principals and not _is_organization(actor)
    }
    return actors(principals, rows, now) | staff


def bases(
    patient: str, reach: Collection[str], relationships: Iterable[Relationship], now: datetime
) -> frozenset[str]:
    """By what the actors are related to a patient."""
    return frozenset(
        basis
        for of, actor, basis, starts, ends in relationships
        if of == patient and actor in reach and starts <= now < ends
    )


def _is_role_of(actor: str, principal: str) -> bool:
    return actor.startswith("PractitionerRole/") and principal.startswith("Practitioner/")


def _is_organization(actor: str) -> bool:
    return actor.startswith("Organization/")
