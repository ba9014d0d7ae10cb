"""RULES: every check there is, one row each. Which apply, and how gravely, is in profiles/."""

from app.isp.rules import (
    agreement,
    frame,
    goals,
    law,
    person,
    privacy,
    progress,
    review,
    safety,
    services,
    team,
)
from app.isp.rules.rule import Rule

SECTIONS = (
    "frame",
    "assessment",
    "person",
    "needs",
    "goals",
    "services",
    "team",
    "safety",
    "agreement",
    "review",
    "progress",
    "changes",
    "discharge",
    "privacy",
)
"""What a plan consists of, in the order in which people write it."""

AFTER_SIGNING = frozenset({"agreement", "review", "progress", "changes"})
"""Sections that can only be fulfilled once the plan is signed: they do not keep it from that."""

_ROOMS = (frame, person, goals, services, team, safety, agreement, review, progress, privacy, law)
_ROWS = (row for room in _ROOMS for row in room.RULES)

RULES: tuple[Rule, ...] = tuple(sorted(_ROWS, key=lambda row: SECTIONS.index(row.section)))
