"""Find: run a search under the access of its caller, with the plan that suits it."""

import json

from asyncpg import Record

from app.fhir.access import Access, Nothing
from app.fhir.alike import with_unlike
from app.fhir.context import Context
from app.fhir.hidden import known_to, unlike_for
from app.fhir.search.compile import FEW, compile_matches, compile_search
from app.fhir.search.masked import existing
from app.fhir.search.paging import Position
from app.fhir.search.query import Query
from app.fhir.visible import reached
from app.storage.sql import Arguments

MANY = 10_000
"""Matches from which on an estimate is good enough where one is asked for."""


async def estimated(ctx: Context, query: Query) -> int | None:
    """What the planner takes the total for; None where none is asked for, or it is to be counted.

    It is counted for whoever may not see everything: the planner's statistics are of all that there
    is. So are few: its estimate of them is bad, and to count them is cheap.
    """
    if query.total != "estimate" or known_to(ctx):
        return None
    known = await existing(ctx, query)
    access = ctx.access.get("s", Nothing())
    statement = compile_matches(query, access, ctx.engine.base_url, known)
    fetch = ctx.connection.fetch if ctx.connection else ctx.engine.database.search
    sql, *values = statement.complete
    rows = await fetch(f"EXPLAIN (FORMAT JSON) {sql}", *values)
    size = int(json.loads(rows[0][0])[0]["Plan"]["Plan Rows"])
    return size if size >= MANY else None


async def find(ctx: Context, query: Query, position: Position | None = None) -> list[Record]:
    """The rows of the page that begins at a position, as `Statement` has them, with `unlike`.

    Raises BadRequest for a value that cannot be read.
    """
    access = ctx.access.get("s", Nothing())
    known = await existing(ctx, query)
    statement = compile_search(query, access, ctx.engine.base_url, position, known)
    sql, args = statement.sql, statement.args
    if not query.counts_only:
        sql = with_unlike(sql, unlike_for(ctx))
    if ctx.connection or statement.is_narrow or await _leads_to_few(ctx, query, access):
        return await ctx.read(*args.statement(sql))
    return await ctx.engine.database.search(*args.statement(sql))


async def _leads_to_few(ctx: Context, query: Query, access: Access) -> bool:
    """Whether the caller supports so few patients that one plan serves whatever is asked for.

    To plan a statement that weighs consents takes twenty times as long as to run it.
    """
    args = Arguments()
    patients = None if query.parts else reached(access, query.type, args)
    if patients is None:
        return False
    sql = f"SELECT count(*) FROM ({patients} LIMIT {FEW + 1}) AS f"

    async def count() -> bool:
        found: int = await ctx.store.fetchval(*args.statement(sql))
        return found <= FEW

    return await ctx.engine.few.is_so((access, query.type), count)
