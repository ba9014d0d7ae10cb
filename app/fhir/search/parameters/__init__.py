"""Search parameters: what is indexed of a resource, and what a criterion asks of the index."""

from app.fhir.search.parameters.criterion import (
    Criterion,
    Over,
    UnknownParameter,
    parse,
    searchable,
)
from app.fhir.search.parameters.index import IndexRows, extract
from app.fhir.search.parameters.predicate import criterion, predicate

__all__ = [
    "Criterion",
    "IndexRows",
    "Over",
    "UnknownParameter",
    "criterion",
    "extract",
    "parse",
    "predicate",
    "searchable",
]
