"""Invariants of profiles, by fhirpathpy, parsed once. https://hl7.org/fhirpath/N1/

Search parameters and R4's own invariants do not come here: those are compiled into functions.
"""

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from app.fhir.context import Resource
from app.fhir.terminology.held import Held
from app.fhir.validation.matching import is_bound
from app.fhir.validation.operators import OPERATORS
from app.fhir.validation.reference import RELATIVE, REST
from app.fhir.validation.slicing import is_a
from app.fhir.validation.walk import Place

Evaluate = Callable[[Any, dict[str, Any]], list[Any]]
IS = re.compile(r"\bresolve\(\) +is +(?:FHIR\.)?([A-Z][A-Za-z]+)")
"""Asks only for the type of a target, which the reference itself may tell."""

DATE_TIME = re.compile(r"\bis +DateTime\b")
"""Meant is the type of FHIR, as in R4's own search parameters: of FHIRPath's no element is."""

NAMED = re.compile(r"%`?(vs|ext)-([A-Za-z0-9\-.]+)`?")
FOLDERS = {"vs": "ValueSet", "ext": "StructureDefinition"}
SYSTEMS = {"sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}
"""https://hl7.org/fhir/R4/fhirpath.html#variables"""


class Unevaluated(Exception):
    """An expression that cannot be parsed or evaluated; the text says why."""


class Unknown(Unevaluated):
    """It can be evaluated, but not by who does not know what it asks for."""


@dataclass(frozen=True, slots=True)
class Around:
    """What an expression may ask for beyond its element.

    `resource` is what %resource means; `targets` are by reference as it is written.
    """

    resource: Resource
    targets: Mapping[str, Resource] = field(default_factory=dict)
    held: Held = field(default_factory=Held)


_around: ContextVar[Around] = ContextVar("around")
"""While an expression is evaluated: the library hands its functions nothing but their input."""


def _resolve(inputs: list[Any]) -> list[Any]:
    """https://hl7.org/fhir/R4/fhirpath.html#functions: contained resources and targets."""
    from fhirpathpy.engine.nodes import ResourceNode

    found = [_target(each) for each in inputs]
    return [ResourceNode.create_node(one, one["resourceType"]) for one in found]  # type: ignore[no-untyped-call]


def _target(reference: Any) -> Resource:
    around = _around.get()
    literal = reference.get("reference") if isinstance(reference, dict) else reference
    if isinstance(literal, str) and literal.startswith("#"):
        inside: list[Resource] = around.resource.get("contained", [])
        found = next((one for one in inside if one.get("id") == literal[1:]), None)
    else:
        found = around.targets.get(str(literal))
    if found is None:
        raise Unknown("what it refers to is not there, or not known to you")
    return found


def _refers_to(inputs: list[Any], type_: str) -> bool | list[Any]:
    """What `resolve() is Type` says, of one reference."""
    if len(inputs) != 1:
        return []
    literal = inputs[0].get("reference") if isinstance(inputs[0], dict) else inputs[0]
    told = RELATIVE(str(literal)) or REST(str(literal))
    return is_a(told[1] if told else str(_target(inputs[0])["resourceType"]), type_)


def _member_of(inputs: list[Any], canonical: str) -> bool | list[Any]:
    """https://hl7.org/fhir/R4/fhirpath.html#functions: of one code, Coding or CodeableConcept."""
    if len(inputs) != 1:
        return []
    answer = is_bound(inputs[0], canonical, _around.get().held)
    if answer is None:
        raise Unknown(f"the members of {canonical} are not all held here")
    return answer


FUNCTIONS = {
    **OPERATORS,
    "resolve": {"fn": _resolve, "arity": {0: []}},
    "refersTo": {"fn": _refers_to, "arity": {1: ["String"]}},
    "memberOf": {"fn": _member_of, "arity": {1: ["String"]}},
}


@lru_cache(maxsize=2048)
def _compiled(expression: str) -> Evaluate:
    # Imported here: only who judges by profiles waits for it.
    import fhirpathpy
    from fhirpathpy.models import models

    # trace() would print what it is given, which is somebody's record.
    options = {"userInvocationTable": FUNCTIONS, "traceFn": lambda *_: None}
    told = DATE_TIME.sub("is dateTime", IS.sub(r"refersTo('\1')", expression))
    told = NAMED.sub(lambda one: f"'http://hl7.org/fhir/{FOLDERS[one[1]]}/{one[2]}'", told)
    made: Evaluate = fhirpathpy.compile(told, models["r4"], options)
    return made


def holds(expression: str, place: Place, around: Around) -> bool:
    """Whether the expression is true of an element. Raises Unevaluated, Unknown."""
    return evaluated(expression, place, around) == [True]


def evaluated(expression: str, place: Place, around: Around) -> list[Any]:
    """What the expression finds from an element. Raises Unevaluated, Unknown."""
    from fhirpathpy.engine.nodes import ResourceNode

    value = place.value if place.value is not None else place.more
    token = _around.set(around)
    try:
        # Of a resource itself the library knows the type, and then its name as well.
        is_whole = isinstance(value, dict) and "resourceType" in value
        node = value if is_whole else ResourceNode.create_node(value, place.type)  # type: ignore[no-untyped-call]
        about = {"resource": around.resource, "rootResource": around.resource}
        return _compiled(expression)(node, SYSTEMS | about)
    except Unknown:
        raise
    except Exception as error:  # the library raises Exception itself
        raise Unevaluated(f"{type(error).__name__}: {error}"[:200]) from None
    finally:
        _around.reset(token)
