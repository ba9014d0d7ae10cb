"""Compile: a Query becomes one SQL statement; matches, includes and total come in one round trip.

The text depends on the shape of the query and of the access only (and on _count, which decides the
plan); values travel as arguments, so that prepared statements are reused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.fhir.access import Access
from app.fhir.compartments import is_patient_parameter
from app.fhir.search import sort
from app.fhir.search.chain import holds
from app.fhir.search.condition import Condition, Member
from app.fhir.search.include import COLUMNS, included
from app.fhir.search.lead import Lead
from app.fhir.search.masked import Existing, unasked
from app.fhir.search.paging import Position
from app.fhir.search.parameters import Criterion, Over
from app.fhir.search.query import Query, Sort
from app.fhir.search.several import several
from app.fhir.search.sort import NEWEST, Key
from app.fhir.search.vouched import is_vouched, vouched
from app.fhir.visible import reached, visible
from app.storage.sql import Arguments

MANY = 6
"""Types up to which each is searched by itself, along its own indexes; planning more takes long."""

FEW = 500
"""Relationships up to which resources are looked up patient by patient, not along an index."""

OF_FEW = "r.patient = ANY(ARRAY(SELECT patient FROM few))"


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its arguments. Its rows have mode, COLUMNS, sort keys k0, k1, …, and `is_missing`.

    There is one match more than asked for when more follow. Two modes have no `rid`: "total" has
    the number in `version`, "apart" (vouched.py) "Type/id" in `id`. `is_narrow`: the query leads to
    one patient or a few resources, whatever its values."""

    sql: str
    args: Arguments
    is_narrow: bool

    @property
    def complete(self) -> tuple[Any, ...]:
        """What the database is given."""
        return self.args.statement(self.sql)


@dataclass(frozen=True, slots=True)
class _Search:
    query: Query
    access: Access
    position: Position | None
    over: Over

    @property
    def sorts(self) -> tuple[Sort, ...]:
        return self.query.sort or NEWEST

    @property
    def is_backward(self) -> bool:
        return self.position is not None and self.position.is_backward


def compile_search(
    query: Query,
    access: Access,
    base_url: str,
    position: Position | None = None,
    existing: Existing | None = None,
) -> Statement:
    """The statement of a search under an access, for the page that begins at a position.

    `existing` is what references may lead to; without it, to nothing that could be hidden.
    Raises BadRequest for a value that cannot be read.
    """
    args = Arguments()
    known, lost = existing or unasked(query, access, base_url)
    search = _Search(query, access, position, Over("r", args, base_url, known, lost))
    sql = (
        f"SELECT 'total' AS mode, {_count(search)} AS version"
        if query.counts_only
        else _page(search)
    )
    return Statement(sql, args, _is_narrow(query))


def compile_matches(query: Query, access: Access, base_url: str, existing: Existing) -> Statement:
    """The statement of all that matches, without columns: what a planner can be asked about."""
    args = Arguments()
    search = _Search(query, access, None, Over("r", args, base_url, *existing))
    if len(query.parts) > MANY:
        parts = [_of_many(search)]
    else:
        each = [replace(search, query=part) for part in query.parts or (query,)]
        parts = [f"{_visible(one)} WHERE {_filter(one, one.query.conditions)}" for one in each]
    return Statement(" UNION ALL ".join(f"SELECT FROM {part}" for part in parts), args, False)


def _page(search: _Search) -> str:
    query, matches = search.query, _matches(search)
    if not query.includes and not query.is_counted:
        return f"SELECT 'match' AS mode, m.* FROM ({matches}) AS m"
    pad = ", NULL" * len(_extra(search, is_missing=False))
    tables = [("matches", f"MATERIALIZED ({matches})")]
    arms = ["SELECT 'match' AS mode, m.* FROM matches AS m"]
    if query.includes:
        # The one row that only tells that more follow includes nothing.
        tables.append(("page", f"(SELECT * FROM matches LIMIT {query.count})"))
        for name, text, mode in _included(search):
            tables.append((name, f"MATERIALIZED ({text})"))
            if mode:
                arms.append(f"SELECT {mode}, {COLUMNS}{pad} FROM {name} AS r")
    if query.is_counted:
        names = [each.partition(".")[2] for each in COLUMNS.split(", ")]
        total = [_count(search) if name == "version" else "NULL" for name in names]
        arms.append(f"SELECT 'total', {', '.join(total)}{pad}")
    named = ", ".join(f"{name} AS {text}" for name, text in tables)
    return f"WITH {named} {' UNION ALL '.join(arms)}"


