"""Modifiers: which of them a search parameter takes. https://hl7.org/fhir/R4/search.html#modifiers"""

from functools import cache

from app.fhir.errors import BadRequest
from app.fhir.registry import SearchParameter, is_type
from app.fhir.search.parameters.elements import types

MODIFIERS = {
    "token": ("missing", "not", "text", "in", "not-in", "above", "below", "of-type"),
    "string": ("missing", "exact", "contains"),
    "reference": ("missing", "identifier", "above", "below", "[type]"),
    "uri": ("missing", "above", "below"),
    "date": ("missing",),
    "number": ("missing",),
    "quantity": ("missing",),
    "composite": (),
    "special": (),
}
"""The modifiers that work, by parameter type; a parameter of any other type is not supported."""

TERMINOLOGICAL = frozenset({"in", "not-in", "above", "below"})
"""What needs a value set, a code system or a hierarchy, and is resolved before it is searched."""

HIERARCHIES = {
    "CarePlan": "part-of",
    "Encounter": "part-of",
    "Location": "partof",
    "Organization": "partof",
    "Task": "part-of",
}
"""Types whose resources are part of one another, by the parameter that says so."""

CODED = frozenset({"code", "Coding", "CodeableConcept"})
READS = {
    **dict.fromkeys(TERMINOLOGICAL, CODED),
    "of-type": frozenset({"Identifier"}),
    "text": frozenset({"Coding", "CodeableConcept", "Identifier"}),
}
"""The types of elements that a modifier of tokens says something about."""


@cache
def modifiers(parameter: SearchParameter) -> tuple[str, ...]:
    """The modifiers that apply to a parameter."""
    return tuple(each for each in MODIFIERS[parameter.type] if _applies(parameter, each))


def _applies(parameter: SearchParameter, modifier: str) -> bool:
    if parameter.code == "_id":
        return modifier in ("missing", "not")
    if parameter.base == "AuditEvent" and modifier in ("text", "[type]"):
        # The audit trail keeps hashes only.
        return modifier == "[type]"
    if parameter.type == "reference" and modifier in ("above", "below"):
        return parameter.base != "AuditEvent" and hierarchy(parameter) is not None
    found = types(parameter)
    if parameter.type != "token" or not found:
        return True
    return bool(found & READS.get(modifier, found))


def hierarchy(parameter: SearchParameter) -> str | None:
    """The only type of a strict hierarchy that a reference parameter can point to."""
    found = [type_ for type_ in parameter.target if type_ in HIERARCHIES]
    return found[0] if len(found) == 1 else None


def check_modifier(parameter: SearchParameter, modifier: str, targets: tuple[str, ...]) -> None:
    """Raises BadRequest naming the modifiers that apply."""
    valid = modifiers(parameter)
    if modifier in valid and modifier != "[type]":
        return
    if "[type]" in valid and is_type(modifier) and modifier in targets:
        return
    raise BadRequest(
        f"Modifier ':{modifier}' does not apply to '{parameter.code}' ({parameter.type});"
        f" it takes: {', '.join(':' + name for name in valid) or 'none'}.",
        expression=(parameter.code,),
    )
