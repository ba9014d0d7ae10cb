"""FHIRPath Patch: operations in a Parameters resource — https://hl7.org/fhir/R4/fhirpatch.html"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from app.fhir import json
from app.fhir.context import Resource
from app.fhir.errors import BadRequest, Issue, TooLarge, Unprocessable
from app.fhir.patch.json_patch import MAX_OPERATIONS
from app.fhir.patch.path import locate, split_last
from app.fhir.patch.place import Object, Place, children, elements, put, remove, shift
from app.fhir.registry import ElementDefinition, parent, structure
from app.fhir.validation.primitives import PRIMITIVES
from app.fhir.validation.structure import validate

Part = Mapping[str, Any]
Parts = Mapping[str, Part]


@dataclass(frozen=True, slots=True)
class Value:
    """What an operation puts in place: JSON of a FHIR type, what stands beside a primitive, or the
    parts of an element whose type has no name."""

    type: str
    json: Any = None
    beside: Any = None
    parts: Sequence[Part] = ()


def fhirpath_patch(resource: Resource, patch: Any) -> Resource:
    """What the operations make of a resource, which stays as it is.

    Raises BadRequest for what is no FHIRPath Patch, Unprocessable for one that does not fit.
    """
    operations = _operations(patch)
    patched = deepcopy(resource)
    for at, parts in enumerate(operations):
        try:
            _apply(patched, parts)
        except (BadRequest, Unprocessable) as error:
            where = (f"Parameters.parameter[{at}]",)
            raise type(error)(str(error), code=error.issues[0].code, expression=where) from None
    json.check_depth(patched)
    return patched


def _operations(patch: Any) -> list[Parts]:
    if not isinstance(patch, dict) or patch.get("resourceType") != "Parameters":
        raise BadRequest("A FHIRPath Patch is a Parameters resource.", code="structure")
    issues = [issue for issue in validate(patch, "Parameters") if _counts(issue)]
    if issues:
        raise BadRequest("The Parameters are not valid.", issues=issues)
    found = patch.get("parameter", [])
    if len(found) > MAX_OPERATIONS:
        raise TooLarge(f"A patch has {MAX_OPERATIONS} operations at most.")
    if any(each["name"] != "operation" for each in found):
        raise BadRequest("Every parameter is named operation.", code="value")
    return [{part["name"]: part for part in each.get("part", ())} for each in found]


def _counts(issue: Issue) -> bool:
    """What is put among contained resources may refer to them: judged when it is there."""
    return issue.severity == "error" and not issue.diagnostics.startswith("ref-1:")


def _apply(resource: Resource, parts: Parts) -> None:
    type_ = _text(parts, "type")
    if type_ not in OPERATIONS:
        raise BadRequest(f"type is one of {', '.join(OPERATIONS)}.", code="value")
    OPERATIONS[type_](resource, parts)


def _add(resource: Resource, parts: Parts) -> None:
    place = _one(resource, _text(parts, "path"))
    _set(place.members, place.type, _text(parts, "name"), _value(_part(parts, "value")))


def _insert(resource: Resource, parts: Parts) -> None:
    place, name, definition = _list(resource, parts)
    value = _value(_part(parts, "value"))
    size = len(list(children(place, name)))
    index = _number(parts, "index", size)
    [key] = definition.names
    put(place.members, key, index, _made(value, definition.names[key]), value.beside)


def _delete(resource: Resource, parts: Parts) -> None:
    places = locate(_text(parts, "path"), resource)
    if len(places) > 1:
        raise Unprocessable("The path leads to more than one element; delete one by one.")
    if places and not places[0].name:
        raise Unprocessable("The resource itself cannot be deleted by a patch.")
    for place in places:
        remove(place)


def _replace(resource: Resource, parts: Parts) -> None:
    place = _one(resource, _text(parts, "path"))
    if place.above is None:
        raise Unprocessable("The resource itself is replaced by an update.")
    value = _value(_part(parts, "value"))
    definition = next(
        each for each in elements(place.above.type).values() if place.name in each.names
    )
    name = _name(definition, value)
    made = _made(value, definition.names[name])
    if place.index is not None:
        put(place.holder, name, place.index + 1, made, value.beside)
        remove(place)
        return
    if name != place.name or made is None:
        place.holder.pop(place.name, None)
    place.holder.pop(f"_{place.name}", None)
    _put_single(place.holder, name, made, value.beside)


def _move(resource: Resource, parts: Parts) -> None:
    place, name, definition = _list(resource, parts)
    size = len(list(children(place, name)))
    source = _number(parts, "source", size - 1)
    destination = _number(parts, "destination", size - 1)
    [key] = definition.names
    shift(place.members, key, source, destination)


OPERATIONS = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


def _set(holder: Object, type_: str, name: str, value: Value) -> None:
    """Add an element to an object: at the end of a list, or where there is none yet."""
    definition = elements(type_).get(name)
    if definition is None:
        raise Unprocessable(f"{type_} has no element {name[:64]}.", code="structure")
    key = _name(definition, value)
    made = _made(value, definition.names[key])
    if definition.many:
        size = max(len(holder.get(key, ())), len(holder.get(f"_{key}", ())))
        put(holder, key, size, made, value.beside)
        return
    if any(one in holder or f"_{one}" in holder for one in definition.names):
        raise Unprocessable(f"{name} is there already: replace it.", code="duplicate")
    _put_single(holder, key, made, value.beside)


def _put_single(holder: Object, key: str, made: Any, beside: Any) -> None:
    for name, each in ((key, made), (f"_{key}", beside)):
        if each is not None:
            holder[name] = each


def _name(definition: ElementDefinition, value: Value) -> str:
    """The JSON name of an element that gets this value: a choice is named by the type."""
    if len(definition.names) == 1:
        return next(iter(definition.names))
    name = next((name for name, type_ in definition.names.items() if type_ == value.type), None)
    if name is None:
        raise Unprocessable("The value has none of the types of this element.", code="value")
    return name


def _made(value: Value, type_: str) -> Any:
    if value.type:
        if not _fits(value.type, type_):
            raise Unprocessable(f"The value is no {type_}.", code="value")
        return value.json
    made: Object = {}
    for part in value.parts:
        _set(made, type_, str(part["name"]), _value(part))
    return made


def _fits(given: str, type_: str) -> bool:
    """Whether a value may be given as this type; which primitive it is, the validation tells."""
    if given in PRIMITIVES:
        return type_ in PRIMITIVES or type_ == "xhtml"
    return type_ in (given, "Resource", parent(given)) or parent(type_) == given


def _value(part: Part) -> Value:
    if "resource" in part:
        return Value("Resource", part["resource"])
    names: Mapping[str, str] = structure("Parameters.parameter")["value"].names
    for key, type_ in names.items():
        if key in part or f"_{key}" in part:
            return Value(type_, part.get(key), part.get(f"_{key}"))
    return Value("", parts=part.get("part", ()))


def _one(resource: Resource, path: str) -> Place:
    places = locate(path, resource)
    if len(places) != 1:
        said = "more than one element" if places else "no element"
        raise Unprocessable(f"The path leads to {said}.", code="processing")
    return places[0]


def _list(resource: Resource, parts: Parts) -> tuple[Place, str, ElementDefinition]:
    """The parent of a list, its name, and what R4 says of it."""
    head, name = split_last(_text(parts, "path"))
    place = _one(resource, head)
    definition = elements(place.type).get(name)
    if definition is None or not definition.many:
        raise Unprocessable(f"{place.type} has no list {name[:64]}.", code="structure")
    return place, name, definition


def _part(parts: Parts, name: str) -> Part:
    if name not in parts:
        raise BadRequest(f"The operation needs {name}.", code="required")
    return parts[name]


def _text(parts: Parts, name: str) -> str:
    value = _value(_part(parts, name)).json
    if not isinstance(value, str):
        raise BadRequest(f"{name} is a string.", code="value")
    return value


def _number(parts: Parts, name: str, most: int) -> int:
    value = _value(_part(parts, name)).json
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRequest(f"{name} is an integer.", code="value")
    if not 0 <= value <= most:
        raise Unprocessable(f"{name} lies outside of the list.", code="value")
    return value
