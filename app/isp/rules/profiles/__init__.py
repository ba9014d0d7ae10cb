"""Rule profiles: how gravely each check is taken, and the periods, as one JSON file a profile.

A state or programme adds a file: `extends` names the profile it builds on; it lists what it takes
otherwise. An overlay extends nothing and is applied on top of another profile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from app.isp.rules.rule import LEVELS, Severity
from app.isp.rules.table import RULES

DEFAULT = "core"


@dataclass(frozen=True, slots=True)
class Profile:
    """One set of rules: severity by check id, periods by name (`review_months`, `note_days`)."""

    name: str
    severities: Mapping[str, Severity]
    limits: Mapping[str, int]


@cache
def available() -> tuple[str, ...]:
    """The names of the profiles and overlays there are."""
    found = (one.name for one in files(__name__).iterdir() if one.name.endswith(".json"))
    return tuple(sorted(name.removesuffix(".json") for name in found))


@cache
def profile(names: str = DEFAULT) -> Profile:
    """The profile of a name, or of several with commas: a profile first, overlays upon it.

    An overlay alone is applied to the core. LookupError names what does not exist.
    """
    chosen = [name.strip() for name in names.split(",") if name.strip()] or [DEFAULT]
    if "extends" not in _read(chosen[0]):
        chosen.insert(0, DEFAULT)
    layers = [layer for name in chosen for layer in _layers(name)]
    ceilings = {rule.id: rule.ceiling for rule in RULES}
    severities: dict[str, Severity] = dict.fromkeys(ceilings, "off")
    limits: dict[str, int] = {}
    for layer in layers:
        limits |= layer.get("limits", {})
        for level in LEVELS:
            severities |= {id_: _lower(level, ceilings[id_]) for id_ in layer.get(level, ())}
    return Profile(",".join(chosen), severities, limits)


def _lower(one: Severity, other: Severity) -> Severity:
    return min(one, other, key=LEVELS.index)


@cache
def _read(name: str) -> dict[str, Any]:
    if name not in available():
        raise LookupError(f"there are no rules {name}; there are {', '.join(available())}")
    read: dict[str, Any] = orjson.loads((files(__name__) / f"{name}.json").read_bytes())
    return read


def _layers(name: str) -> list[dict[str, Any]]:
    """A profile and those it builds on, the most general first."""
    own = _read(name)
    below = own.get("extends")
    return [*(_layers(below) if below else ()), own]
