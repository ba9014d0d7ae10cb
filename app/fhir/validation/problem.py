"""What a check finds wrong: nothing at all in the common case, so that finding nothing is cheap.

A problem's path is relative to the value that was checked; whoever holds the value puts its own
step in front. That way no path is built for a resource that is valid.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

LIMIT = 100
"""How many problems are told at once."""

ENOUGH = 5000
"""How many are looked for; stopping the search is itself a problem, so that it is never silent."""

NULL = "null"
FRAGMENT = "fragment"
MENTION = "mention"
INTERNAL = (NULL, FRAGMENT, MENTION)
"""Codes of problems that only a container can judge: a null that an extension may excuse, a
reference to a contained resource, and a uri that names one. They never reach an Issue."""


class Problem(NamedTuple):
    """Where (".activity[0].detail.status"), an issue type, and what would be right."""

    path: str
    code: str
    diagnostics: str


Problems = Sequence[Problem]
Check = Callable[[Any], Problems]
"""A check of one JSON value."""

Rule = Callable[[Mapping[str, Any]], Problems]
"""A check of an object whose elements are known to be well-formed."""

FINE: Problems = ()

KINDS: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    dict: "an object",
    list: "an array",
    type(None): "null",
}


def problem(code: str, diagnostics: str, path: str = "") -> Problems:
    return (Problem(path, code, diagnostics),)


TOO_MANY = Problem(
    "", "too-long", "Has too many problems, or too many references to contained ones"
)


def wrong_type(value: Any, expected: str) -> Problems:
    """The problem of a value of the wrong JSON type."""
    if value is None:
        return problem(NULL, "Must not be null; leave the element out instead")
    return problem("structure", f"Must be {expected}, not {KINDS.get(type(value), 'a number')}")


def under(step: str, found: Iterable[Problem]) -> list[Problem]:
    """The same problems, seen from one level up."""
    return [Problem(step + path, code, diagnostics) for path, code, diagnostics in found]
