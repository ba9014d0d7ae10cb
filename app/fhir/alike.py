"""Alike: what a reader may know of because they see a resource that is like it in every mark.

Asked before `visible`, which weighs consents for each resource: in most records what a plan refers
to is as open as the plan itself, and there is nothing to weigh. docs/decisions/0015-redaction.md
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
    """The types of rows that may vouch, and the types of what they may vouch for."""

    rows: tuple[str, ...]
    others: tuple[str, ...]


@lru_cache(maxsize=4096)
def vouching(known: Known, read: Access, search: Access) -> Vouching | None:
    """Which types may vouch for which, for a caller who reads and searches under these.

    A row vouches if the access that let it through is the one that tells what exists (`known`).
    None where that is not one access.
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

    All are of types about one patient, under one access that is by marks.
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
    """SQL: the references ("Type/id") in the rows of `found` for which none of these rows vouches;
    NULL where only the bodies can tell.

    They are to be judged one by one, if of a type of which something may be hidden. The rows are
    current versions, or `of_versions` those that they name.
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
    """SQL: "a type is one of these AND ", or nothing where these are all types about one patient:
    the others have no `patient`, so that nothing is like them."""
    if SINGLE.issubset(types):
        return ""
    # In the text: to hand over a long array takes the driver longer than all the rest.
    return f"{type_} IN ({literals(types)}) AND "


def with_unlike(sql: str, asked: str = UNASKED) -> str:
    """The same rows (rid, patient, …) in the same order, with a column of what `unlike` finds."""
    if asked in (UNASKED, ALL_ALIKE):
        return f"SELECT q.*, {asked} AS unlike FROM ({sql}) AS q"
    return f"WITH found AS MATERIALIZED ({sql}) SELECT q.*, {asked} AS unlike FROM found AS q"


def unlike_of(rows: Iterable[Row]) -> frozenset[str] | None:
    """What `unlike` found for these rows; None where it was not asked, or could not tell."""
    found = [row["unlike"] for row in rows]
    return None if None in found else frozenset(chain.from_iterable(found))


def _places(pairs: Pairs, args: Arguments) -> str:
    types, ids = ([pair[part] for pair in pairs] for part in (0, 1))
    return f"unnest({args.add(types, 'text[]')}, {args.add(ids, 'text[]')})"
