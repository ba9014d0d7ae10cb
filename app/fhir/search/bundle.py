"""The searchset: rows become a Bundle, every body through `disclose`, none parsed.

https://hl7.org/fhir/R4/bundle.html#searchset
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from asyncpg import Record

from app.fhir.context import Call, Context, Disclosed
from app.fhir.cursor import link, seal
from app.fhir.disclose import Entry, bundle, disclose, statement
from app.fhir.errors import Issue, operation_outcome
from app.fhir.hidden import Hidden
from app.fhir.search.include import BEYOND, MAX_INCLUDED, ROUNDS
from app.fhir.search.paging import Position, to_cursor
from app.fhir.search.query import Query
from app.fhir.search.vouched import APART

CUT = Issue(
    "incomplete",
    f"More would be included: {MAX_INCLUDED} resources a round and {ROUNDS} rounds are the limit.",
    severity="warning",
)


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page, in order; `before` and `after` say whether there are more."""

    matches: Sequence[Record]
    included: Sequence[Record]
    before: bool
    after: bool
    total: int | None
    is_cut: bool


def page(
    query: Query, position: Position | None, rows: Sequence[Record], estimate: int | None = None
) -> Page:
    """Sort the rows of the statement into a page; an estimate goes where none was counted."""
    found: dict[str, list[Record]] = {"match": [], "include": []}
    for row in rows:
        found.setdefault(row["mode"], []).append(row)
    matches, more = found["match"][: query.count], len(found["match"]) > query.count
    before, after = position is not None, more
    if position is not None and position.is_backward:
        matches, before, after = matches[::-1], more, True
    others = found["include"]
    total = next((row["version"] for row in found.get("total", ())), estimate)
    named = len(others) + len(found.get(APART, ()))
    is_cut = named >= MAX_INCLUDED or (BEYOND in found and _is_deeper(found))
    return Page(matches, _once(matches, others), before, after, total, is_cut)


def _is_deeper(found: Mapping[str, Sequence[Record]]) -> bool:
    """Whether a further round has brought more; rows by their mode."""
    shown = {row["rid"] for mode, rows in found.items() if mode != BEYOND for row in rows}
    return any(row["rid"] not in shown for row in found[BEYOND])


def _once(matches: Sequence[Record], others: Sequence[Record]) -> list[Record]:
    """The others without those that are matches, each once, in the order they were created.

    The order in which a plan finds them would change with what is hidden beside them.
    """
    seen = {row["rid"] for row in matches}
    once = {row["rid"]: row for row in others if row["rid"] not in seen}
    return [once[rid] for rid in sorted(once)]


def searchset(ctx: Context, call: Call, query: Query, found: Page, hidden: Hidden) -> Disclosed:
    """The Bundle of a page; the links show the parameters of `call`."""
    return bundle(
        "searchset",
        _entries(ctx, query, found, hidden),
        _links(ctx, call, query, found),
        total=found.total,
    )


def _entries(ctx: Context, query: Query, found: Page, hidden: Hidden) -> Iterator[Entry]:
    for rows, mode in ((found.matches, "match"), (found.included, "include")):
        for row in rows:
            yield Entry(
                full_url=f"{ctx.base_url}/{row['type']}/{row['id']}",
                resource=disclose(ctx, row, hidden, summary=query.summary, elements=query.elements),
                search=mode,
            )
    issues = (*query.ignored, *((CUT,) if found.is_cut else ()))
    if issues:
        yield Entry(resource=statement(operation_outcome(issues)), search="outcome")


def _links(ctx: Context, call: Call, query: Query, found: Page) -> dict[str, str]:
    first = link(ctx, call)
    links = {"self": first if query.page is None else link(ctx, call, query.page)}
    if not found.matches:
        return links
    links["first"] = first
    if found.before:
        cursor = to_cursor(query, found.matches[0], is_backward=True)
        links["previous"] = link(ctx, call, seal(ctx, call, cursor))
    if found.after:
        cursor = to_cursor(query, found.matches[-1], is_backward=False)
        links["next"] = link(ctx, call, seal(ctx, call, cursor))
    return links
