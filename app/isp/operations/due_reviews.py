"""$due-reviews: the worklist of reviews that are due. docs/operations/due-reviews.md"""

from collections.abc import AsyncIterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

import orjson

from app.fhir.context import Call, Context, Disclosed, Result
from app.fhir.disclose import Entry, bundle, disclose, patients
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Unprocessable
from app.fhir.grounds import consents_of
from app.fhir.hidden import hidden
from app.fhir.operations.parameters import day_of, parameters_of
from app.fhir.routing import authorize
from app.isp.codes import DEFINITION
from app.isp.searching import pages
from app.isp.worklist import OPEN_REVIEWS, due_on, is_due
from app.storage.sql import Row

KINDS = {
    "by": ("valueDate",),
    "owner": ("valueString",),
    "patient": ("valueString",),
    "team": ("valueString",),
    "organization": ("valueString",),
    "_count": ("valueInteger",),
}
NARROWING = {
    "owner": "owner",
    "patient": "patient",
    "team": "focus:CarePlan.care-team",
    "organization": "patient.organization",
}
"""By parameter the one of a search for Tasks; an organization is the one that keeps the record."""

PAGE, MOST = 1000, 20_000
"""Open reviews fetched at once, and in all; a caller who sees more must narrow."""


async def run(ctx: Context, call: Call) -> Result:
    """A searchset of the Tasks due by a day, the longest due first: 200.

    Raises BadRequest for parameters that cannot be read, Unprocessable where there are too many.
    """
    authorize(ctx, "s", "Task")
    given = parameters_of(call, KINDS)
    by, count = day_of(given, "by", ctx.now.date()), _count(ctx, given)
    due = [
        (due_on(task) or by, row["id"], row)
        async for task, row in _open(ctx, given)
        if is_due(task, by)
    ]
    rows = [row for _, _, row in sorted(due, key=lambda one: one[:2])]
    shown = rows[:count]
    # The total tells of those, too, who are not shown.
    told = rows if ctx.emergency is not None else shown
    about = sorted({each for row in told for each in patients(row)})
    body = await _worklist(ctx, shown, len(rows), {**given, "by": by, "_count": count})
    return Result(200, body, type=call.type, patients=tuple(about), consents=consents_of(told))


async def _open(ctx: Context, given: Mapping[str, Any]) -> AsyncIterator[tuple[Any, Row]]:
    """Every open review that the caller may see, page by page of an ordinary search."""
    found = 0
    narrowing = [(NARROWING[name], str(given[name])) for name in NARROWING if name in given]
    async for rows in pages(ctx, "Task", [*OPEN_REVIEWS, *narrowing], PAGE):
        found += len(rows)
        if found > MOST:
            said = f"More than {MOST} reviews are open: ask for those of one owner or team."
            raise Unprocessable(said)
        for row in rows:
            yield orjson.loads(row["body"]), row


def _count(ctx: Context, given: Mapping[str, Any]) -> int:
    policy = ctx.engine.policy
    text = str(given.get("_count", policy.page_size))
    if not (text.isascii() and text.isdigit()):
        raise BadRequest("_count is a whole number.", code="value")
    return min(int(text), policy.max_page_size)


async def _worklist(
    ctx: Context, rows: list[Row], total: int, asked_: Mapping[str, Any]
) -> Disclosed:
    masked = await hidden(ctx, rows, are_visible=True)
    entries = (
        Entry(f"{ctx.base_url}/Task/{row['id']}", disclose(ctx, row, masked), search="match")
        for row in rows
    )
    own = f"{ctx.base_url}/CarePlan/$due-reviews?{urlencode(_text(asked_))}"
    return bundle("searchset", entries, {"self": own}, total=total)


def _text(asked_: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: value.isoformat() if isinstance(value, date) else str(value)
        for name, value in asked_.items()
    }


OPERATION = Operation(
    name="due-reviews",
    definition=f"{DEFINITION}/CarePlan-due-reviews",
    levels=frozenset({"type"}),
    types=frozenset({"CarePlan"}),
    letter="s",
    run=run,
)
