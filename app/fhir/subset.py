"""Parts of a resource: _summary and _elements.

https://hl7.org/fhir/R4/search.html#summary, #elements
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from app.fhir.context import Resource
from app.fhir.errors import BadRequest
from app.fhir.registry import read

SUMMARIES = ("true", "text", "data", "count", "false")
SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
_ALWAYS = ("resourceType", "id", "meta")


@cache
def _definitions() -> dict[str, Any]:
    return read("summary")


def subset(resource: Resource, summary: str | None, elements: tuple[str, ...]) -> Resource:
    """The resource with only the asked-for elements, tagged SUBSETTED.

    `elements` are names of top-level elements; mandatory ones are kept as well.
    """
    type_ = resource["resourceType"]
    keep = _selection(type_, summary, elements)
    kept = {name: value for name, value in resource.items() if name in _ALWAYS or keep(name)}
    if summary == "true":
        kept = _cut(kept, _definitions()[type_].get("cut", ()))
    kept["meta"] = {**kept.get("meta", {})}
    tags = [tag for tag in kept["meta"].get("tag", []) if tag != SUBSETTED]
    kept["meta"]["tag"] = [*tags, SUBSETTED]
    return kept


def check_summary(value: str, allowed: Sequence[str] = SUMMARIES) -> str:
    """The value of _summary, or BadRequest listing the allowed ones."""
    if value not in allowed:
        raise BadRequest(f"_summary is one of {', '.join(allowed)} here.", code="value")
    return value


def _selection(type_: str, summary: str | None, elements: tuple[str, ...]) -> Callable[[str], bool]:
    definition = _definitions()[type_]
    match summary:
        case "true":
            return _named(definition["summary"])
        case "text":
            return _named(("text", *definition["mandatory"]))
        case "data":
            return lambda name: name != "text"
    return _named((*elements, *definition["mandatory"]))


def _named(names: tuple[str, ...] | list[str]) -> Callable[[str], bool]:
    """Whether an element goes by one of these names; `value[x]` stands for all its types."""
    plain = {name for name in names if not name.endswith("[x]")}
    choices = tuple(name.removesuffix("[x]") for name in names if name.endswith("[x]"))

    def is_named(element: str) -> bool:
        bare = element.lstrip("_")
        if bare in plain:
            return True
        return any(bare.startswith(c) and bare[len(c) : len(c) + 1].isupper() for c in choices)

    return is_named


def _cut(resource: Resource, paths: list[str]) -> Resource:
    for path in paths:
        first, rest = path.split(".", 1)
        if first in resource:
            resource = {**resource, first: _without(resource[first], rest.split("."))}
    return resource


def _without(value: Any, path: list[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    if len(path) == 1:
        gone = _named((path[0],))
        return {name: member for name, member in value.items() if not gone(name)}
    if path[0] not in value:
        return value
    return {**value, path[0]: _without(value[path[0]], path[1:])}
