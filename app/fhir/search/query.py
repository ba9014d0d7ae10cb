"""Query: the parameters of a search URL as a tree of values. Pure; nothing is looked up.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from app.fhir.errors import BadRequest, Issue
from app.fhir.registry import STORED, compartment, following, is_type, parameters
from app.fhir.search.condition import Condition, Either, Member, follow, parse_condition
from app.fhir.search.parameters.criterion import UnknownParameter, is_supported, targets
from app.fhir.search.sort_value import is_sortable
from app.fhir.search.special import condition_of
from app.fhir.subset import check_summary

DEFAULT_COUNT = 50
MAX_COUNT = 1000
MAX_CONDITIONS = 50
COLUMNS = {
    ("*", "_id"): "_id",
    ("*", "_lastUpdated"): "_lastUpdated",
    ("AuditEvent", "date"): "_lastUpdated",
}
"""The sort keys that a column of the row itself holds."""


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
    """A whole search: `used` are the parameters it follows, as the self link shows them.

    A search over several types has no type but `parts`. `total`: none, estimate or accurate.
    """

    type: str
    conditions: tuple[Condition, ...] = ()
    includes: tuple[Include, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int = DEFAULT_COUNT
    total: str = "none"
    summary: str | None = None
    elements: tuple[str, ...] = ()
    page: str | None = None
    used: tuple[tuple[str, str], ...] = ()
    ignored: tuple[Issue, ...] = ()
    parts: tuple["Query", ...] = ()

    @property
    def counts_only(self) -> bool:
        """Whether only the total is asked for."""
        return self.count == 0 or self.summary == "count"

    @property
    def is_counted(self) -> bool:
        return self.total != "none"


@dataclass(slots=True)
class _Reading:
    """The query while its parameters are read one by one."""

    type: str
    count: int
    max_count: int
    conditions: list[Condition] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    sort: list[Sort] = field(default_factory=list)
    total: str = "none"
    summary: str | None = None
    elements: list[str] = field(default_factory=list)
    page: str | None = None


def parse_query(
    type_: str,
    pairs: Iterable[tuple[str, str]],
    *,
    is_lenient: bool = False,
    counts: tuple[int, int] = (DEFAULT_COUNT, MAX_COUNT),
) -> Query:
    """Read the parameters of a search for one type; `counts`: of a page, default and most.

    What is unknown or not supported is left out and noted in `ignored` when lenient. Raises
    BadRequest otherwise, and for every value that cannot be read.
    """
    reading = _Reading(type_, *counts)
    used: list[tuple[str, str]] = []
    ignored: list[Issue] = []
    for name, value in pairs:
        check_text(name, value)
        try:
            used.append((name, _take(reading, name, value)))
        except UnknownParameter as unknown:
            if not is_lenient:
                raise
            ignored.append(Issue(unknown.issues[0].code, str(unknown), (name,), "warning"))
    return _frozen(reading, used, ignored)


def _frozen(reading: _Reading, used: list[tuple[str, str]], ignored: list[Issue]) -> Query:
    return Query(
        type=reading.type,
        conditions=tuple(reading.conditions),
        includes=tuple(reading.includes),
        sort=tuple(reading.sort),
        count=reading.count,
        total=reading.total,
        summary=reading.summary,
        elements=tuple(reading.elements),
        page=reading.page,
        used=tuple(used),
        ignored=tuple(ignored),
    )


def _take(reading: _Reading, name: str, value: str) -> str:
    """Read one parameter, and say which value is used."""
    read = RESULTS.get(name)
    if read is None:
        if len(reading.conditions) == MAX_CONDITIONS:
            raise BadRequest(f"A search may have {MAX_CONDITIONS} criteria.")
        reading.conditions.append(condition_of(reading.type, name, value))
        return value
    read(reading, value)
    return str(reading.count) if name == "_count" else value


def within(query: Query, name: str, id_: str) -> Query:
    """The query restricted to a compartment. Raises BadRequest when its type is never in it."""
    codes = compartment(name, query.type)
    if not codes and name != query.type:
        raise BadRequest(f"{query.type} is not part of the {name} compartment.")
    return replace(query, conditions=(_member(query.type, name, id_, codes), *query.conditions))


def _member(type_: str, name: str, id_: str, codes: tuple[str, ...]) -> Condition:
    if type_ == "AuditEvent":
        return Either(tuple(parse_condition(type_, code, f"{name}/{id_}") for code in codes))
    return Member(type_, name, id_, codes)


def check_text(name: str, value: str) -> None:
    """What PostgreSQL cannot hold cannot match; say so instead of failing there."""
    if "\0" in value or "\0" in name:
        raise BadRequest("A search parameter contains the character NUL.")
    try:
        (name + value).encode()
    except UnicodeEncodeError:
        raise BadRequest("A search parameter is not valid Unicode.") from None


def _read_count(reading: _Reading, value: str) -> None:
    if not (value.isascii() and value.isdigit()):
        raise BadRequest("_count is a whole number, 0 or more.", expression=("_count",))
    reading.count = min(int(value.lstrip("0")[:10] or 0), reading.max_count)


def _read_total(reading: _Reading, value: str) -> None:
    if value not in ("none", "estimate", "accurate"):
        raise BadRequest("_total is none, estimate or accurate.", expression=("_total",))
    reading.total = value


def _read_sort(reading: _Reading, value: str) -> None:
    reading.sort += [_sort(reading.type, key) for key in value.split(",")]


def _sort(type_: str, key: str) -> Sort:
    code = key.removeprefix("-")
    if code in sortable(type_):
        column = COLUMNS.get((type_, code)) or COLUMNS.get(("*", code))
        kind = "column" if column else parameters(type_)[code].type
        return Sort(column or code, kind, key.startswith("-"))
    valid = ", ".join(sortable(type_))
    raise BadRequest(
        f"{type_} cannot be sorted by '{code}', only by: {valid}.", expression=("_sort",)
    )


@following
def sortable(type_: str) -> tuple[str, ...]:
    """The codes that _sort takes for a type."""
    known = [p for p in parameters(type_).values() if is_supported(p)]
    return tuple(sorted(p.code for p in known if is_sortable(p)))


def _include(*, iterates: bool, is_reverse: bool) -> Callable[[_Reading, str], None]:
    def read(reading: _Reading, value: str) -> None:
        reading.includes += parse_includes(
            reading.type, value, is_reverse=is_reverse, iterates=iterates
        )

    return read


def parse_includes(
    type_: str, value: str, *, is_reverse: bool, iterates: bool
) -> tuple[Include, ...]:
    """Read `Type:parameter[:Target]`, `Type:*`, or `*` for all that is referred to, or refers."""
    if value != "*":
        return (parse_include(type_, value, is_reverse=is_reverse, iterates=iterates),)
    if not is_reverse and not iterates:
        return (parse_include(type_, f"{type_}:*", is_reverse=False, iterates=False),)
    sources = sorted(STORED - {"AuditEvent"})
    found = (
        parse_include(type_, f"{source}:*", is_reverse=is_reverse, iterates=iterates)
        for source in sources
    )
    return tuple(include for include in found if include.codes)


def parse_include(type_: str, value: str, *, is_reverse: bool, iterates: bool) -> Include:
    """Read `Type:parameter[:Target]` or `Type:*`."""
    name = "_revinclude" if is_reverse else "_include"
    source, _, rest = value.partition(":")
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
        links = [p for p in known if p.type == "reference" and is_supported(p)]
        codes = tuple(p.code for p in links if arrives is None or arrives in targets(p))
    else:
        follow(source, code, arrives)
        codes = (code,)
    return Include(source, codes, arrives, is_reverse, iterates)


def _read_summary(reading: _Reading, value: str) -> None:
    reading.summary = check_summary(value)


def _read_elements(reading: _Reading, value: str) -> None:
    reading.elements += filter(None, map(str.strip, value.split(",")))


def _read_page(reading: _Reading, value: str) -> None:
    reading.page = value


def _refuse_contained(_: _Reading, value: str) -> None:
    """https://hl7.org/fhir/R4/search.html#contained"""
    if value != "false":
        raise UnknownParameter(
            "Resources contained in others are not searched: _contained is false.",
            code="not-supported",
            expression=("_contained",),
        )


def _ignore(_: _Reading, __: str) -> None:
    """The front door has read it: routers/negotiation.py."""


RESULTS: Mapping[str, Callable[[_Reading, str], None]] = {
    "_count": _read_count,
    "_total": _read_total,
    "_sort": _read_sort,
    "_summary": _read_summary,
    "_elements": _read_elements,
    "_page": _read_page,
    "_include": _include(iterates=False, is_reverse=False),
    "_include:iterate": _include(iterates=True, is_reverse=False),
    "_revinclude": _include(iterates=False, is_reverse=True),
    "_revinclude:iterate": _include(iterates=True, is_reverse=True),
    "_contained": _refuse_contained,
    "_format": _ignore,
    "_pretty": _ignore,
}
"""The parameters that shape the result instead of choosing resources."""
