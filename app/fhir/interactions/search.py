"""FHIR search of a type, also within a compartment — https://hl7.org/fhir/R4/http.html#search"""

from dataclasses import replace

from app.fhir.access import Nothing
from app.fhir.context import Call, Context, Result
from app.fhir.cursor import unseal
from app.fhir.disclose import patients
from app.fhir.search.bundle import page, searchset
from app.fhir.search.compile import compile_search
from app.fhir.search.paging import from_cursor
from app.fhir.search.query import parse_query, within
from app.fhir.search.resolve import resolved


async def search_type(ctx: Context, call: Call) -> Result:
    """One page of the visible resources that match, with what was asked to be included.

    Raises BadRequest for a parameter that is unknown (unless handling is lenient) or unreadable.
    """
    assert call.type
    policy = ctx.engine.policy
    query = parse_query(
        call.type,
        call.query,
        is_lenient=call.prefer.handling == "lenient",
        counts=(policy.page_size, policy.max_page_size),
    )
    if call.compartment is not None:
        query = within(query, *call.compartment)
    query = await resolved(ctx, query)
    used = replace(call, query=query.used)
    position = from_cursor(query, unseal(ctx, used))
    access = ctx.access.get("s", Nothing())
    statement = compile_search(query, access, ctx.engine.base_url, position)
    rows = await ctx.store.fetch(statement.sql, *statement.args.values)
    found = page(query, position, rows)
    about = {each for row in (*found.matches, *found.included) for each in patients(row)}
    return Result(200, searchset(ctx, used, query, found), patients=tuple(sorted(about)))
