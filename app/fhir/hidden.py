"""Hidden: which references of some rows lead to what does not exist for the caller.

One statement for a page, and none for who may know of everything.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NewType

from app.fhir.access import Nothing
from app.fhir.context import Context
from app.fhir.known import Known, found, known, restricted, types_of
from app.storage.sql import Arguments, Row

Hidden = NewType("Hidden", frozenset[str])
"""References ("Type/id") that may not be shown; made by `hidden` alone."""


def known_to(ctx: Context) -> Known:
    """What exists for the caller."""
    read, search = (ctx.access.get(letter, Nothing()) for letter in "rs")
    return known(read, search, ctx.reach)


async def hidden(ctx: Context, rows: Iterable[Row]) -> Hidden:
    """Of the references in the bodies of these rows those to what the caller may not know of.

    What never existed is as hidden as what may not be known: the two cannot be told apart.
    """
    groups = known_to(ctx)
    if not groups:
        return Hidden(frozenset())
    base_url = ctx.engine.base_url
    named = {each for row in rows for each in mentioned(row["body"] or "", base_url)}
    judged = types_of(groups)
    return await unknown(ctx, {each for each in named if each.partition("/")[0] in judged})


async def unknown(ctx: Context, names: Iterable[str]) -> Hidden:
    """Of these references, all to types of which something may be hidden, those that are."""
    pairs = sorted((type_, id_) for type_, _, id_ in (name.partition("/") for name in names))
    if not pairs:
        return Hidden(frozenset())
    args = Arguments()
    sql = found(restricted(known_to(ctx), (type_ for type_, _ in pairs)), pairs, args)
    rows: Sequence[Row] = await ctx.store.fetch(sql, *args.values)
    here = {(row["type"], row["id"]) for row in rows}
    return Hidden(frozenset(f"{type_}/{id_}" for type_, id_ in pairs if (type_, id_) not in here))


def mentioned(text: str, base_url: str) -> Iterator[str]:
    """The resources of this server that a stored text refers to, without its being parsed."""
    return (found[1] for found in _pattern(base_url).finditer(text))


@cache
def _pattern(base_url: str) -> re.Pattern[str]:
    # As app/fhir/references.py has it; stored text has no space between name and value.
    local = r"([A-Z][A-Za-z]{1,40}/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
    return re.compile(rf'"(?:reference|url)":"(?:{re.escape(base_url)}/)?{local}"')
