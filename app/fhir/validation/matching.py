"""Values as a profile asks for them: fixed, by pattern, from a value set.

https://hl7.org/fhir/R4/elementdefinition.html#pattern
"""

from collections.abc import Iterator
from typing import Any

from app.fhir.terminology.held import Held
from app.fhir.terminology.membership import any_of, has


def is_exactly(value: Any, wanted: Any) -> bool:
    """Whether a value is just this one; numbers may be spelled differently."""
    if isinstance(wanted, dict) and isinstance(value, dict):
        return value.keys() == wanted.keys() and all(
            is_exactly(value[name], one) for name, one in wanted.items()
        )
    if isinstance(wanted, list) and isinstance(value, list):
        pairs = zip(value, wanted, strict=False)
        return len(value) == len(wanted) and all(is_exactly(one, two) for one, two in pairs)
    return isinstance(value, bool) is isinstance(wanted, bool) and bool(value == wanted)


def is_like(value: Any, pattern: Any) -> bool:
    """Whether a value has at least what the pattern has."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and is_like(value[name], one) for name, one in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(is_like(item, one) for item in value) for one in pattern
        )
    return is_exactly(value, pattern)


def is_bound(value: Any, canonical: str, held: Held) -> bool | None:
    """Whether a coded value is from the value set; None where that is not known, or not coded."""
    value_set = held.value_set(canonical)
    if value_set is None:
        return None
    given = [has(value_set, system, code, held) for system, code in codings(value)]
    return any_of(given)


def codings(value: Any) -> Iterator[tuple[str | None, str]]:
    """The codes, each with its system, of a code, Coding, Quantity or CodeableConcept."""
    if isinstance(value, str):
        yield None, value
    elif isinstance(value, dict):
        for one in value.get("coding", [value]):
            if isinstance(one.get("code"), str):
                yield str(one.get("system", "")), one["code"]
