"""Required bindings: a code from the value set, or nothing. https://hl7.org/fhir/R4/terminologies.html"""

from typing import Any

from app.fhir.registry import value_set
from app.fhir.validation.problem import FINE, Check, Problems, problem

MANY = 24
"""A longer list of codes is not told in full."""


def bound(type_: str, name: str, well_formed: Check) -> Check:
    """The check of this type, and that the value is in the value set of this name."""
    if type_ == "CodeableConcept":
        return _concept(name, well_formed)
    return _code(name, well_formed)


def _code(name: str, well_formed: Check) -> Check:
    codes = frozenset(code for codes in value_set(name).values() for code in codes)
    said = _said(name)

    def check(value: Any) -> Problems:
        if type(value) is str and value in codes:
            return FINE
        return well_formed(value) or problem("code-invalid", said)

    return check


def _concept(name: str, well_formed: Check) -> Check:
    codes = frozenset((system, code) for system, some in value_set(name).items() for code in some)
    said = _said(name)

    def check(value: Any) -> Problems:
        found = well_formed(value)
        if found:
            return found
        codings = value.get("coding", ())
        known = any((one.get("system"), one.get("code")) in codes for one in codings)
        return FINE if known else problem("code-invalid", said)

    return check


def _said(name: str) -> str:
    """What is allowed, in words."""
    sets = value_set(name)
    codes = [code for some in sets.values() for code in some]
    more = f", … ({len(codes)} codes)" if len(codes) > MANY else ""
    return (
        f"Must be a code of value set {name} ({', '.join(sets)}): {', '.join(codes[:MANY])}{more}"
    )
