"""What a check is made of: a row that says where it comes from, a function that finds places."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from app.fhir.context import Resource
from app.isp.element import name
from app.isp.plan import Plan

Severity = Literal["error", "warning", "information", "off"]
LEVELS: tuple[Severity, ...] = ("off", "information", "warning", "error")


@dataclass(frozen=True, slots=True)
class Clock:
    """The day on which a plan is judged, and the periods its rule profile sets, by name.

    A name says its unit: `review_months`, `note_days`.
    """

    today: date
    limits: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is missing or wrong: a resource (Type/id), and a FHIRPath in it."""

    resource: str
    expression: str


Find = Callable[[Plan, Clock], Iterable[Place]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One check. `write` says in plain words what to write; `origin` is a requirement or a law.

    A profile may not make it graver than `ceiling`: slow progress is information, never an error.
    """

    id: str
    section: str
    find: Find
    origin: str
    write: str
    ceiling: Severity = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """A place that a check found, with the severity that the rule profile gives the check."""

    id: str
    section: str
    severity: Severity
    resource: str
    expression: str
    sentence: str
    origin: str


def at(resource: Resource, path: str = "") -> Place:
    """The place of an element; an empty path is the resource itself."""
    type_ = resource["resourceType"]
    return Place(name(resource), f"{type_}.{path}" if path else type_)