def _included(search: _Search) -> list[tuple[str, str, str]]:
    """The CTEs with what is included, and what makes its `mode`; "" for one that shows nothing."""
    query = search.query
    if is_vouched(query, search.access):
        return vouched(query)
    starts = [part.type for part in query.parts or (query,)]
    return included(query.includes, starts, search.access, search.over)


def _count(search: _Search) -> str:
    if len(search.query.parts) > MANY:
        return f"(SELECT count(*) FROM {_of_many(search)})"
    if search.query.parts:
        return f"({' + '.join(_count(replace(search, query=part)) for part in search.query.parts)})"
    tests = _filter(search, search.query.conditions)
    return f"(SELECT count(*) FROM {_visible(search)} WHERE {tests})"


def _visible(search: _Search) -> str:
    return f"{visible(search.access, search.query.type, search.over.args)} AS r"


def _filter(search: _Search, conditions: Sequence[Condition]) -> str:
    tests = [holds(each, search.access, search.over) for each in conditions]
    return " AND ".join(["NOT r.deleted", *tests])


def _merged(search: _Search) -> str:
    """The first of all types: out of the first of each, or out of all if there are too many."""
    if len(search.query.parts) > MANY:
        return _first(search, f"SELECT {COLUMNS} FROM {_of_many(search)}{_after(search)}")
    arms = [f"({_matches(replace(search, query=part))})" for part in search.query.parts]
    return _first(search, f"SELECT r.* FROM ({' UNION ALL '.join(arms)}) AS r")


def _first(search: _Search, rows: str) -> str:
    return f"{rows} ORDER BY {sort.order_by(_by_column(search))} LIMIT {search.query.count + 1}"


def _after(search: _Search) -> str:
    if search.position is None:
        return ""
    values = search.position.values
    return f" AND {sort.after(_by_column(search), values, search.over.args)}"


def _by_column(search: _Search) -> sort.Order:
    """The order of a search over several types, which only columns of the row decide."""
    order = sort.keys("", search.sorts, is_missing=False)
    return tuple(key.reversed() for key in order) if search.is_backward else order


def _of_many(search: _Search) -> str:
    parts, access = search.query.parts, search.access
    source = visible(access, [part.type for part in parts], search.over.args)
    tests = ["NOT r.deleted", *several(parts, access, search.over)]
    return f"{source} AS r WHERE {' AND '.join(tests)}"


def _matches(search: _Search) -> str:
    if search.query.parts:
        return _merged(search)
    parts = _parts(search)
    if _is_narrow(search.query):
        return _of_one(search, parts)
    patients = reached(search.access, search.query.type, search.over.args)
    if patients is None:
        return _union(search, [_arm(search, part) for part in parts])
    # Which way is fast depends on how many patients the caller supports, and no statistics know
    # that; so the statement counts first, and runs one half of itself.
    halves = [f"(SELECT count(*) FROM few) <= {FEW} AND {OF_FEW}"]
    halves.append(f"(SELECT count(*) FROM few) > {FEW}")
    arms = [_arm(search, part, half) for half in halves for part in parts]
    few = f"SELECT f.patient FROM ({patients} LIMIT {FEW + 1}) AS f"
    return f"WITH few AS MATERIALIZED ({few}) {_union(search, arms)}"


