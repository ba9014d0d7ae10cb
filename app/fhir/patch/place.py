"""Place: where an element stands in the JSON of a resource, so that it can be changed there.

The extensions of a primitive element stand beside it, under its name with an underscore.
https://hl7.org/fhir/R4/json.html#primitive
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.fhir.registry import ElementDefinition, structure

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """An element: member `name` of the object that is `above`, at `index` where that is a list.

    `type` is its FHIR type; of the resource itself `name` is empty, and `holder` the resource.
    """

    holder: Object
    name: str
    index: int | None
    type: str
    above: "Place | None" = None

    @property
    def value(self) -> Any:
        """Its JSON; None of a primitive that has extensions only."""
        if not self.name:
            return self.holder
        found = self.holder.get(self.name)
        return found if self.index is None else _item(found, self.index)

    @property
    def members(self) -> Object:
        """The object its children are in: of a primitive the one beside it, made if need be."""
        if isinstance(self.value, dict):
            return self.value
        beside = f"_{self.name}"
        if self.index is None:
            made: Object = self.holder.setdefault(beside, {})
            return made
        items = _padded(self.holder, beside, self.index + 1)
        if items[self.index] is None:
            items[self.index] = {}
        found: Object = items[self.index]
        return found


def elements(type_: str) -> dict[str, ElementDefinition]:
    """The elements an object of this type may have; of a primitive: id and extension."""
    try:
        return dict(structure(type_))
    except KeyError:
        return dict(structure("Element"))


def children(place: Place, name: str) -> Iterator[Place]:
    """The elements of this name below a place, in their order."""
    definition = elements(place.type).get(name)
    value = place.value
    holder = value if isinstance(value, dict) else place.holder.get(f"_{place.name}")
    if definition is None or not isinstance(holder, dict):
        return
    for key, type_ in definition.names.items():
        found, beside = holder.get(key), holder.get(f"_{key}")
        if isinstance(found, list) or isinstance(beside, list):
            for index in range(max(len(found or ()), len(beside or ()))):
                yield _place(holder, key, index, type_, place)
        elif key in holder or f"_{key}" in holder:
            yield _place(holder, key, None, type_, place)


def _place(holder: Object, name: str, index: int | None, type_: str, above: Place) -> Place:
    made = Place(holder, name, index, type_, above)
    if type_ == "Resource" and isinstance(made.value, dict):
        return Place(holder, name, index, str(made.value.get("resourceType")), above)
    return made


def remove(place: Place) -> None:
    """Take an element away, and what is empty without it."""
    for key in (place.name, f"_{place.name}"):
        items = place.holder.get(key)
        if place.index is None or not isinstance(items, list):
            place.holder.pop(key, None)
        elif place.index < len(items):
            del items[place.index]
        tidy(place.holder, key)
    if not place.holder and place.above is not None and place.above.name:
        remove(place.above)


def tidy(holder: Object, key: str) -> None:
    """A list of nothing is no list."""
    items = holder.get(key)
    if isinstance(items, list) and not any(item is not None for item in items):
        del holder[key]


def shift(holder: Object, key: str, source: int, destination: int) -> None:
    """Move an item of a list, and what stands beside it."""
    size = max(len(holder.get(key, ())), len(holder.get(f"_{key}", ())))
    for name in (key, f"_{key}"):
        if name in holder:
            items = _padded(holder, name, size)
            items.insert(destination, items.pop(source))


def put(holder: Object, key: str, index: int, item: Any, beside: Any) -> None:
    """Insert an item into a list, and what stands beside it."""
    size = max(len(holder.get(key, ())), len(holder.get(f"_{key}", ())))
    for name, each in ((key, item), (f"_{key}", beside)):
        if each is not None or name in holder:
            _padded(holder, name, size).insert(index, each)


def _padded(holder: Object, key: str, size: int) -> list[Any]:
    items: list[Any] = holder.setdefault(key, [])
    items += [None] * (size - len(items))
    return items


def _item(items: Any, index: int) -> Any:
    return items[index] if isinstance(items, list) and index < len(items) else None
