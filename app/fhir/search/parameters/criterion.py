"""Criterion: one search parameter with its modifier and its values, any of which may match.

https://hl7.org/fhir/R4/search.html#modifiers, https://hl7.org/fhir/R4/search.html#combining
"""

import re
from dataclasses import dataclass
from functools import cache

from app.fhir.access import Access
from app.fhir.errors import BadRequest
from app.fhir.registry import SearchParameter, parameters
from app.fhir.search.parameters.modifiers import MODIFIERS, check_modifier
from app.storage.sql import Arguments

MAX_VALUES = 500
"""Alternatives in one criterion."""

SPECIAL = frozenset(
    ("_content", "_contained", "_containedType", "_filter", "_list", "_query", "_text", "_type")
)
"""What R4 defines for every type and this server has not."""

PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)\Z", re.DOTALL)
RESOLVED = re.compile(r"resolve\(\) is ([A-Za-z]+)")
RESERVED = re.compile(r"[\\,$|]")
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class UnknownParameter(BadRequest):
    """A parameter that cannot be searched by: Prefer handling=lenient ignores it."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One parameter of `type`; `values` are alternatives, still escaped inside (`\\|`, `\\$`)."""

    type: str
    parameter: SearchParameter
    modifier: str | None
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Over:
    """The row a predicate speaks about: its alias in a statement, and the arguments of that.

    `known` is what exists for whoever asks (app/fhir/known.py), `lost` what does not of
    the references in the query.
    """

    alias: str
    args: Arguments
    base_url: str = ""
    known: tuple[tuple[Access, tuple[str, ...]], ...] = ()
    lost: frozenset[str] = frozenset()


def split(text: str, separator: str) -> list[str]:
    """The parts between separators that no backslash escapes; the parts stay escaped."""
    if "\\" not in text:
        return text.split(separator)
    parts, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == separator:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def unescape(text: str) -> str:
    """The text without its escapes. https://hl7.org/fhir/R4/search.html#escaping"""
    return ESCAPED.sub(r"\1", text) if "\\" in text else text


def escape(text: str) -> str:
    """The text as a value that means nothing but itself."""
    return RESERVED.sub(r"\\\g<0>", text)


def prefixed(text: str) -> tuple[str, str]:
    """The comparison prefix (`eq` when absent) and the rest of an ordered value."""
    found = PREFIX.match(text)
    assert found is not None
    return found[1] or "eq", found[2]


def find(type_: str, code: str) -> SearchParameter:
    """The parameter of this code. Raises UnknownParameter naming the valid ones."""
    parameter = parameters(type_).get(code)
    if code in SPECIAL:
        raise UnknownParameter(
            f"Search parameter '{code}' is not supported.", code="not-supported", expression=(code,)
        )
    if parameter is None:
        valid = ", ".join(sorted(each.code for each in searchable(type_)))
        raise UnknownParameter(
            f"{type_} has no search parameter '{code}'; it has: {valid}.", expression=(code,)
        )
    if parameter.state == "indexing":
        raise UnknownParameter(
            f"Search parameter '{code}' of {type_} is being indexed: try again later.",
            code="not-supported",
            expression=(code,),
        )
    if not is_supported(parameter):
        raise UnknownParameter(
            f"Search parameter '{code}' of {type_} ({parameter.type}) is not supported.",
            code="not-supported",
            expression=(code,),
        )
    return parameter


def is_supported(parameter: SearchParameter) -> bool:
    """Whether the server can search by it; the texts in the audit trail are not indexed, and what
    was registered is not before everything was looked at."""
    if parameter.base == "AuditEvent" and parameter.type == "string":
        return False
    if parameter.state == "indexing":
        return False
    return parameter.type in MODIFIERS


def searchable(type_: str) -> tuple[SearchParameter, ...]:
    """The parameters of a type that the server can search by, for the CapabilityStatement."""
    return tuple(each for each in parameters(type_).values() if is_supported(each))


@cache
def targets(parameter: SearchParameter) -> tuple[str, ...]:
    """The types a reference parameter points to; `where(resolve() is X)` leaves only X."""
    only = tuple(RESOLVED.findall(parameter.expression))
    return only or parameter.target


def parse(type_: str, name: str, value: str) -> Criterion:
    """Read `code[:modifier]` and its comma-separated values.

    Raises UnknownParameter, and BadRequest for a modifier that does not apply or an empty value.
    """
    code, _, modifier = name.partition(":")
    parameter = find(type_, code)
    if modifier or name.endswith(":"):
        check_modifier(parameter, modifier, targets(parameter))
    values = tuple(split(value, ","))
    if len(values) > MAX_VALUES:
        raise BadRequest(f"A parameter takes {MAX_VALUES} values at most.", expression=(name,))
    if not all(values):
        raise BadRequest(f"Search parameter '{name}' has an empty value.", expression=(name,))
    if modifier == "missing" and value not in ("true", "false"):
        raise BadRequest(f"'{name}' is either true or false.", expression=(name,))
    return Criterion(type_, parameter, modifier or None, values)
