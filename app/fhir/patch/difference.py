"""The FHIRPath Patch that makes one version of a resource of another. Pure.

Applied to the first (app/fhir/patch/fhirpath_patch.py) it gives the second, but for the order of
names, the version and its instant. https://hl7.org/fhir/R4/fhirpatch.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from typing import Any

from app.fhir import json
from app.fhir.context import Resource
from app.fhir.patch.place import elements
from app.fhir.registry import ElementDefinition, structure
from app.fhir.validation.primitives import PRIMITIVES

Part = dict[str, Any]
SERVERS = ("versionId", "lastUpdated")
"""What of meta is the server's."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A value of an element under its JSON name, its type, and what stands beside a primitive."""

    name: str
    type: str
    json: Any = None
    beside: Any = None

    @property
    def members(self) -> Mapping[str, Any]:
        """Those of an object."""
        found: Mapping[str, Any] = self.json
        return found

    def may_become(self, other: "_Item") -> bool:
        """Whether the other is this one with members changed, not another value."""
        is_object = isinstance(self.json, dict) and isinstance(other.json, dict)
        return is_object and (self.name, self.type) == (other.name, other.type)


def difference(before: Resource, after: Resource) -> Iterator[Part]:
    """The operations, in the order in which they are to be applied, as Parameters.parameter.

    Both are versions of the same resource, as stored.
    """
    type_ = before["resourceType"]
    yield from _members(type_, type_, _without(before), _without(after))


def _without(resource: Resource) -> Resource:
    meta = {key: value for key, value in resource.get("meta", {}).items() if key not in SERVERS}
    return {**resource, "meta": meta}


def _members(
    path: str, type_: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Part]:
    """What comes or changes first, what goes last: an object without members would be gone."""
    gone: list[Part] = []
    for name, definition in elements(type_).items():
        old, new = _items(before, definition), _items(after, definition)
        if old == new:
            continue
        if definition.many:
            found = list(_several(path, name, old, new))
        else:
            found = list(_one(path, name, old, new))
        is_loss = not new
        gone += found if is_loss else ()
        yield from () if is_loss else found
    yield from gone


def _items(holder: Mapping[str, Any], definition: ElementDefinition) -> list[_Item]:
    for name, type_ in definition.names.items():
        value, beside = holder.get(name), holder.get(f"_{name}")
        if value is None and beside is None:
            continue
        if not definition.many:
            return [_item(name, type_, value, beside)]
        size = max(len(value or ()), len(beside or ()))
        values, sides = _padded(value, size), _padded(beside, size)
        return [_item(name, type_, *pair) for pair in zip(values, sides, strict=True)]
    return []


def _padded(items: Sequence[Any] | None, size: int) -> list[Any]:
    found = list(items or ())
    return found + [None] * (size - len(found))


def _item(name: str, type_: str, value: Any, beside: Any) -> _Item:
    if type_ == "Resource":
        type_ = value["resourceType"]
    return _Item(name, type_, value, beside)


def _one(path: str, name: str, old: Sequence[_Item], new: Sequence[_Item]) -> Iterator[Part]:
    if not old:
        yield _operation("add", path, name=name, value=new[0])
    elif not new:
        yield _operation("delete", f"{path}.{name}")
    else:
        yield from _changed(f"{path}.{name}", old[0], new[0])


def _changed(path: str, old: _Item, new: _Item) -> Iterator[Part]:
    if old.may_become(new) and new.members:
        yield from _members(path, old.type, old.members, new.members)
    else:
        yield _operation("replace", path, value=new)


def _several(path: str, name: str, old: Sequence[_Item], new: Sequence[_Item]) -> Iterator[Part]:
    """From the end to the beginning, so that an index means the same before and after."""
    if not old:
        for item in new:
            yield _operation("add", path, name=name, value=item)
        return
    keys = [[json.dump([each.json, each.beside]) for each in items] for items in (old, new)]
    # Compared as a whole: what difflib takes for too common is common in FHIR.
    found = SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes()
    where = f"{path}.{name}"
    for kind, start, stop, first, last in reversed(found):
        if kind != "equal":
            yield from _stretch(where, old[start:stop], new[first:last], start)


def _stretch(path: str, old: Sequence[_Item], new: Sequence[_Item], start: int) -> Iterator[Part]:
    both = min(len(old), len(new))
    for at, item in enumerate(new[both:], start + both):
        yield _operation("insert", path, index=at, value=item)
    for at in range(both):
        yield from _changed(f"{path}[{start + at}]", old[at], new[at])
    for at in reversed(range(start + both, start + len(old))):
        yield _operation("delete", f"{path}[{at}]")


def _operation(
    kind: str,
    path: str,
    *,
    name: str | None = None,
    index: int | None = None,
    value: _Item | None = None,
) -> Part:
    parts: list[Part] = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    if name is not None:
        parts.append({"name": "name", "valueString": name})
    if index is not None:
        parts.append({"name": "index", "valueInteger": index})
    if value is not None:
        parts.append(_valued("value", value))
    return {"name": "operation", "part": parts}


def _valued(name: str, item: _Item) -> Part:
    """A part that holds the value: as the data type it is, or member by member."""
    if isinstance(item.json, dict) and "resourceType" in item.json:
        return {"name": name, "resource": item.json}
    key = _keys().get("string" if item.type == "xhtml" else item.type)
    if key is None:
        return {"name": name, "part": list(_inner(item))}
    made: Part = {"name": name}
    if item.json is not None:
        made[key] = item.json
    if item.beside is not None:
        made[f"_{key}"] = item.beside
    return made


def _inner(item: _Item) -> Iterator[Part]:
    for name, definition in elements(item.type).items():
        for each in _items(item.members, definition):
            yield _valued(name, each)


@cache
def _keys() -> Mapping[str, str]:
    """By type the JSON name of a parameter's value."""
    names = structure("Parameters.parameter")["value"].names
    found = {type_: key for key, type_ in names.items()}
    return found | {type_: found.get(type_, "valueString") for type_ in PRIMITIVES}
