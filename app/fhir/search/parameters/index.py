"""The index of a resource: what every search parameter of its type finds in it, in one pass."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from app.fhir.context import Resource
from app.fhir.registry import SearchParameter, following, parameters
from app.fhir.search.parameters import (
    composite,
    date,
    expression,
    fulltext,
    number,
    quantity,
    reference,
    string,
    token,
    uri,
)
from app.fhir.search.parameters.keys import failure, param, presence

Elements = Iterable[tuple[str, Any]]
COLUMNS = frozenset({"_id", "_lastUpdated"})
"""The parameters that read a column of the resource's own row and need no index."""


@dataclass(frozen=True, slots=True)
class IndexRows:
    """`resource.keys` and the rows of the `index_*` tables, without rid; no duplicates.

    references (param, target) · dates (param, lo, hi, …) · strings (param, folded, exact, …) ·
    numbers (param, lo, hi, units, …) · composites (param, and what composite.extract gives) ·
    texts (narrative, content); … is whether the row is the least, and the greatest, of its
    parameter: each is one row, whatever is equal, and none without a value.
    """

    keys: list[int]
    references: list[tuple[int, str]]
    dates: list[tuple[Any, ...]]
    strings: list[tuple[Any, ...]]
    numbers: list[tuple[Any, ...]]
    composites: list[tuple[Any, ...]]
    texts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Found:
    """What is being collected; dict keys, to drop duplicates and keep the order."""

    keys: set[int] = field(default_factory=set)
    references: dict[tuple[int, str], None] = field(default_factory=dict)
    dates: dict[tuple[int, datetime, datetime], None] = field(default_factory=dict)
    strings: dict[tuple[int, str, str], None] = field(default_factory=dict)
    numbers: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)
    composites: list[tuple[Any, ...]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Step:
    """One parameter of a type: how to find its elements, and how to note them down.

    `names` are the members of the resource without which it finds none; None where that is unknown.
    """

    names: frozenset[str] | None
    evaluate: Callable[[Resource], list[tuple[str, Any]]]
    presence: int | None
    note: Callable[[Elements, _Found, str], None]
    failed: int


def extract(resource: Resource, base_url: str) -> IndexRows:
    """The index of a resource; `base_url` tells which absolute references are local."""
    found = _Found()
    for step in applicable(resource["resourceType"], frozenset(resource)):
        try:
            elements = step.evaluate(resource)
        except expression.Unevaluated:
            # What an operator registered keeps nobody from writing; `failed` tells of it.
            found.keys.add(step.failed)
            continue
        if elements:
            if step.presence is not None:
                found.keys.add(step.presence)
            step.note(elements, found, base_url)
    return IndexRows(
        sorted(found.keys),
        list(found.references),
        _placed(found.dates),
        _placed(found.strings),
        _placed([(*row[:3], units) for row, units in found.numbers.items()]),
        found.composites,
        fulltext.extract(resource),
    )


def _placed(rows: Collection[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows (param, value, …), each with whether it is the least and the greatest."""
    least: dict[int, tuple[Any, ...]] = {}
    greatest: dict[int, tuple[Any, ...]] = {}
    for row in rows:
        at, value = row[0], row[1]
        if value is None:
            continue
        if at not in least:
            least[at] = greatest[at] = row
        elif value < least[at][1]:
            least[at] = row
        elif value > greatest[at][1]:
            greatest[at] = row
    return [(*row, least.get(row[0]) is row, greatest.get(row[0]) is row) for row in rows]


@following
@lru_cache(maxsize=4096)
def applicable(type_: str, members: frozenset[str]) -> tuple[_Step, ...]:
    """The steps that can find something in a resource that has these members."""
    return tuple(
        step for step in steps_of(type_) if step.names is None or not step.names.isdisjoint(members)
    )


@following
def steps_of(type_: str) -> tuple[_Step, ...]:
    """One step for each parameter of the type that is indexed."""
    return tuple(
        _step(type_, parameter)
        for parameter in parameters(type_).values()
        if _is_indexed(parameter)
    )


def _step(type_: str, parameter: SearchParameter) -> _Step:
    evaluate, at = expression.compiled(parameter), param(type_, parameter.code)
    failed = failure(type_, parameter.code)
    names = expression.members(parameter)
    if parameter.type == "composite":
        return _Step(names, evaluate, None, partial(_note_composite, parameter, at), failed)
    note = partial(NOTES[parameter.type], f"{type_}.{parameter.code}", at)
    return _Step(names, evaluate, presence(type_, parameter.code), note, failed)


def _is_indexed(parameter: SearchParameter) -> bool:
    is_known = parameter.type in NOTES or parameter.type == "composite"
    return is_known and parameter.code not in COLUMNS


def _note_token(name: str, _: int, elements: Elements, found: _Found, __: str) -> None:
    elements = list(elements)
    found.keys.update(token.extract(name, elements))
    texts = list(token.texts(elements))
    if texts:
        type_, code = name.split(".", 1)
        at = param(type_, f"{code}:text")
        for text in texts:
            found.strings[at, string.fold(text), text] = None


def _note_uri(name: str, _: int, elements: Elements, found: _Found, __: str) -> None:
    found.keys.update(uri.extract(name, elements))


def _note_reference(name: str, at: int, elements: Elements, found: _Found, base_url: str) -> None:
    for target in reference.extract(elements, base_url):
        found.references[at, target] = None
    found.keys.update(reference.extract_identifiers(name, elements))


def _note_date(_: str, at: int, elements: Elements, found: _Found, __: str) -> None:
    for lo, hi in date.extract(elements):
        found.dates[at, lo, hi] = None


def _note_string(_: str, at: int, elements: Elements, found: _Found, __: str) -> None:
    for folded, exact in string.extract(elements):
        found.strings[at, folded, exact] = None


def _note_number(_: str, at: int, elements: Elements, found: _Found, __: str) -> None:
    for (lo, hi), units in number.extract(elements):
        found.numbers[at, lo, hi, tuple(units)] = units


def _note_quantity(_: str, at: int, elements: Elements, found: _Found, __: str) -> None:
    for (lo, hi), units in quantity.extract(elements):
        found.numbers[at, lo, hi, tuple(units)] = units


def _note_composite(
    parameter: SearchParameter, at: int, elements: Elements, found: _Found, base_url: str
) -> None:
    for row in composite.extract(parameter, list(elements), base_url):
        found.composites.append((at, *row))


NOTES: dict[str, Callable[[str, int, Elements, _Found, str], None]] = {
    "token": _note_token,
    "uri": _note_uri,
    "reference": _note_reference,
    "date": _note_date,
    "string": _note_string,
    "number": _note_number,
    "quantity": _note_quantity,
}
"""By parameter type; what is missing here is not indexed."""
