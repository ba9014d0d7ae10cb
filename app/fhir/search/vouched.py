"""Vouched: what is included because it is like a match, and what has to be judged by itself.

A plan and its goals are mostly as open as each other, but weighing the consents for what is
included costs as much as for the matches. So where one access judges both, what is like a match
passes as the match did, in the same statement; only the rest is weighed, in a second one.
docs/decisions/0015-redaction.md
"""

from collections.abc import Iterable

from app.fhir.access import Access, for_type, permissions
from app.fhir.access_sql import about, is_by_marks
from app.fhir.search.at_risk import is_at_risk
from app.fhir.search.include import COLUMNS, MAX_INCLUDED, named, targets_of
from app.fhir.search.query import Include, Query
from app.fhir.visible import like, opened, visible
from app.storage.sql import Arguments

APART = "apart"
"""The mode of a row that only names ("Type/id", in `id`) what no match vouches for, whether it
exists or not: the time an answer takes must not tell what its reader may not see."""

MODE = f"CASE WHEN r.rid IS NULL THEN '{APART}' ELSE 'include' END"


def is_vouched(query: Query, access: Access) -> bool:
    """Whether matches may vouch for what they include: consents have a say, and one access judges
    them all, by nothing but whom a resource is about, and its marks."""
    forward = all(not each.is_reverse and not each.iterates for each in query.includes)
    if not query.includes or not forward or any(map(_is_at_risk, query.includes)):
        return False
    types = {query.type, *targets_of(query.includes)}
    first = for_type(access, query.type)
    return (
        all(about(type_) == "one" and for_type(access, type_) == first for type_ in types)
        and is_by_marks(first)
        and any(permissions(first))
    )


def _is_at_risk(include: Include) -> bool:
    return any(is_at_risk(include.source, code) for code in include.codes)


def vouched(query: Query) -> list[tuple[str, str, str]]:
    """The CTEs (name, SQL, mode as SQL) that find what `page` points to.

    The last has COLUMNS; the one before it is only read by that, and has no mode.
    """
    names = f"{named(query.includes, 'page')} LIMIT {MAX_INCLUDED}"
    columns = COLUMNS.replace("r.id,", "coalesce(r.id, r.target) AS id,")
    pointed = f"SELECT {columns} FROM {like('opened', names)} AS r"
    return [("opened", opened("page"), ""), ("pointed", pointed, MODE)]


def unvouched(query: Query, names: Iterable[str], access: Access, args: Arguments) -> str:
    """SELECT mode, COLUMNS: what is visible of these ("Type/id"), for which no match vouches."""
    places = [name.partition("/") for name in names]
    types, ids = ([place[part] for place in places] for part in (0, 2))
    source = visible(access, sorted(targets_of(query.includes)), args)
    return (
        f"SELECT 'include' AS mode, {COLUMNS} FROM {source} AS r"
        f" JOIN unnest({args.add(types, 'text[]')}, {args.add(ids, 'text[]')}) AS w(type, id)"
        " ON w.type = r.type AND w.id = r.id WHERE NOT r.deleted"
    )
