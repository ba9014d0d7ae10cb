"""What FHIRPath and FHIR say of operators and functions, where the library leaves it out.

One value that is no boolean is true where a boolean is expected, so `telecom or endpoint` asks
whether one of them is there. https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections,
https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from collections.abc import Callable
from typing import Any

Values = list[Any]
Answer = bool | Values
"""A boolean, or [] for unknown."""


def _truth(values: Values) -> bool | None:
    """True, false, or None for unknown. Raises ValueError for more than one value."""
    if len(values) > 1:
        raise ValueError("a boolean is expected, and there is more than one value")
    if not values:
        return None
    value = getattr(values[0], "data", values[0])
    return value if isinstance(value, bool) else True


def _and(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _or(left: bool | None, right: bool | None) -> bool | None:
    return _not(_and(_not(left), _not(right)))


def _xor(left: bool | None, right: bool | None) -> bool | None:
    return None if left is None or right is None else left is not right


def _implies(left: bool | None, right: bool | None) -> bool | None:
    return _or(_not(left), right)


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _operator(decide: Callable[[bool | None, bool | None], bool | None]) -> dict[str, Any]:
    def operate(left: Values, right: Values) -> Answer:
        answer = decide(_truth(left), _truth(right))
        return [] if answer is None else answer

    return {"fn": operate, "arity": {2: ["Any", "Any"]}}


def _has_value(inputs: Values) -> bool:
    """Whether there is one primitive, which has a value and not only extensions."""
    return len(inputs) == 1 and inputs[0] is not None and not isinstance(inputs[0], dict | list)


OPERATORS = {
    "and": _operator(_and),
    "or": _operator(_or),
    "xor": _operator(_xor),
    "implies": _operator(_implies),
    "hasValue": {"fn": _has_value, "arity": {0: []}},
}
