"""Sorting by what no index table holds in order: codes, identifiers, references, URIs.

The value is read from the resource itself, row by row of what matches.
https://hl7.org/fhir/R4/search.html#sort
"""

from functools import cache

from app.fhir.registry import ElementDefinition, SearchParameter, parameters, structure
from app.fhir.search.parameters.elements import NOISE, PATH, elements

SUFFIXES = {
    "CodeableConcept": ".coding.code",
    "Coding": ".code",
    "Identifier": ".value",
    "ContactPoint": ".value",
    "Reference": ".reference",
}
PLAIN = frozenset(("boolean", "canonical", "code", "id", "oid", "string", "uri", "url", "uuid"))
INDEXED = frozenset({"date", "string", "number", "quantity"})
KINDS = frozenset({"token", "reference", "uri"})


def is_sortable(parameter: SearchParameter) -> bool:
    """Whether resources can be sorted by the value of the parameter."""
    if parameter.type in INDEXED or parameter.code == "_id":
        return True
    return parameter.type in KINDS and bool(paths(parameter))


@cache
def paths(parameter: SearchParameter) -> tuple[str, ...]:
    """The JSON paths of all values of a parameter; () where its expression is not plain."""
    if parameter.base == "AuditEvent" or ".where(" in parameter.expression.replace(
        ".where(resolve() is", ""
    ):
        return ()
    plain = NOISE.sub(" ", parameter.expression).split()
    if len(elements(parameter)) != len(plain) or not all(map(PATH.match, plain)):
        return ()
    return tuple(dict.fromkeys(path for each in plain for path in _paths(each)))


def _paths(path: str) -> list[str]:
    """One JSON path for each type of the element; `$.a.b` looks into arrays by itself."""
    owner, *names = path.split(".")
    above = ""
    for name in names[:-1]:
        element: ElementDefinition = structure(owner)[name]
        json_name, owner = next(iter(element.names.items()))
        above += f'."{json_name}"'
    last = structure(owner)[names[-1]]
    return [
        f'$.{above.removeprefix(".")}{"." if above else ""}"{name}"{SUFFIXES.get(type_, "")}'
        for name, type_ in last.names.items()
        if type_ in SUFFIXES or type_ in PLAIN
    ]


def expression(type_: str, code: str, *, is_descending: bool) -> str:
    """SQL: the least value of row `r` under the parameter, the greatest when descending."""
    found = paths(parameters(type_)[code])
    extreme = "max" if is_descending else "min"
    values = " UNION ALL ".join(
        f"SELECT v #>> '{{}}' AS v FROM jsonb_path_query(r.body::jsonb, '{path}') AS q (v)"
        for path in found
    )
    return f'(SELECT {extreme}(w.v COLLATE "C") FROM ({values}) AS w)'
