"""What invariants are put together from: which elements an object has, and which it must have."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.fhir.registry import structure
from app.fhir.validation.problem import FINE, Problems, Rule, problem

Json = Mapping[str, Any]


def names(type_: str, *elements: str) -> frozenset[str]:
    """The JSON names under which these elements occur, with a value or only with extensions."""
    names = [name for element in elements for name in structure(type_)[element].names]
    return frozenset(names) | {f"_{name}" for name in names}


def requires(key: str, type_: str, element: str, *others: str) -> Rule:
    """If the element is present, so is one of the others."""
    present, wanted = names(type_, element), names(type_, *others)
    said = problem("invariant", f"{key}: {element} also needs {' or '.join(others)}")

    def rule(value: Json) -> Problems:
        return said if not present.isdisjoint(value) and wanted.isdisjoint(value) else FINE

    return rule


def one_of(key: str, type_: str, *elements: str) -> Rule:
    """At least one of the elements is present."""
    wanted = names(type_, *elements)
    said = problem("invariant", f"{key}: needs {' or '.join(elements)}")
    return lambda value: said if wanted.isdisjoint(value) else FINE


def not_both(key: str, type_: str, one: str, other: str) -> Rule:
    """At most one of two elements is present."""
    first, second = names(type_, one), names(type_, other)
    said = problem("invariant", f"{key}: only one of {one} and {other} is allowed")

    def rule(value: Json) -> Problems:
        return FINE if first.isdisjoint(value) or second.isdisjoint(value) else said

    return rule


def must(key: str, said: str, test: Callable[[Json], bool]) -> Rule:
    """What the test asks is true."""
    wrong = problem("invariant", f"{key}: {said}")
    return lambda value: FINE if test(value) else wrong


def has_code(concept: Json | None, system: str, *codes: str) -> bool:
    codings = concept.get("coding", ()) if concept else ()
    return any(one.get("system") == system and one.get("code") in codes for one in codings)


def has(value: Json, *elements: str) -> bool:
    """Whether one of the elements, none of them a choice, is there."""
    return any(one in value or f"_{one}" in value for one in elements)


def is_distinct(values: Iterable[Any]) -> bool:
    found = list(values)
    return len(found) == len(set(found))


def each(value: Json, element: str) -> list[Json]:
    """The objects of a repeating element."""
    return [one for one in value.get(element, ()) if isinstance(one, dict)]


def unless(element: str, *types: str, within: str = "type") -> Callable[[Json], bool]:
    """The element is only there if the type, where there is one, is one of these."""
    return lambda value: not has(value, element) or value.get(within) in (None, *types)


def only_for(*elements: str, not_on: tuple[str, ...]) -> Callable[[Json], bool]:
    """The elements are not there if the type is one of these."""
    return lambda value: value.get("type") not in not_on or not has(value, *elements)
