"""Query: the parameters of a search URL as a tree of values. Pure; nothing is looked up.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from app.fhir.errors import BadRequest, Issue
from app.fhir.registry import compartment, is_type, parameters
from app.fhir.search.condition import Condition, Member, follow, parse_condition
from app.fhir.search.parameters.criterion import UnknownParameter
from app.fhir.subset import check_summary

DEFAULT_COUNT = 50
MAX_COUNT = 1000
SORTABLE = ("date", "string", "number", "quantity")
COLUMNS = ("_id", "_lastUpdated")


@dataclass(frozen=True, slots=True)
class Include:
    """_include, or _revinclude when `is_reverse`: follow `codes` of `source`, to `target` if set.

    https://hl7.org/fhir/R4/search.html#include
    """

    source: str
    codes: tuple[str, ...]
    target: str | None
    is_reverse: bool
    iterates: bool


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of _sort. https://hl7.org/fhir/R4/search.html#sort"""

    code: str
    type: str
    is_descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole search: `used` are the parameters it follows, as the self link shows them."""

    type: str
    conditions: tuple[Condition, ...] = ()
    includes: tuple[Include, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int = DEFAULT_COUNT
    is_counted: bool = False
    summary: str | None = None
    elements: tuple[str, ...] = ()
    page: str | None = None
    used: tuple[tuple[str, str], ...] = ()
    ignored: tuple[Issue, ...] = field(default=())

    @property
    def counts_only(self) -> bool:
        """Whether only the total is asked for."""
        return self.count == 0 or self.summary == "count"


def parse_query(type_: str, pairs: Iterable[tuple[str, str]], *, is_lenient: bool) -> Query:
    """Read the parameters of a search for one type.

    What is unknown or not supported is left out and noted in `ignored` when lenient. Raises
    BadRequest otherwise, and for every value that cannot be read.
    """
    query = Query(type_)
    for name, value in pairs:
        _check_text(name, value)
        try:
            query = _with(query, name, value)
        except UnknownParameter as unknown:
            if not is_lenient:
                raise
            ignored = Issue("not-supported", unknown.issues[0].diagnostics, (name,), "warning")
            query = replace(query, ignored=(*query.ignored, ignored))
    return query


def within(query: Query, name: str, id_: str) -> Query:
    """The query restricted to a compartment. Raises BadRequest when its type is never in it."""
    codes = compartment(name, query.type)
    if not codes and name != query.type:
        raise BadRequest(f"{query.type} is not part of the {name} compartment.")
    member = Member(query.type, name, id_, codes)
    return replace(query, conditions=(member, *query.conditions))


def _check_text(name: str, value: str) -> None:
    """What PostgreSQL cannot hold cannot match; say so instead of failing there."""
    if "\0" in value or "\0" in name:
        raise BadRequest("A search parameter contains the character NUL.")
    try:
        (name + value).encode()
    except UnicodeEncodeError:
        raise BadRequest("A search parameter is not valid Unicode.") from None


def _with(query: Query, name: str, value: str) -> Query:
    """The query with one more parameter."""
    read = RESULTS.get(name)
    if read is not None:
        return replace(read(query, value), used=(*query.used, _used(name, value)))
    condition = parse_condition(query.type, name, value)
    return replace(
        query,
        conditions=(*query.conditions, condition),
        used=(*query.used, (name, value)),
    )


def _used(name: str, value: str) -> tuple[str, str]:
    return (name, str(min(int(value), MAX_COUNT))) if name == "_count" else (name, value)


def _with_count(query: Query, value: str) -> Query:
    if not (value.isascii() and value.isdigit()):
        raise BadRequest("_count is a whole number, 0 or more.", expression=("_count",))
    return replace(query, count=min(int(value[:9]), MAX_COUNT))


def _with_total(query: Query, value: str) -> Query:
    if value not in ("none", "estimate", "accurate"):
        raise BadRequest("_total is none, estimate or accurate.", expression=("_total",))
    return replace(query, is_counted=value != "none")


def _with_sort(query: Query, value: str) -> Query:
    keys = tuple(_sort(query.type, key) for key in value.split(","))
    return replace(query, sort=(*query.sort, *keys))


def _sort(type_: str, key: str) -> Sort:
    code = key.removeprefix("-")
    parameter = parameters(type_).get(code)
    if code in COLUMNS or (parameter is not None and parameter.type in SORTABLE):
        kind = "column" if code in COLUMNS else parameters(type_)[code].type
        return Sort(code, kind, key.startswith("-"))
    valid = ", ".join(sortable(type_))
    raise BadRequest(
        f"{type_} cannot be sorted by '{code}', only by: {valid}.", expression=("_sort",)
    )


def sortable(type_: str) -> list[str]:
    """The codes that _sort takes for a type."""
    known = parameters(type_).values()
    return sorted(p.code for p in known if p.type in SORTABLE or p.code in COLUMNS)


def _include(iterates: bool, is_reverse: bool) -> Callable[[Query, str], Query]:
    def read(query: Query, value: str) -> Query:
        include = parse_include(query.type, value, is_reverse=is_reverse, iterates=iterates)
        return replace(query, includes=(*query.includes, include))

    return read


def parse_include(type_: str, value: str, *, is_reverse: bool, iterates: bool) -> Include:
    """Read `Type:parameter[:Target]`, `Type:*` or, for the searched type, `*`."""
    name = "_revinclude" if is_reverse else "_include"
    source, _, rest = (f"{type_}:*" if value == "*" and not is_reverse else value).partition(":")
    code, _, target = rest.partition(":")
    if not code or (target and not is_type(target)) or not is_type(source):
        raise BadRequest(
            f"{name} is written Type:parameter, Type:parameter:Target or Type:*, with types of this"
            " server.",
            expression=(name,),
        )
    if source != type_ and not is_reverse and not iterates:
        raise BadRequest(f"{source} is not searched for; use _include:iterate.", expression=(name,))
    arrives = target or (type_ if is_reverse and not iterates else None)
    if code == "*":
        known = parameters(source).values()
        codes = tuple(p.code for p in known if p.type == "reference")
    else:
        follow(source, code, arrives)
        codes = (code,)
    return Include(source, codes, arrives, is_reverse, iterates)


def _with_summary(query: Query, value: str) -> Query:
    return replace(query, summary=check_summary(value))


def _with_elements(query: Query, value: str) -> Query:
    return replace(query, elements=(*query.elements, *value.split(",")))


def _with_page(query: Query, value: str) -> Query:
    return replace(query, page=value)


RESULTS: dict[str, Callable[[Query, str], Query]] = {
    "_count": _with_count,
    "_total": _with_total,
    "_sort": _with_sort,
    "_summary": _with_summary,
    "_elements": _with_elements,
    "_page": _with_page,
    "_include": _include(iterates=False, is_reverse=False),
    "_include:iterate": _include(iterates=True, is_reverse=False),
    "_revinclude": _include(iterates=False, is_reverse=True),
    "_revinclude:iterate": _include(iterates=True, is_reverse=True),
    "_format": lambda query, _: query,
    "_pretty": lambda query, _: query,
}
"""The parameters that shape the result instead of choosing resources."""
