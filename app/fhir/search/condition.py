"""Conditions: what a resource must be, to be found. Pure; nothing is looked up.

A condition is a criterion on the resource itself, on what it points to (chain), on what points to
it (_has), or its membership in a compartment.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from app.fhir.errors import BadRequest
from app.fhir.registry import is_type
from app.fhir.search.at_risk import is_untold
from app.fhir.search.parameters.criterion import Criterion, UnknownParameter, find, parse, targets

MAX_DEPTH = 8
"""How many links a chain may have."""

MAX_WAYS = 40
"""To how many types a chain that names none may lead, over all its links."""


@dataclass(frozen=True, slots=True)
class Chain:
    """`subject:Patient.name=…`: what `parameter` of `type` points to matches `inner`.

    https://hl7.org/fhir/R4/search.html#chaining
    """

    type: str
    parameter: str
    target: str
    inner: "Condition"


@dataclass(frozen=True, slots=True)
class Has:
    """`_has:Observation:patient:code=…`: a `source` matching `inner` points here by `parameter`.

    https://hl7.org/fhir/R4/search.html#has
    """

    type: str
    source: str
    parameter: str
    inner: "Condition"


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the conditions holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Member:
    """The resource is in a compartment. https://hl7.org/fhir/R4/compartmentdefinition.html"""

    type: str
    compartment: str
    id: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """The resource, of whatever type, is in one of these Lists (logical ids).

    https://hl7.org/fhir/R4/search.html#list
    """

    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class During:
    """What the resource is about lies at least partly within [lo, hi), or at no known time."""

    lo: datetime
    hi: datetime


@dataclass(frozen=True, slots=True)
class Worded:
    """The words of the resource (`content`), or of its narrative, match one of the values.

    https://hl7.org/fhir/R4/search.html#content
    """

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Every:
    """All of the conditions hold."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    inner: "Condition"


Condition = Criterion | Chain | Has | Either | Member | Listed | During | Worded | Every | Not


def mapped(condition: Condition, change: Callable[[Criterion], Criterion]) -> Condition:
    """The condition with every criterion in it changed."""
    match condition:
        case Criterion():
            return change(condition)
        case Chain(inner=inner) | Has(inner=inner) | Not(inner):
            return replace(condition, inner=mapped(inner, change))
        case Either(parts) | Every(parts):
            return replace(condition, parts=tuple(mapped(part, change) for part in parts))
    return condition


def parse_condition(type_: str, name: str, value: str, depth: int = 0) -> Condition:
    """Read one criterion, chain or _has. Raises UnknownParameter, BadRequest."""
    if depth > MAX_DEPTH:
        raise BadRequest(f"A chain may have {MAX_DEPTH} links.", expression=(name,))
    if name.startswith("_has:"):
        return _has(type_, name, value, depth)
    if "." in name:
        return _chain(type_, name, value, depth)
    return parse(type_, name, value)


def _has(type_: str, name: str, value: str, depth: int) -> Has:
    parts = name.split(":", 3)
    if len(parts) < 4:
        raise BadRequest("_has is written _has:Type:reference:parameter.", expression=(name,))
    _, source, code, rest = parts
    check_type(source, name)
    follow(source, code, type_)
    return Has(type_, source, code, parse_condition(source, rest, value, depth + 1))


def _chain(type_: str, name: str, value: str, depth: int) -> Condition:
    head, _, rest = name.partition(".")
    found = along(type_, head, lambda each: parse_condition(each, rest, value, depth + 1))
    if _size(found) > MAX_WAYS:
        raise BadRequest(f"'{name}' leads too many ways; name the types.", expression=(name,))
    return found


def along(type_: str, path: str, make: Callable[[str], Condition]) -> Condition:
    """What `path` (`code[:Type]`, more of them after dots) leads to is as `make` says of its type.

    A type of which it cannot be said is left out. Raises UnknownParameter if none remains.
    """
    head, _, rest = path.partition(".")
    code, _, target = head.partition(":")
    if target:
        check_type(target, path)
    inner = make if not rest else lambda each: along(each, rest, make)
    links: list[Condition] = []
    unknown = UnknownParameter(f"'{path}' leads to no type of this server.", expression=(path,))
    for each in follow(type_, code, target or None):
        try:
            links.append(Chain(type_, code, each, inner(each)))
        except UnknownParameter as error:
            unknown = error
    if not links:
        raise unknown
    return links[0] if len(links) == 1 else Either(tuple(links))


def _size(condition: Condition) -> int:
    """How many ways a condition can hold."""
    match condition:
        case Either(parts) | Every(parts):
            return sum(map(_size, parts))
        case Chain(inner=inner) | Has(inner=inner) | Not(inner):
            return _size(inner)
    return 1


def check_type(name: str, parameter: str) -> None:
    if not is_type(name):
        raise BadRequest(f"'{name}' is not a type of this server.", expression=(parameter,))


def follow(type_: str, code: str, target: str | None) -> tuple[str, ...]:
    """The types that a reference parameter leads to, or the one asked for.

    Raises UnknownParameter, and BadRequest when it is no reference or leads elsewhere.
    """
    parameter = find(type_, code)
    if parameter.type != "reference":
        raise BadRequest(f"'{code}' of {type_} is not a reference.", expression=(code,))
    if is_untold(parameter):
        raise UnknownParameter(
            f"What '{code}' of {type_} reads cannot be told from its expression, so that it cannot"
            " be followed.",
            code="not-supported",
            expression=(code,),
        )
    if type_ == "AuditEvent":
        raise UnknownParameter(
            "The references of AuditEvent cannot be followed.",
            code="not-supported",
            expression=(code,),
        )
    if target is None:
        return tuple(name for name in targets(parameter) if is_type(name))
    if target not in targets(parameter):
        raise BadRequest(f"'{code}' of {type_} does not point to {target}.", expression=(code,))
    return (target,)
