"""Search parameters that read beside a reference, in an element that goes with it when redacted.

As CarePlan.activity.detail.code, which nobody is shown whose activity points to what is hidden.
"""

import re
from collections.abc import Iterator, Mapping

from app.fhir.compartments import DIRECTORY, is_patient_parameter
from app.fhir.redact import EXTENSION, POINTERS, refers
from app.fhir.registry import ElementDefinition, SearchParameter, following, parameters, structure
from app.fhir.search.parameters.criterion import targets
from app.fhir.search.parameters.expression import is_told

PATH = re.compile(r"[A-Z]\w*(?:\.[a-z]\w*\b(?!\(resolve\(\)))+")
"""The path that an expression begins with; that a reference is of some type is no step of it."""


@following
def is_at_risk(type_: str, code: str) -> bool:
    """Whether a redacted copy may lack a value of the parameter that may itself be shown."""
    parameter = parameters(type_)[code]
    if is_untold(parameter):
        return True
    paths = PATH.findall(parameter.expression)
    own = [path.split(".")[1:] for path in paths if path.startswith(f"{type_}.")]
    is_beside = _is_beside_another if parameter.type == "reference" else _is_beside
    return any(is_beside(type_, path) for path in own)


def is_guess(type_: str, code: str) -> bool:
    """Whether who matches by the parameter could guess what is hidden: by a reference to more than
    the directory and whom the resource is about, or by what stands beside one."""
    parameter = parameters(type_)[code]
    if parameter.type != "reference" or is_at_risk(type_, code):
        return is_at_risk(type_, code)
    return not (is_patient_parameter(type_, code) or DIRECTORY.issuperset(targets(parameter)))


def is_untold(parameter: SearchParameter) -> bool:
    """Whether an operator registered it, and nobody can tell what it reads: it may be anything."""
    return bool(parameter.state) and not is_told(parameter)


def _is_beside(type_: str, path: list[str]) -> bool:
    """Whether the path leads through one of several elements that refer to something."""
    if not path or path[0] not in _elements(type_):
        return False
    element = _elements(type_)[path[0]]
    inner = next(iter(element.names.values()))
    return (element.many and refers(inner)) or _is_beside(inner, path[1:])


def _is_beside_another(type_: str, path: list[str]) -> bool:
    """Whether the pointer at the path stands, in one of several elements, beside another one."""
    if len(path) < 2 or path[0] not in _elements(type_):
        return False
    element = _elements(type_)[path[0]]
    inner = next(iter(element.names.values()))
    own = ".".join(path[1:])
    if element.many and any(at != own or is_many for at, is_many in _pointers(inner)):
        return True
    return _is_beside_another(inner, path[1:])


def _pointers(type_: str, within: tuple[str, ...] = ()) -> Iterator[tuple[str, bool]]:
    """The paths of the pointers in an element of this type, but of those to the directory, and
    whether there can be several of each."""
    for name, element in _elements(type_).items() if refers(type_) and type_ not in within else ():
        types = set(element.names.values())
        if name in EXTENSION or (element.targets and DIRECTORY.issuperset(element.targets)):
            continue
        if not types.isdisjoint(POINTERS):
            yield name, element.many
        for inner in types - POINTERS:
            for at, is_many in _pointers(inner, (*within, type_)):
                yield f"{name}.{at}", element.many or is_many


def _elements(type_: str) -> Mapping[str, ElementDefinition]:
    try:
        return structure(type_)
    except KeyError:
        return {}
