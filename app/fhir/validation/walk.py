"""From an element to those within it, each with its FHIRPath and its type."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app.fhir.context import Resource
from app.fhir.registry import ElementDefinition, structure
from app.fhir.validation.primitives import PRIMITIVES


class Place(NamedTuple):
    """An element: where it is, where R4 defines it, its type and value.

    `more` holds the id and extensions of a primitive; the value of a primitive without one is None.
    """

    path: str
    defined: str
    type: str
    value: Any
    more: Mapping[str, Any] | None = None

    @property
    def content(self) -> Mapping[str, Any]:
        """The object that its inner elements are in."""
        return self.value if isinstance(self.value, dict) else self.more or {}


def whole(resource: Resource) -> Place:
    """The resource as an element."""
    type_ = resource["resourceType"]
    return Place(type_, type_, type_, resource)


def within(place: Place, stem: str) -> list[Place]:
    """The elements of this name within a place."""
    owner = "Element" if place.type in PRIMITIVES else place.type
    definition = _structure(owner).get(stem)
    return list(_members(place, stem, definition)) if definition else []


def everything(place: Place) -> Iterator[Place]:
    """The element itself, and all within it, in the order of their definitions."""
    yield place
    for stem in _present(place):
        for one in within(place, stem):
            yield from everything(one)


def _present(place: Place) -> Iterator[str]:
    names = {name.removeprefix("_") for name in place.content}
    owner = "Element" if place.type in PRIMITIVES else place.type
    for stem, definition in _structure(owner).items():
        if not names.isdisjoint(definition.names):
            yield stem


def _structure(type_: str) -> Mapping[str, ElementDefinition]:
    try:
        return structure(type_)
    except KeyError:
        return {}


def _members(place: Place, stem: str, definition: ElementDefinition) -> Iterator[Place]:
    path, defined = f"{place.path}.{stem}", f"{place.defined}.{stem}"
    for name, type_ in definition.names.items():
        value, more = place.content.get(name), place.content.get(f"_{name}")
        if definition.many:
            for at, (one, beside) in enumerate(_pairs(value, more)):
                yield _place(f"{path}[{at}]", defined, type_, one, beside)
        elif value is not None or isinstance(more, dict):
            yield _place(path, defined, type_, value, more)


def _pairs(value: Any, more: Any) -> Iterator[tuple[Any, Any]]:
    values = value if isinstance(value, list) else []
    beside = more if isinstance(more, list) else []
    for at in range(max(len(values), len(beside))):
        yield (
            values[at] if at < len(values) else None,
            beside[at] if at < len(beside) else None,
        )


def _place(path: str, defined: str, type_: str, value: Any, more: Any) -> Place:
    if type_ == "Resource" and isinstance(value, dict):
        type_ = str(value.get("resourceType"))
        defined = type_
    return Place(path, defined, type_, value, more if isinstance(more, dict) else None)
