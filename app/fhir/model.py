"""The typed models of fhir.resources: a second opinion on structure, and its only importer.

It has no R4 package; its R4B classes are the same for the types served here, but for what
docs/decisions/0003-structure-definitions.md lists. Nothing is ever stored or sent from these
models: they respell decimals and times.
"""

from typing import Any

from pydantic import ValidationError

from app.fhir.context import Resource
from app.fhir.errors import Issue


def second_opinion(resource: Resource) -> list[Issue]:
    """What fhir.resources finds wrong: the issues carry its own words, and the place in FHIRPath.

    Imports the model of the type at its first use (some ten megabytes, tenths of a second), so it
    is for $validate and for tests, not for every write.
    """
    from fhir.resources.R4B import get_fhir_model_class

    type_ = resource["resourceType"]
    try:
        get_fhir_model_class(type_).model_validate(resource)
    except ValidationError as error:
        return [_issue(type_, one["loc"], one["msg"]) for one in error.errors()]
    except (AttributeError, KeyError, TypeError) as error:  # how it fails on some wrong JSON types
        said = f"fhir.resources cannot read it ({type(error).__name__})."
        return [Issue("structure", said, (type_,))]
    return []


def _issue(type_: str, location: tuple[Any, ...], said: str) -> Issue:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return Issue("structure", f"fhir.resources: {said}", (type_ + "".join(steps),))
