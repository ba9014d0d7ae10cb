"""The elements a search parameter reads, as far as its expression names them plainly.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

import re
from functools import cache

from app.fhir.registry import ElementDefinition, SearchParameter, structure

PATH = re.compile(r"[A-Z]\w*(?:\.[a-z]\w*)+\Z")
NOISE = re.compile(r"\.(?:as|ofType)\(\w+\)|\.where\([^()]*(?:\(\)[^()]*)*\)|[()|]|\bas \w+")


@cache
def elements(parameter: SearchParameter) -> tuple[ElementDefinition, ...]:
    """The definition of every element that the parameter may read; () where that is not plain."""
    found = [_element(path) for path in NOISE.sub(" ", parameter.expression).split()]
    known = tuple(each for each in found if each is not None)
    return known if len(known) == len(found) else ()


def _element(path: str) -> ElementDefinition | None:
    if not PATH.match(path):
        return None
    owner, *names = path.split(".")
    element: ElementDefinition | None = None
    for name in names:
        try:
            element = structure(owner).get(name)
        except KeyError:
            return None
        if element is None:
            return None
        owner = next(iter(element.names.values()))
    return element


def types(parameter: SearchParameter) -> frozenset[str]:
    """The types of the elements the parameter may read; empty where that is not plain."""
    return frozenset(type_ for each in elements(parameter) for type_ in each.names.values())


@cache
def bound(parameter: SearchParameter) -> tuple[str, ...]:
    """The value sets that give the codes of a parameter their meaning, if it reads plain codes."""
    if types(parameter) != {"code"}:
        return ()
    return tuple(each.codes for each in elements(parameter) if each.codes)
