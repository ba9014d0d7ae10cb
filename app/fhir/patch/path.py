"""The FHIRPath of a patch operation: from a resource to the places of the elements it means.

Element names, [n], where(), first(), last(), extension(), ofType() and as(); what stands in where()
is FHIRPath as search parameters have it.
https://hl7.org/fhir/R4/fhirpatch.html
"""

import re
from collections.abc import Callable, Sequence
from functools import partial

from app.fhir.context import Resource
from app.fhir.errors import BadRequest
from app.fhir.fhirpath import compile_relative
from app.fhir.patch.place import Place, children
from app.fhir.registry import is_resource, parent

MAX_LENGTH = 1000
STEP = re.compile(r"\s*(?:\.\s*)?([A-Za-z_]\w*)|\s*\[\s*(\d{1,9})\s*\]")
ARGUMENT = re.compile(r"'(?:[^'\\]|\\.)*'|[()]")

Places = list[Place]
Step = Callable[[Places], Places]


def locate(path: str, resource: Resource) -> Places:
    """The places that a path leads to. Raises BadRequest for what is no such path."""
    places = [Place(resource, "", None, resource["resourceType"])]
    for step in _steps(path, resource):
        places = step(places)
    return places


def split_last(path: str) -> tuple[str, str]:
    """The path of the parent, and the name at the end. Raises BadRequest without such a name."""
    head, dot, name = path.strip().rpartition(".")
    if not dot or not name.isidentifier():
        raise BadRequest("A list is named by a path that ends in its name.", code="value")
    return head, name


def _steps(path: str, resource: Resource) -> Sequence[Step]:
    if len(path) > MAX_LENGTH:
        raise BadRequest(f"A path has {MAX_LENGTH} characters at most.", code="too-long")
    steps: list[Step] = []
    at = 0
    while at < len(path.rstrip()):
        found = STEP.match(path, at)
        if found is None or (at == 0 and found[2]):
            raise _unreadable()
        name, index, at = found[1], found[2], found.end()
        if index is not None:
            steps.append(partial(_nth, int(index)))
        elif path[at : at + 1] == "(":
            argument, at = _argument(path, at + 1)
            steps.append(_function(name, argument, resource))
        elif not steps and name[:1].isupper():
            steps.append(partial(_root, name))
        else:
            steps.append(partial(_member, name))
    return steps


def _argument(path: str, at: int) -> tuple[str, int]:
    """What stands between this parenthesis and its closing one, and where it goes on."""
    depth, start = 1, at
    for found in ARGUMENT.finditer(path, at):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return path[start : found.start()].strip(), found.end()
    raise _unreadable()


def _function(name: str, argument: str, resource: Resource) -> Step:
    match name:
        case "where":
            return _where(argument, resource)
        case "extension":
            return _where(f"url = {argument}", resource, "extension")
        case "ofType" | "as":
            return lambda places: [place for place in places if _is_a(place.type, argument)]
        case "first":
            return lambda places: places[:1]
        case "last":
            return lambda places: places[-1:]
    raise _unreadable()


def _where(criteria: str, resource: Resource, name: str = "") -> Step:
    try:
        evaluate = compile_relative(criteria)
    except (ValueError, IndexError, RecursionError):
        raise _unreadable() from None

    def step(places: Places) -> Places:
        found = _member(name, places) if name else places
        return [
            place
            for place in found
            if (truth := evaluate((place.type, place.value), resource)) and truth[0][1] is True
        ]

    return step


def _root(name: str, places: Places) -> Places:
    return [place for place in places if _is_a(place.type, name)]


def _member(name: str, places: Places) -> Places:
    return [child for place in places for child in children(place, name)]


def _nth(index: int, places: Places) -> Places:
    return places[index : index + 1]


def _is_a(type_: str, name: str) -> bool:
    if type_ == name or (name in ("Resource", "DomainResource") and is_resource(type_)):
        return True
    above = parent(type_)
    return bool(above) and _is_a(above, name)


def _unreadable() -> BadRequest:
    return BadRequest(
        "A path is made of element names, [n], where(), first(), last(), extension(), ofType().",
        code="value",
    )
