"""FHIR search of a type, a compartment or the whole system.

https://hl7.org/fhir/R4/http.html#search
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from app.fhir.access import Access, Nothing, for_type
from app.fhir.alike import unlike_of
from app.fhir.context import Call, Context, Result
from app.fhir.cursor import unseal
from app.fhir.disclose import patients
from app.fhir.grounds import consents_of
from app.fhir.hidden import hidden
from app.fhir.registration import refresh
from app.fhir.registry import compartment
from app.fhir.routing import authorize
from app.fhir.search.bundle import Page, page, searchset
from app.fhir.search.find import estimated, find, run
from app.fhir.search.kept import Kept, kept
from app.fhir.search.paging import from_cursor
from app.fhir.search.parameters.criterion import UnknownParameter
from app.fhir.search.query import Query, parse_query, within
from app.fhir.search.resolve import resolved
from app.fhir.search.system import all_types, asked_types, parse_types, without_type


async def search_type(ctx: Context, call: Call) -> Result:
    """One page of the visible resources that match, with what was asked to be included.

    Raises BadRequest for a parameter that is unknown (unless handling is lenient) or unreadable.
    """
    found = kept(ctx, call)
    if found is not None:
        return await _kept_page(ctx, call, *found)
    return await _knowing(ctx, partial(_of_type, ctx, call))


async def _kept_page(ctx: Context, call: Call, found: Kept, patient: str) -> Result:
    statement = found.of(patient)
    rows = await run(ctx, found.query, statement, is_narrow=found.is_narrow)
    return await _shown(ctx, call, found.query, page(found.query, None, rows))


async def _knowing(ctx: Context, search: Callable[[], Awaitable[Result]]) -> Result:
    """The search; where it asks for what is unknown, once more if that was registered since."""
    try:
        return await search()
    except UnknownParameter:
        if not await refresh(ctx.engine.database):
            raise
        return await search()


async def _of_type(ctx: Context, call: Call) -> Result:
    assert call.type
    return await page_of(ctx, call, _restricted(_parsed(ctx, call, call.type), call))


async def search_system(ctx: Context, call: Call) -> Result:
    """The same over several types: those of _type, or all the caller may search.

    Raises Forbidden for a type that is named and not in the scopes.
    """
    return await _knowing(ctx, partial(_of_system, ctx, call))


async def _of_system(ctx: Context, call: Call) -> Result:
    types = asked_types(call.query)
    for type_ in types:
        authorize(ctx, "s", type_)
    types = types or _searchable(ctx.access)
    if call.compartment is not None:
        types = _members(types, call.compartment[0])
    if len(types) == 1:
        query = _parsed(ctx, replace(call, query=without_type(call.query)), types[0])
        used = (*query.used, *(pair for pair in call.query if pair[0] == "_type"))
        return await page_of(ctx, call, _restricted(replace(query, used=used), call))
    policy, is_lenient = ctx.engine.policy, call.prefer.handling == "lenient"
    counts = (policy.page_size, policy.max_page_size)
    query = parse_types(types, call.query, is_lenient=is_lenient, counts=counts)
    return await page_of(ctx, call, _restricted(query, call))


def _searchable(access: Mapping[str, Access]) -> tuple[str, ...]:
    found = access.get("s", Nothing())
    return tuple(each for each in all_types() if not isinstance(for_type(found, each), Nothing))


def _members(types: Sequence[str], name: str) -> tuple[str, ...]:
    found = tuple(each for each in types if each == name or compartment(name, each))
    return found or tuple(types[:1])


def _parsed(ctx: Context, call: Call, type_: str) -> Query:
    policy = ctx.engine.policy
    return parse_query(
        type_,
        call.query,
        is_lenient=call.prefer.handling == "lenient",
        counts=(policy.page_size, policy.max_page_size),
    )


def _restricted(query: Query, call: Call) -> Query:
    """The query within the compartment of the call, if it names one."""
    if call.compartment is None:
        return query
    if query.parts:
        parts = tuple(within(part, *call.compartment) for part in query.parts)
        return replace(query, parts=parts)
    return within(query, *call.compartment)


async def page_of(ctx: Context, call: Call, query: Query) -> Result:
    """The page of this query that the call asks for; links show the parameters of the query."""
    query = await resolved(ctx, query)
    used = replace(call, query=query.used)
    position = from_cursor(query, unseal(ctx, used))
    estimate = await estimated(ctx, query)
    if estimate is not None:
        query = replace(query, total="none")
    is_known = estimate is not None and query.counts_only
    found = page(query, position, [] if is_known else await find(ctx, query, position), estimate)
    return await _shown(ctx, used, query, found)


async def _shown(ctx: Context, call: Call, query: Query, found: Page) -> Result:
    """The answer that holds this page; links show the parameters of `call`."""
    rows = [*found.matches, *found.included]
    masked = await hidden(ctx, rows, are_visible=True, doubted=unlike_of(rows))
    about = {each for row in rows for each in patients(row)}
    body = searchset(ctx, call, query, found, masked)
    return Result(200, body, patients=tuple(sorted(about)), consents=consents_of(rows))
