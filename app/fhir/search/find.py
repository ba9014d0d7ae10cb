"""Find: run a search under the access of its caller, with the plan that suits it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from asyncpg import Record

from app.fhir.access import Nothing
from app.fhir.alike import with_unlike
from app.fhir.context import Context
from app.fhir.hidden import Eyes, eyes, known_to, unlike_under
from app.fhir.search.compile import FEW, Statement, compile_matches, compile_search
from app.fhir.search.masked import Existing, existing
from app.fhir.search.paging import Position
from app.fhir.search.query import Query
from app.fhir.search.vouched import APART, unvouched
from app.fhir.visible import reached
from app.storage.sql import Arguments

MANY = 10_000
"""Matches from which on an estimate is good enough where one is asked for."""


async def estimated(ctx: Context, query: Query) -> int | None:
    """The planner's estimate of the total; None where none was asked for, or it is to be counted.

    It is counted for whoever may not see everything, since the planner's statistics are of all
    there is; and where there are few, since counting is cheap then and the estimate bad.
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
    known = await existing(ctx, query)
    found = stated(query, eyes(ctx), ctx.engine.base_url, position, known)
    return await run(ctx, query, found.complete, is_narrow=found.is_narrow)


def stated(
    query: Query, eyes: Eyes, base_url: str, position: Position | None, known: Existing
) -> Statement:
    """The statement of a page with `unlike`. Raises BadRequest for a value that cannot be read."""
    _, search, _ = eyes
    found = compile_search(query, search, base_url, position, known)
    if query.counts_only:
        return found
    return replace(found, sql=with_unlike(found.sql, unlike_under(*eyes)))


async def run(
    ctx: Context, query: Query, statement: tuple[Any, ...], *, is_narrow: bool
) -> list[Record]:
    """The rows that the statement of this query finds, `is_narrow` as `Statement` has it."""
    is_read = ctx.connection or is_narrow or await _leads_to_few(ctx, query)
    rows = await (ctx.read if is_read else ctx.engine.database.search)(*statement)
    names = [row["id"] for row in rows if row["mode"] == APART] if query.includes else ()
    return await _with_unvouched(ctx, query, rows, names) if names else rows


async def _with_unvouched(
    ctx: Context, query: Query, rows: Sequence[Record], names: Sequence[str]
) -> list[Record]:
    """These rows, and what is visible of these names ("Type/id"), for which no match vouches."""
    args = Arguments()
    sql = unvouched(query, names, ctx.access.get("s", Nothing()), args)
    found = await ctx.read(*args.statement(with_unlike(sql, unlike_under(*eyes(ctx)))))
    shown = {f"{row['type']}/{row['id']}" for row in found}
    return [*(row for row in rows if row["mode"] != APART or row["id"] not in shown), *found]


async def _leads_to_few(ctx: Context, query: Query) -> bool:
    """Whether the caller supports so few patients that one plan suits whatever is asked for.

    Planning a statement that weighs consents takes twenty times as long as running it.
    """
    access = ctx.access.get("s", Nothing())

    async def count() -> bool:
        args = Arguments()
        patients = None if query.parts else reached(access, query.type, args)
        if patients is None:
            return False
        sql = f"SELECT count(*) FROM ({patients} LIMIT {FEW + 1}) AS f"
        found: int = await ctx.store.fetchval(*args.statement(sql))
        return found <= FEW

    return await ctx.engine.few.is_so((access, query.type), count)
