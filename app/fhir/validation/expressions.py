"""Invariants of profiles, by fhirpathpy, parsed once. https://hl7.org/fhirpath/N1/

Search parameters and R4's own invariants do not come here: those are compiled into functions.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from app.fhir.context import Resource
from app.fhir.validation.walk import Place

Evaluate = Callable[[Any, dict[str, Any]], list[Any]]


class Unevaluated(Exception):
    """An expression that cannot be parsed or evaluated; the text says why."""


@lru_cache(maxsize=2048)
def _compiled(expression: str) -> Evaluate:
    # Imported here: only who judges by profiles waits for it.
    import fhirpathpy
    from fhirpathpy.models import models

    made: Evaluate = fhirpathpy.compile(expression, models["r4"])
    return made


def holds(expression: str, place: Place, resource: Resource) -> bool:
    """Whether the expression is true of an element of the resource. Raises Unevaluated."""
    from fhirpathpy.engine.nodes import ResourceNode

    value = place.value if place.value is not None else place.more
    try:
        node = ResourceNode.create_node(value, place.type)  # type: ignore[no-untyped-call]
        about = {"resource": resource, "rootResource": resource}
        found = _compiled(expression)(node, about)
    except Exception as error:  # the library raises Exception itself
        raise Unevaluated(f"{type(error).__name__}: {error}"[:200]) from None
    return found == [True]
