"""A search over several types, of the whole system or of a compartment: one query for each type.

https://hl7.org/fhir/R4/http.html#search, https://hl7.org/fhir/R4/search.html#type
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.fhir.errors import BadRequest, Issue
from app.fhir.registry import STORED, is_type
from app.fhir.search.condition import Condition
from app.fhir.search.parameters.criterion import UnknownParameter
from app.fhir.search.query import (
    MAX_CONDITIONS,
    RESULTS,
    Include,
    Query,
    check_text,
    parse_includes,
    parse_query,
)
from app.fhir.search.special import condition_of

Pairs = Sequence[tuple[str, str]]

EVENTS = "AuditEvent"
"""Kept apart from all others, and searched alone."""

SORTABLE = ("_id", "_lastUpdated")
INCLUDES = ("_include", "_revinclude")


def asked_types(pairs: Pairs) -> tuple[str, ...]:
    """The types that _type names, () for none. Raises BadRequest."""
    names = [name for code, value in pairs if code == "_type" for name in value.split(",")]
    for name in names:
        if not is_type(name):
            raise BadRequest("_type names types of this server.", expression=("_type",))
    found = tuple(dict.fromkeys(names))
    if EVENTS in found and len(found) > 1:
        raise BadRequest(f"{EVENTS}s are searched alone.", expression=("_type",))
    return found


def without_type(pairs: Pairs) -> tuple[tuple[str, str], ...]:
    """The parameters but _type."""
    return tuple(pair for pair in pairs if pair[0] != "_type")


def all_types() -> tuple[str, ...]:
    """The types searched where none is named."""
    return tuple(sorted(STORED - {EVENTS}))


def parse_types(
    types: Sequence[str], pairs: Pairs, *, is_lenient: bool, counts: tuple[int, int]
) -> Query:
    """Read the parameters of a search over these types; each has to know every one of them.

    See `parse_query` for what is unknown when lenient. Raises BadRequest.
    """
    shaping = [pair for pair in pairs if pair[0] in RESULTS and not _is_include(pair[0])]
    for _, value in (pair for pair in shaping if pair[0] == "_sort"):
        _check_sort(value)
    head = parse_query(types[0], shaping, is_lenient=is_lenient, counts=counts)
    used = list(head.used)
    includes: list[Include] = []
    conditions: list[tuple[Condition, ...]] = []
    ignored: list[Issue] = list(head.ignored)
    for name, value in (pair for pair in pairs if pair not in shaping and pair[0] != "_type"):
        check_text(name, value)
        try:
            if _is_include(name):
                includes += _includes(types, name, value)
            else:
                conditions.append(tuple(condition_of(each, name, value) for each in types))
        except UnknownParameter as unknown:
            if not is_lenient:
                raise
            ignored.append(Issue(unknown.issues[0].code, str(unknown), (name,), "warning"))
        else:
            used.append((name, value))
    used += [pair for pair in pairs if pair[0] == "_type"]
    return _joined(
        replace(head, used=tuple(used), ignored=tuple(ignored)), types, conditions, includes
    )


def _joined(
    head: Query,
    types: Sequence[str],
    conditions: Sequence[tuple[Condition, ...]],
    includes: Iterable[Include],
) -> Query:
    if len(conditions) > MAX_CONDITIONS:
        raise BadRequest(f"A search may have {MAX_CONDITIONS} criteria.")
    parts = tuple(
        replace(head, type=type_, conditions=tuple(each[at] for each in conditions))
        for at, type_ in enumerate(types)
    )
    return replace(head, type="", includes=tuple(includes), parts=parts)


def _is_include(name: str) -> bool:
    return name.partition(":")[0] in INCLUDES


def _includes(types: Sequence[str], name: str, value: str) -> list[Include]:
    if name not in RESULTS:
        raise BadRequest(f"'{name}' takes no modifier but :iterate.", expression=(name,))
    is_reverse, iterates = name.startswith("_rev"), name.endswith(":iterate")
    source = value.partition(":")[0]
    starts = [source] if source in types and not is_reverse else types
    found = [
        include
        for type_ in (starts if value == "*" or is_reverse else starts[:1])
        for include in parse_includes(type_, value, is_reverse=is_reverse, iterates=iterates)
    ]
    return list(dict.fromkeys(found))


def _check_sort(value: str) -> None:
    for key in value.split(","):
        if key.removeprefix("-") not in SORTABLE:
            raise BadRequest(
                f"A search over several types is sorted by {' and '.join(SORTABLE)} only.",
                expression=("_sort",),
            )
