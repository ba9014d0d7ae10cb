"""Vouched: what the matches point to is shown where a match vouches for it, and else asked for.

A plan and its goals are mostly as open as each other, and to weigh the consents for what is
included costs as much as for the matches. So where all are judged by the same access, what is like
a match passes as the match did, in the same statement; only what is not is weighed, in another one.
docs/decisions/0015-redaction.md
"""

from collections.abc import Iterable

from app.fhir.access import Access, for_type, permissions
from app.fhir.access_sql import about, is_by_marks
from app.fhir.search.at_risk import is_at_risk
from app.fhir.search.include import COLUMNS, MAX_INCLUDED, arrivals, named
from app.fhir.search.query import Include, Query
from app.fhir.visible import like, opened, visible
from app.storage.sql import Arguments

APART = "apart"
"""The mode of a row that only names, in `id`, what no match vouches for, whether it is there or
not: who may not see something must not learn it from the time that the answer takes."""

MODE = f"CASE WHEN r.rid IS NULL THEN '{APART}' ELSE 'include' END"


def is_vouched(query: Query, access: Access) -> bool:
    """Whether consents are asked, and matches and what they include are judged by one access that
    asks for nothing but whom a resource is about, and its marks."""
    forward = all(not each.is_reverse and not each.iterates for each in query.includes)
    if not query.includes or not forward or any(map(_is_at_risk, query.includes)):
        return False
    types = {query.type, *arrivals(query.includes)}
    first = for_type(access, query.type)
    return (
        all(about(type_) == "one" and for_type(access, type_) == first for type_ in types)
        and is_by_marks(first)
        and any(permissions(first))
    )


def _is_at_risk(include: Include) -> bool:
    return any(is_at_risk(include.source, code) for code in include.codes)


def vouched(query: Query) -> list[tuple[str, str, str]]:
    """The CTEs (name, SQL, mode) that find what `page` points to, the last with COLUMNS to show."""
    names = f"{named(query.includes, 'page')} LIMIT {MAX_INCLUDED}"
    columns = COLUMNS.replace("r.id,", "coalesce(r.id, r.target) AS id,")
    pointed = f"SELECT {columns} FROM {like('opened', names)} AS r"
    return [("opened", opened("page"), ""), ("pointed", pointed, MODE)]


def weighed(query: Query, names: Iterable[str], access: Access, args: Arguments) -> str:
    """SELECT mode, COLUMNS: of the resources of these names ("Type/id") those that are visible."""
    places = [name.partition("/") for name in names]
    types, ids = ([place[part] for place in places] for part in (0, 2))
    source = visible(access, sorted(arrivals(query.includes)), args)
    return (
        f"SELECT 'include' AS mode, {COLUMNS} FROM {source} AS r"
        f" JOIN unnest({args.add(types, 'text[]')}, {args.add(ids, 'text[]')}) AS w(type, id)"
        " ON w.type = r.type AND w.id = r.id WHERE NOT r.deleted"
    )
