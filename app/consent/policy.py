"""The implicit policy: what a relationship opens where the person has not said otherwise.

Who keeps the record uses it for treatment, payment and operations, a member of the care team sees
what is neither sensitive nor restricted; in an emergency more.
45 CFR 164.506, 42 CFR 2.12(c)(3) and 2.51
"""

from collections.abc import Collection, Iterator

from app.consent.purpose import EMERGENCY, OPERATIONS
from app.consent.sensitivity import HIGHEST, NORMAL, PART_2
from app.fhir.access import Standing

ADDING = "collect"
TEAM_PURPOSES = frozenset({"TREAT", "CAREMGT", "PATRQT", "HCOMPL"})
"""Treating, managing care, helping as the person asked, and looking after compliance.

45 CFR 164.506(c)(4): between those who both have a relationship with the individual
"""

KEEPING_PURPOSES = OPERATIONS | {"PATRQT"}

OWN = Standing("own", HIGHEST, is_labelled=True, opens=(PART_2,), is_free=True)
GUARDIAN = Standing("guardian", HIGHEST, is_labelled=True, opens=(PART_2,), is_free=True)
CUSTODIAN = Standing("custodian", HIGHEST, is_labelled=True, opens=(PART_2,))
MEMBER = Standing("care-team", NORMAL, is_closable=True)
RESCUER = Standing("care-team", HIGHEST, is_labelled=True, opens=(PART_2,), is_closable=True)


def standings(purposes: Collection[str], actions: Collection[str]) -> tuple[Standing, ...]:
    """What each kind of relationship opens for these purposes, broader ones included."""
    return tuple(_standings(frozenset(purposes), frozenset(actions)))


def _standings(purposes: frozenset[str], actions: frozenset[str]) -> Iterator[Standing]:
    """A member may add what is sensitive: telling the team something discloses nothing to him."""
    yield OWN
    yield GUARDIAN
    if purposes & KEEPING_PURPOSES:
        yield CUSTODIAN
    if EMERGENCY in purposes or (ADDING in actions and purposes & TEAM_PURPOSES):
        yield RESCUER
    elif purposes & TEAM_PURPOSES:
        yield MEMBER
