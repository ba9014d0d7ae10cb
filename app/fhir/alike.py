"""Alike: what must exist for whoever sees another resource, because nothing tells the two apart.

Asked before `visible`, which weighs every consent for every resource: in most records there is
nothing to weigh, and what a plan refers to is as open as the plan.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from app.fhir.access import Access, Nothing, for_type
from app.fhir.access_sql import LIKE, is_by_marks
from app.fhir.compartments import DIRECTORY, is_single
from app.fhir.consented import VOUCHES
from app.fhir.known import Known, types_of
from app.fhir.registry import STORED
from app.storage.sql import Arguments, Row, literals

Pairs = Collection[tuple[str, str]]

SINGLE = frozenset(filter(is_single, STORED))
"""The types about at most one patient."""

UNASKED, ALL_ALIKE = "NULL::text[]", "'{}'::text[]"
"""SQL: what `unlike` is where it is not asked for, and where nothing is hidden from the caller."""


@dataclass(frozen=True, slots=True)
class Vouching:
    """The types whose rows vouch for others, and the types of what they vouch for."""

    rows: tuple[str, ...]
    others: tuple[str, ...]


@lru_cache(maxsize=4096)
def vouching(known: Known, read: Access, search: Access) -> Vouching | None:
    """Who vouches for whom, for whoever knows of this and reads and searches under these.

    A row vouches that was let through by the very access that tells what exists. None where more
    than one access does.
    """
    groups = {type_: access for access, types in known for type_ in types if is_single(type_)}
    rows = [
        type_
        for type_, access in groups.items()
        if is_by_marks(access)
        and {for_type(each, type_) for each in (read, search)} - {Nothing()} == {access}
    ]
    accesses = {groups[type_] for type_ in rows}
    if len(accesses) != 1:
        return None
    others = (type_ for type_, access in groups.items() if access in accesses)
    return Vouching(tuple(rows), tuple(others))


def alike(pairs: Pairs, seen: Pairs, args: Arguments) -> str:
    """SELECT type, id: those of the pairs (type, id) that are like one of the `seen`, which vouch.

    All of types that are about one patient, under one access that is by marks.
    """
    marks = (
        "SELECT DISTINCT h.patient, h.confidentiality, h.labels FROM resource AS h"
        f" JOIN {_places(seen, args)} AS w(type, id) ON w.type = h.type AND w.id = h.id"
        f" WHERE {VOUCHES.format('ARRAY[h.patient]')}"
    )
    return (
        f"WITH h AS MATERIALIZED ({marks}) SELECT t.type, t.id FROM resource AS t"
        f" JOIN {_places(pairs, args)} AS w(type, id) ON w.type = t.type AND w.id = t.id"
        f" WHERE EXISTS (SELECT FROM h WHERE {LIKE})"
    )


@lru_cache(maxsize=512)
def unlike(known: Known, among: Vouching | None, *, of_versions: bool = False) -> str:
    """SQL: the references ("Type/id") in the current versions of `found`, or in the versions it
    names, that have to be judged one by one if they are of a type that is judged, since no row of
    `found` vouches for them; NULL where that takes reading the bodies.
    """
    if not known:
        return ALL_ALIKE
    # Pointers to the directory are not kept: it takes an odd scope to hide something of it.
    if among is None or not DIRECTORY.isdisjoint(types_of(known)):
        return UNASKED
    vouches = VOUCHES.format("ARRAY(SELECT patient FROM found)")
    kind, id_ = (f"split_part(p.name, '/', {part})" for part in (1, 2))
    said, versions = "h.pointers", ""
    if of_versions:
        said = "v.pointers"
        versions = " LEFT JOIN resource_version AS v ON v.rid = q.rid AND v.version = q.version"
    return (
        f"(WITH shown AS MATERIALIZED (SELECT h.patient, h.confidentiality, h.labels, {said},"
        f" {_is_among(among.rows, 'h.type')}{vouches} AS vouches"
        f" FROM found AS q LEFT JOIN resource AS h ON h.rid = q.rid{versions}"
        " WHERE q.rid IS NOT NULL)"
        " SELECT CASE WHEN EXISTS (SELECT FROM shown WHERE pointers IS NULL) THEN NULL ELSE ARRAY("
        "SELECT p.name FROM (SELECT DISTINCT p.name FROM shown, unnest(pointers) AS p(name)) AS p"
        f" WHERE NOT ({_is_among(among.others, kind)}EXISTS (SELECT FROM resource AS t"
        f" WHERE t.type = {kind} AND t.id = {id_}"
        f" AND EXISTS (SELECT FROM shown AS h WHERE vouches AND {LIKE})))) END)"
    )


def _is_among(types: Collection[str], type_: str) -> str:
    """SQL: a type is one of these, and …; nothing where they are all there are about one patient,
    since whatever else has no `patient` that could be alike."""
    if SINGLE.issubset(types):
        return ""
    # In the text: to hand over a long array takes the driver longer than all the rest.
    return f"{type_} IN ({literals(types)}) AND "


def with_unlike(sql: str, unlike: str = UNASKED) -> str:
    """The same rows (rid, patient, …) in the same order, with what `unlike` finds of them."""
    if unlike in (UNASKED, ALL_ALIKE):
        return f"SELECT q.*, {unlike} AS unlike FROM ({sql}) AS q"
    return f"WITH found AS MATERIALIZED ({sql}) SELECT q.*, {unlike} AS unlike FROM found AS q"


def unlike_of(rows: Iterable[Row]) -> frozenset[str] | None:
    """What the statements of these rows found by `unlike`; None where one of them did not."""
    found = [row["unlike"] for row in rows]
    return None if None in found else frozenset(chain.from_iterable(found))


def _places(pairs: Pairs, args: Arguments) -> str:
    types, ids = ([pair[part] for pair in pairs] for part in (0, 1))
    return f"unnest({args.add(types, 'text[]')}, {args.add(ids, 'text[]')})"
