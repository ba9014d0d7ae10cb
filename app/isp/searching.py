"""Ordinary searches that the house makes itself, page by page, under the access of a Context."""

from collections.abc import AsyncIterator, Sequence

from app.fhir.context import Context
from app.fhir.search.bundle import page
from app.fhir.search.find import find
from app.fhir.search.paging import Position, from_cursor, to_cursor
from app.fhir.search.query import parse_query
from app.storage.sql import Row


async def pages(
    ctx: Context, type_: str, wanted: Sequence[tuple[str, str]], size: int = 1000
) -> AsyncIterator[Sequence[Row]]:
    """The matches of a search, at most `size` at a time. Raises BadRequest as a search does."""
    query = parse_query(type_, wanted, counts=(size, size))
    position: Position | None = None
    while True:
        found = page(query, position, await find(ctx, query, position))
        yield found.matches
        if not found.after:
            return
        position = from_cursor(query, to_cursor(query, found.matches[-1], is_backward=False))
