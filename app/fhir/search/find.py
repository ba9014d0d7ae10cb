"""Find: run a search under the access of its caller."""

from asyncpg import Record

from app.fhir.access import Nothing
from app.fhir.context import Context
from app.fhir.search.compile import compile_search
from app.fhir.search.masked import existing
from app.fhir.search.paging import Position
from app.fhir.search.query import Query


async def find(ctx: Context, query: Query, position: Position | None = None) -> list[Record]:
    """The rows of the page that begins at a position, as `Statement` has them.

    Raises BadRequest for a value that cannot be read.
    """
    access = ctx.access.get("s", Nothing())
    known = await existing(ctx, query)
    statement = compile_search(query, access, ctx.engine.base_url, position, known)
    if ctx.connection is not None or statement.is_narrow:
        return await ctx.store.fetch(statement.sql, *statement.args.values)
    return await ctx.engine.database.search(statement.sql, *statement.args.values)
