"""What R4 defines and this server does, as resources: operations, search parameters, compartments.

Four of the search parameters are US Core's.

https://hl7.org/fhir/R4/searchparameter.html, https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from collections.abc import Iterable, Iterator
from typing import Any

from app.fhir import guides
from app.fhir.context import Resource
from app.fhir.engine import Operation
from app.fhir.registry import (
    STORED,
    SearchParameter,
    compartment,
    compartment_names,
    parameters,
    read,
)
from app.fhir.search.parameters import searchable

DATE = "2019-11-01"
"""Of R4."""


def operations(served: Iterable[Operation]) -> Iterator[Resource]:
    """The definitions of those operations that R4 defines."""
    known = read("operations")
    for url in sorted({one for each in served for one in _canonicals(each)} & known.keys()):
        yield known[url]


def _canonicals(operation: Operation) -> set[str]:
    return {operation.definition, *dict(operation.also).values()}


def search_parameters() -> Iterator[Resource]:
    """The search parameters of R4 that can be searched by, one for all the types it is for."""
    found: dict[str, list[SearchParameter]] = {}
    common = parameters("Resource")
    for type_ in sorted(STORED):
        for one in searchable(type_):
            if one.code not in common and not one.state:
                found.setdefault(one.url, []).append(one)
    for one in common.values():
        yield _search_parameter([one])
    for _, every in sorted(found.items()):
        yield _search_parameter(every)


def _search_parameter(every: list[SearchParameter]) -> Resource:
    first = every[0]
    made: dict[str, Any] = {
        "resourceType": "SearchParameter",
        "id": first.url.rpartition("/")[2],
        "url": first.url,
        "version": "4.0.1",
        "name": first.code,
        "status": "active",
        "date": DATE,
        "description": first.documentation or first.code,
        "code": first.code,
        "base": [one.base for one in every],
        "type": first.type,
        "expression": " | ".join(dict.fromkeys(one.expression for one in every)),
        "xpathUsage": "normal",
    }
    target = sorted({each for one in every for each in one.target})
    return made | dict(guides.origin(first.url)) | ({"target": target} if target else {})


def compartments() -> Iterator[Resource]:
    """The compartments of R4, for the types that are stored here."""
    for name in compartment_names():
        rows = ((type_, compartment(name, type_)) for type_ in sorted(STORED))
        yield {
            "resourceType": "CompartmentDefinition",
            "id": name.lower(),
            "url": f"http://hl7.org/fhir/CompartmentDefinition/{name.lower()}",
            "version": "4.0.1",
            "name": f"Base FHIR compartment definition for {name}",
            "status": "active",
            "date": DATE,
            "code": name,
            "search": True,
            "resource": [
                {"code": type_} | ({"param": list(codes)} if codes else {}) for type_, codes in rows
            ],
        }
