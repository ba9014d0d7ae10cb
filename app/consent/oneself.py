"""Oneself: nobody gives themselves more of a record than they were given.

A guardian may write RelatedPerson, also that which says whose guardian they are and until when. The
state after a change cannot tell whether they may: it would make them one. docs/roles.md
"""

from collections.abc import Iterator, Sequence

import orjson

from app.consent.relationships import Row, relationships
from app.fhir.change import Written
from app.fhir.context import Context
from app.fhir.errors import Forbidden, Issue

MORE = (
    "This would make you more to a person than you are: whose guardian you are, and until when, is"
    " for the person, another guardian or whoever keeps the record to say."
)


async def oneself(ctx: Context, written: Sequence[Written]) -> None:
    """Refuse that who is at work makes themself a guardian, of somebody else or for longer.

    Raises Forbidden.
    """
    issues = [
        Issue("forbidden", MORE, (one.at,))
        for one in written
        if f"{one.type}/{one.id}" == ctx.agent.fhir_user
        and not all(_is_among(row, _ties(one.before, ctx)) for row in _ties(one.after, ctx))
    ]
    if issues:
        raise Forbidden("Not within access.", issues=issues)


def _ties(body: str | None, ctx: Context) -> list[Row]:
    return list(_guardianships(body, ctx.engine.base_url)) if body else []


def _guardianships(body: str, base_url: str) -> Iterator[Row]:
    resource = orjson.loads(body)
    if resource["resourceType"] == "RelatedPerson":
        yield from relationships(resource, base_url)


def _is_among(row: Row, before: Sequence[Row]) -> bool:
    """Whether it was so for all of that time."""
    *tie, starts, ends = row
    return any(tie == known and lo <= starts and ends <= hi for *known, lo, hi in before)
