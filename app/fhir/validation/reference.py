"""References: their syntax, and that they point to a type the element allows.

https://hl7.org/fhir/R4/references.html
"""

import re
from typing import Any

from app.fhir.registry import is_resource
from app.fhir.validation.problem import FINE, FRAGMENT, Check, Problems, problem

RELATIVE = re.compile(
    r"([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
).fullmatch
ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+").fullmatch
REST = re.compile(r"https?:.*/([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[^/]+)?").fullmatch

SYNTAX = "Must be Type/id, an absolute URI, or #id of a contained resource"


def to(targets: tuple[str, ...], well_formed: Check) -> Check:
    """A check of a Reference element that may point to these types, to any if there are none."""
    types = frozenset(targets)
    said = f"Must refer to {' or '.join(targets)}"

    def check(value: Any) -> Problems:
        found = well_formed(value)
        if found:
            return found
        literal = value.get("reference")
        if literal is not None:
            relative = RELATIVE(literal)
            type_ = relative[1] if relative else ""
            if type_ in types or (not types and type_ and is_resource(type_)):
                return FINE
            found = _literal(literal, type_)
        return found or (_target(value, types, said) if types else FINE)

    return check


def _literal(literal: str, type_: str) -> Problems:
    """Judge what is not simply a relative reference to an allowed type."""
    if literal[0] == "#":
        return problem(FRAGMENT, literal)
    if type_:
        known = is_resource(type_)
        return FINE if known else problem("value", "Must name a resource type", ".reference")
    return FINE if ABSOLUTE(literal) else problem("value", SYNTAX, ".reference")


def _target(value: dict[str, Any], types: frozenset[str], said: str) -> Problems:
    literal = value.get("reference", "")
    found = RELATIVE(literal) or REST(literal)
    for type_ in (found[1] if found else "", value.get("type", "")):
        if is_resource(type_) and type_ not in types:
            return problem("value", said)
    return FINE
