"""The steps a compiled FHIRPath expression is made of: from the elements in focus to those found.

https://hl7.org/fhirpath/N1/#path-selection, https://hl7.org/fhir/R4/fhirpath.html#functions
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from app.fhir.context import Resource
from app.fhir.registry import parent, structure

Element = tuple[str, Any]
"""A FHIR type ("Reference", "dateTime", "CarePlan.activity", "Goal") and its JSON value."""

Elements = list[Element]
Evaluate = Callable[[Elements, Resource], Elements]
"""From the elements in focus, within a resource, to the elements found."""

RESOURCE_TYPE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[^/]+)?\Z")


def then(first: Evaluate, second: Evaluate) -> Evaluate:
    return lambda focus, resource: second(first(focus, resource), resource)


def root(type_: str) -> Evaluate:
    def evaluate(_: Elements, resource: Resource) -> Elements:
        own = resource["resourceType"]
        return [(own, resource)] if _is_a(own, type_) else []

    return evaluate


def member(name: str) -> Evaluate:
    return lambda focus, _: members(focus, name)


def members(focus: Elements, name: str) -> Elements:
    """The elements of this name of those in focus."""
    found: Elements = []
    for owner, value in focus:
        if type(value) is not dict:
            continue
        for key, type_ in _names(owner, name):
            member = value.get(key)
            if member is not None:
                _append(found, type_, member)
    return found


def path(type_: str, names: Sequence[str]) -> Evaluate:
    """As `root` with a `member` for each name: most expressions are just that."""

    def evaluate(_: Elements, resource: Resource) -> Elements:
        own = resource["resourceType"]
        focus: Elements = [(own, resource)] if _is_a(own, type_) else []
        for name in names:
            focus = members(focus, name)
        return focus

    return evaluate


def _append(found: Elements, type_: str, member: Any) -> None:
    if type_ == "Resource":
        members = member if type(member) is list else [member]
        found.extend((one["resourceType"], one) for one in members)
    elif type(member) is list:
        found.extend([(type_, one) for one in member if one is not None])
    else:
        found.append((type_, member))


@cache
def _names(owner: str, name: str) -> tuple[tuple[str, str], ...]:
    """The JSON names, with types, of an element of this owner; none if it has no such element."""
    try:
        return tuple(structure(owner)[name].names.items())
    except KeyError:
        return ()


@cache
def _is_a(type_: str, ancestor: str) -> bool:
    """Whether this is the type, or specialises it; R4 itself once writes DateTime for dateTime."""
    if type_ == ancestor or (ancestor == "DateTime" and type_ == "dateTime"):
        return True
    above = parent(type_)
    return bool(above) and _is_a(above, ancestor)


def of_type(name: str) -> Evaluate:
    return lambda focus, _: [element for element in focus if _is_a(element[0], name)]


def is_type(name: str) -> Evaluate:
    return lambda focus, _: _boolean(_is_a(focus[0][0], name)) if focus else []


def where(criteria: Evaluate) -> Evaluate:
    def evaluate(focus: Elements, resource: Resource) -> Elements:
        return [one for one in focus if _truth(criteria([one], resource))]

    return evaluate


def extension(url: str) -> Evaluate:
    extensions = member("extension")

    def evaluate(focus: Elements, resource: Resource) -> Elements:
        return [one for one in extensions(focus, resource) if one[1].get("url") == url]

    return evaluate


def _resolve(focus: Elements, resource: Resource) -> Elements:
    found = (_target(value, resource) for type_, value in focus if type_ == "Reference")
    return [element for element in found if element is not None]


def _target(value: dict[str, Any], resource: Resource) -> Element | None:
    reference = value.get("reference", "")
    if reference.startswith("#"):
        contained = resource.get("contained", ())
        same = (one for one in contained if one.get("id") == reference[1:])
        return next(((one["resourceType"], one) for one in same), None)
    found = RESOURCE_TYPE.search(reference)
    type_ = found[1] if found else value.get("type")
    return (type_, {"resourceType": type_}) if type_ else None


def literal(token: str) -> Evaluate:
    element: Element = ("string", token[1:-1])
    if token in ("true", "false"):
        element = ("boolean", token == "true")
    elif token.isdigit():
        element = ("integer", int(token))
    return lambda _, __: [element]


def union(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(focus: Elements, resource: Resource) -> Elements:
        first, second = left(focus, resource), right(focus, resource)
        if not first or not second:
            return first or second
        return first + [element for element in second if element not in first]

    return evaluate


def equal(left: Evaluate, right: Evaluate, wanted: bool) -> Evaluate:
    def evaluate(focus: Elements, resource: Resource) -> Elements:
        first = [value for _, value in left(focus, resource)]
        second = [value for _, value in right(focus, resource)]
        if not first or not second:
            return []
        return _boolean((_same(first, second)) is wanted)

    return evaluate


def _same(first: list[Any], second: list[Any]) -> bool:
    pairs = zip(first, second, strict=False)
    return len(first) == len(second) and all(type(a) is type(b) and a == b for a, b in pairs)


def both(left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(focus: Elements, resource: Resource) -> Elements:
        truths = (_truth(left(focus, resource)), _truth(right(focus, resource)))
        if False in truths:
            return _boolean(False)
        return [] if None in truths else _boolean(True)

    return evaluate


def _boolean(value: bool) -> Elements:
    return [("boolean", value)]


def _truth(elements: Elements) -> bool | None:
    """Three-valued: a single non-boolean is true, nothing is unknown."""
    if not elements:
        return None
    return elements[0][1] is not False


FUNCTIONS: dict[str, Evaluate] = {
    "exists": lambda focus, _: _boolean(bool(focus)),
    "empty": lambda focus, _: _boolean(not focus),
    "first": lambda focus, _: focus[:1],
    "resolve": _resolve,
}
"""The functions without arguments; `where`, `as`, `ofType` and `extension` take one."""
