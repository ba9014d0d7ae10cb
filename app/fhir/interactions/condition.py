"""The condition of a conditional interaction: criteria that say which resource is meant.

Looked up within the transaction of the change, under a lock on the criteria: of many who ask for
the same at once, the first to come creates, and the others find what it made.
https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #3.1.0.7.1
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from asyncpg import Record

from app.fhir.context import Call, Context
from app.fhir.errors import BadRequest, PreconditionFailed
from app.fhir.search.find import find
from app.fhir.search.query import RESULTS, Query, parse_query
from app.fhir.search.resolve import resolved
from app.fhir.shape import REPRESENTATION
from app.fhir.shape import parse_query as parse_pairs

Key = tuple[str, str]
LOCK, LOCKS = 1_230_192_206, 2048
"""The first part of the advisory lock keys, and how many there are: names that share one wait for
each other without need, but PostgreSQL has room for some thousands only."""

LOCKED = f"SELECT pg_advisory_xact_lock({LOCK}, k) FROM unnest($1::int[]) AS k"
"""One after the other, as they are given; the one-bigint form belongs to write_instant()."""

PLANNED = "SELECT set_config('plan_cache_mode', $1, true)"


@dataclass(frozen=True, slots=True)
class Criteria:
    """The resources of a type that match search parameters, in one spelling."""

    type: str
    pairs: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "&".join((self.type, *(f"{name}={value}" for name, value in self.pairs)))


def criteria(call: Call) -> Criteria | None:
    """The criteria of a conditional create, update, patch or delete; None of any other call.

    Raises BadRequest for criteria that are none: they would mean every resource of the type.
    """
    if call.interaction == "create":
        text = call.conditions.if_none_exist
        return None if text is None else of_text(str(call.type), text, "If-None-Exist")
    if call.id is not None or call.interaction not in ("update", "patch", "delete"):
        return None
    return _criteria(str(call.type), call.query, "The URL")


def of_text(type_: str, text: str, where: str) -> Criteria:
    """The criteria as the query part of a URL has them; BadRequest says `where` they stood."""
    return _criteria(type_, parse_pairs(text.removeprefix("?")), where)


def _criteria(type_: str, pairs: Iterable[tuple[str, str]], where: str) -> Criteria:
    kept = tuple(sorted(pair for pair in pairs if pair[0] not in REPRESENTATION))
    if not kept:
        raise BadRequest(
            f"{where} needs search parameters that say which {type_} is meant.", code="required"
        )
    for name, _ in kept:
        if name in RESULTS:
            raise BadRequest(f"{name} chooses nothing: leave it out of {where}.", code="value")
    return Criteria(type_, kept)


def query(asked: Criteria, most: int) -> Query:
    """The search for these criteria. Raises BadRequest for parameters that cannot be read."""
    return parse_query(asked.type, asked.pairs, counts=(most, most))


async def lock(ctx: Context, names: Collection[str]) -> None:
    """Wait until nobody else decides about one of these names; until `unlock`, searches are
    planned for the values they have. All wait in one order, so that nobody waits for ever."""
    digests = (blake2b(name.encode(), digest_size=4).digest() for name in names)
    keys = sorted({int.from_bytes(digest) % LOCKS for digest in digests})
    await ctx.store.fetch(LOCKED, keys)
    await ctx.store.fetchval(PLANNED, "force_custom_plan")


async def unlock(ctx: Context) -> None:
    """All searches are done; the locks themselves last to the end of the transaction."""
    await ctx.store.fetchval(PLANNED, "force_generic_plan")


async def matches(
    ctx: Context, asked: Criteria, gone: Collection[Key] = (), most: int = 1
) -> Sequence[Record]:
    """The visible resources that match, without those `gone` by the same transaction.

    Raises PreconditionFailed for more than `most` of them.
    """
    wanted = query(asked, most + len(gone))
    rows = await find(ctx, await resolved(ctx, wanted))
    found = [row for row in rows if (row["type"], row["id"]) not in gone]
    if len(found) > most:
        raise PreconditionFailed(
            "More than one resource matches: ask for one only."
            if most == 1
            else f"More than {most} resources match: ask for fewer.",
            code="multiple-matches",
        )
    return found


def settled(call: Call, **decided: Any) -> Call:
    """The ordinary call that a conditional one turned out to be."""
    plain = replace(call.conditions, if_none_exist=None)
    return replace(call, **{"query": (), "conditions": plain, **decided})


def named(body: Any) -> Mapping[str, Any]:
    """The body where it is an object; anything else is refused where it is planned."""
    return body if isinstance(body, dict) else {}
