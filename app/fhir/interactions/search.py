"""FHIR search of a type, also within a compartment — https://hl7.org/fhir/R4/http.html#search"""

from dataclasses import replace

from app.fhir.context import Call, Context, Result
from app.fhir.cursor import unseal
from app.fhir.disclose import patients
from app.fhir.hidden import hidden
from app.fhir.search.bundle import page, searchset
from app.fhir.search.find import find
from app.fhir.search.paging import from_cursor
from app.fhir.search.query import parse_query, within


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
    used = replace(call, query=query.used)
    position = from_cursor(query, unseal(ctx, used))
    found = page(query, position, await find(ctx, query, position))
    rows = [*found.matches, *found.included]
    masked = await hidden(ctx, rows, are_visible=True)
    about = {each for row in rows for each in patients(row)}
    return Result(200, searchset(ctx, used, query, found, masked), patients=tuple(sorted(about)))
