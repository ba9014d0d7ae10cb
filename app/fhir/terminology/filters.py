"""The filters of a value set over a code system that is held.

https://hl7.org/fhir/R4/valueset-filter-operator.html
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.fhir.errors import Unprocessable
from app.fhir.terminology.code_system import CodeSystem, Concept

Test = Callable[[Concept], bool]


def filtered(system: CodeSystem, filters: Iterable[Mapping[str, Any]]) -> list[Concept]:
    """The concepts that pass all filters. Raises Unprocessable for an operator that is unknown."""
    tests = [_test(system, one) for one in filters]
    return [one for one in system.concepts.values() if all(test(one) for test in tests)]


def _test(system: CodeSystem, one: Mapping[str, Any]) -> Test:
    name, operator, value = one["property"], one["op"], one["value"]
    if operator in HIERARCHY:
        return HIERARCHY[operator](system, value)
    if operator in PROPERTY:
        return PROPERTY[operator](name, value)
    raise Unprocessable(f"The filter {operator} is not supported.", code="not-supported")


def _is_a(system: CodeSystem, code: str) -> Test:
    below = system.below(code)
    return lambda concept: concept.code in below


def _descendent(system: CodeSystem, code: str) -> Test:
    below = system.below(code) - {code}
    return lambda concept: concept.code in below


def _is_not_a(system: CodeSystem, code: str) -> Test:
    below = system.below(code)
    return lambda concept: concept.code not in below


def _generalizes(system: CodeSystem, code: str) -> Test:
    above = system.above(code)
    return lambda concept: concept.code in above


def values(concept: Concept, name: str) -> set[str]:
    """The values of a property, the code, display and parents among them, as text."""
    if name in ("concept", "code"):
        return {concept.code}
    if name == "display":
        return {concept.display}
    if name == "parent":
        return set(concept.parents)
    found = (one for one in concept.properties if one["code"] == name)
    return {_text(v) for one in found for k, v in one.items() if k.startswith("value")}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.get("code", "")) if isinstance(value, dict) else str(value)


def _equal(name: str, value: str) -> Test:
    return lambda concept: value in values(concept, name)


def _in(name: str, value: str) -> Test:
    wanted = {part.strip() for part in value.split(",")}
    return lambda concept: not wanted.isdisjoint(values(concept, name))


def _not_in(name: str, value: str) -> Test:
    is_in = _in(name, value)
    return lambda concept: not is_in(concept)


def _exists(name: str, value: str) -> Test:
    return lambda concept: bool(values(concept, name)) is (value == "true")


HIERARCHY: Mapping[str, Callable[[CodeSystem, str], Test]] = {
    "is-a": _is_a,
    "descendent-of": _descendent,
    "is-not-a": _is_not_a,
    "generalizes": _generalizes,
}

PROPERTY: Mapping[str, Callable[[str, str], Test]] = {
    "=": _equal,
    "in": _in,
    "not-in": _not_in,
    "exists": _exists,
}
"""Not regex: whoever may ask could send an expression that takes hours to match a display."""
