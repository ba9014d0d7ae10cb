"""Hidden: which references of some rows lead to what does not exist for the caller.

Mostly this takes no statement: the one that found the rows has asked already what is unlike them
(alike.py), and found nothing; and from some callers nothing is hidden.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from app.fhir.access import Access, Nothing, permissions
from app.fhir.alike import alike, unlike, vouching
from app.fhir.context import Context
from app.fhir.grounds import opening
from app.fhir.known import Known, known, known_among, restricted, types_of
from app.fhir.label import PART_2, is_sealed
from app.fhir.references import mentioned
from app.storage.sql import Arguments, Row

Pair = tuple[str, str]
Eyes = tuple[Access, Access, Access]
HEAD = re.compile(r'\{"resourceType":"(\w+)","id":"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Hidden:
    """What must be known of some rows before they leave; made in this file alone.

    `names` are references ("Type/id") that may not be shown. `consents` are the logical ids of the
    Consents that open to the caller what 42 CFR Part 2 seals, by the type and id of that.
    """

    names: frozenset[str] = frozenset()
    consents: Mapping[Pair, Sequence[str]] = field(default_factory=dict)

    def grounds(self, body: str, base_url: str) -> list[str]:
        """The URLs of the Consents by which a sealed resource, as stored, may leave."""
        head = HEAD.match(body)
        ids = self.consents.get((head[1], head[2]), ()) if head else ()
        return [f"{base_url}/Consent/{id_}" for id_ in ids]


NOTHING = Hidden()


def known_to(ctx: Context) -> Known:
    """What exists for the caller."""
    return known(*eyes(ctx))


def eyes(ctx: Context) -> Eyes:
    """The accesses under which the caller reads, searches, and knows of things."""
    return *_letters(ctx), ctx.reach


def _letters(ctx: Context) -> tuple[Access, Access]:
    return ctx.access.get("r", Nothing()), ctx.access.get("s", Nothing())


def unlike_for(ctx: Context, *, of_versions: bool = False) -> str:
    """What `with_unlike` is to look for, so that `hidden` need not ask again."""
    return unlike_under(*eyes(ctx), of_versions=of_versions)


# Kept by the accesses, which know their hash: that of what follows from them takes long.
@lru_cache(maxsize=512)
def unlike_under(read: Access, search: Access, reach: Access, *, of_versions: bool = False) -> str:
    """The same for whoever reads, searches and knows under these."""
    judged = known(read, search, reach)
    return unlike(judged, vouching(judged, read, search), of_versions=of_versions)


@lru_cache(maxsize=512)
def _judged(read: Access, search: Access, reach: Access) -> frozenset[str]:
    return types_of(known(read, search, reach))


async def hidden(
    ctx: Context,
    rows: Iterable[Row],
    *,
    are_visible: bool = False,
    doubted: Collection[str] | None = None,
) -> Hidden:
    """The references in the bodies of these rows that lead to what the caller may not know of.

    What never existed is as hidden as what may not be known: the two must not differ.
    `are_visible`: the rows were read through `visible` or `versions` under scope letter r or s.
    `doubted`: which of the relative references may be hidden, where that was found already.
    """
    shown = [row for row in rows if row["body"]]
    bodies = [row["body"] for row in shown]
    pairs = await _in_doubt(ctx, bodies, doubted, are_visible=are_visible)
    heads = [HEAD.match(row["body"]) for row in shown if is_sealed(row)]
    if not pairs and not heads:
        return NOTHING
    sealed = [(head[1], head[2]) for head in heads if head]
    return Hidden(await _unknown(ctx, pairs), await _grounds(ctx, sealed))


async def _in_doubt(
    ctx: Context, bodies: Sequence[str], doubted: Collection[str] | None, *, are_visible: bool
) -> set[Pair]:
    """The references in these bodies that may lead to the hidden."""
    judged, base = _judged(*eyes(ctx)), ctx.engine.base_url
    if not judged:
        return set()
    if doubted is not None and not any(f'"{base}/' in body for body in bodies):
        pairs = {pair for pair in map(_pair, doubted) if pair[0] in judged}
        return pairs - _vouching(ctx, bodies)[1] if pairs and are_visible else pairs
    named = {each for body in bodies for each in mentioned(body, base)}
    pairs = {pair for pair in map(_pair, named) if pair[0] in judged}
    return pairs - await _alike(ctx, pairs, bodies) if pairs and are_visible else pairs


async def _grounds(ctx: Context, sealed: Sequence[Pair]) -> dict[Pair, list[str]]:
    """The Consents that open each of these to the caller, even if something else does too."""
    found: dict[Pair, list[str]] = {}
    for permitted in permissions(ctx.reach) if sealed else ():
        args = Arguments()
        for row in await ctx.store.fetch(*args.statement(opening(permitted, PART_2, sealed, args))):
            found.setdefault((row["type"], row["id"]), []).append(row["consent"])
    return found


async def unknown(ctx: Context, names: Iterable[str]) -> frozenset[str]:
    """Of these references ("Type/id") those that lead to what the caller may not know of."""
    judged = _judged(*eyes(ctx))
    return await _unknown(ctx, {pair for pair in map(_pair, names) if pair[0] in judged})


async def _unknown(ctx: Context, pairs: Iterable[Pair]) -> frozenset[str]:
    asked = sorted(pairs)
    if not asked:
        return frozenset()
    args = Arguments()
    sql = known_among(restricted(known_to(ctx), (type_ for type_, _ in asked)), asked, args)
    here = {(row["type"], row["id"]) for row in await ctx.store.fetch(*args.statement(sql))}
    return frozenset("/".join(pair) for pair in asked if pair not in here)


async def _alike(ctx: Context, pairs: set[Pair], bodies: Iterable[str]) -> set[Pair]:
    """Those that a visible row vouches for."""
    others, seen = _vouching(ctx, bodies)
    asked = [pair for pair in pairs if pair[0] in others]
    if not seen or not asked:
        return set()
    args = Arguments()
    sql = alike(asked, seen, args)
    return {(row["type"], row["id"]) for row in await ctx.store.fetch(*args.statement(sql))}


def _vouching(ctx: Context, bodies: Iterable[str]) -> tuple[Sequence[str], set[Pair]]:
    """The types that visible rows may vouch for, and those of the rows with these bodies that
    vouch, also for themselves."""
    among = vouching(known_to(ctx), *_letters(ctx))
    if among is None:
        return (), set()
    heads = (HEAD.match(body) for body in bodies)
    return among.others, {(head[1], head[2]) for head in heads if head and head[1] in among.rows}


def _pair(name: str) -> Pair:
    type_, _, id_ = name.partition("/")
    return type_, id_