def _of_one(search: _Search, parts: Sequence[bool]) -> str:
    """The matches of a narrow query: what may be seen of the one patient is found once, since to
    begin to weigh consents takes longer than to weigh them for a few rows."""
    if len(parts) == 1:
        return _arm(search, parts[0])
    tests = _filter(search, search.query.conditions)
    found = f"SELECT r.* FROM {_visible(search)} WHERE {tests}"
    arms = [_ordered(search, part, "own AS r", ()) for part in parts]
    return f"WITH own AS MATERIALIZED ({found}) {_union(search, arms)}"


def _union(search: _Search, arms: Sequence[str]) -> str:
    """The arms one after the other, each only as long as those before did not fill the page."""
    if len(arms) == 1:
        return arms[0]
    return " UNION ALL ".join(f"({arm})" for arm in arms) + f" LIMIT {search.query.count + 1}"


def _is_narrow(query: Query) -> bool:
    """Whether the query itself leads to one patient or to a few resources."""
    return any(
        (isinstance(each, Criterion) and _names(each))
        or (isinstance(each, Member) and each.compartment == "Patient")
        for each in query.conditions
    )


def _names(criterion: Criterion) -> bool:
    code = criterion.parameter.code
    is_whole = criterion.modifier not in ("not", "missing")
    return is_whole and (code == "_id" or is_patient_parameter(criterion.type, code))


def _parts(search: _Search) -> list[bool]:
    """The parts of the order a page may touch: with a first sort key (False), without (True)."""
    if not sort.is_indexed(search.sorts[0]):
        return [False]
    parts = [False] if _demands(search.query, search.sorts[0].code) else [False, True]
    if search.is_backward:
        parts.reverse()
    if search.position is not None:
        parts = parts[parts.index(search.position.is_missing) :]
    return parts


def _demands(query: Query, code: str) -> bool:
    """Whether only resources that have the sort key can match: a number may be open at one end."""
    return any(
        isinstance(each, Criterion)
        and each.parameter.code == code
        and each.parameter.type in ("date", "string")
        and each.modifier != "missing"
        for each in query.conditions
    )


def _arm(search: _Search, is_missing: bool, *halves: str) -> str:
    tests, conditions = list(halves), search.query.conditions
    if sort.is_indexed(search.sorts[0]) and not is_missing:
        leading = Lead(search.query.type, search.sorts[0])
        tests += [leading.test(each, search.over) for each in conditions if leading.tests(each)]
        conditions = tuple(each for each in conditions if not leading.tests(each))
    tests.append(_filter(search, conditions))
    return _ordered(search, is_missing, _visible(search), tests)


def _ordered(search: _Search, is_missing: bool, source: str, filters: Sequence[str]) -> str:
    """One part of the order of what passes the filters of a source of rows `r`."""
    order, tests = sort.keys(search.query.type, search.sorts, is_missing=is_missing), [*filters]
    if search.is_backward:
        order = tuple(key.reversed() for key in order)
    if is_missing:
        tests.append(Lead(search.query.type, search.sorts[0]).lacks())
    elif sort.is_indexed(search.sorts[0]):
        source += Lead(search.query.type, search.sorts[0]).join()
    if search.position is not None and search.position.is_missing == is_missing:
        tests.append(sort.after(order, search.position.values, search.over.args))
    columns = "".join(f", {each}" for each in _extra(search, is_missing=is_missing))
    return (
        f"SELECT {COLUMNS}{columns} FROM {source} WHERE {' AND '.join(tests) or 'true'}"
        f" ORDER BY {sort.order_by(order)} LIMIT {search.query.count + 1}"
    )


def _extra(search: _Search, *, is_missing: bool) -> list[str]:
    """The columns after COLUMNS: sort keys that are no columns of the row, and which part it is."""
    if all(each.type == "column" for each in search.sorts):
        return []
    present = sort.keys(search.query.type, search.sorts, is_missing=False)
    extra = [_column(key, is_missing) for key in present if key.name.startswith("k")]
    return [*extra, f"{str(is_missing).lower()} AS is_missing"]


def _column(key: Key, is_missing: bool) -> str:
    value = f"NULL::{key.cast}" if is_missing and key.name == "k0" else key.expression
    return f"{value} AS {key.name}"
