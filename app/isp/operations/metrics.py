"""$isp-metrics: how well plans are kept, in numbers. docs/operations/isp-metrics.md"""

from collections.abc import AsyncIterator
from typing import Any

import orjson

from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import derived, disclose
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Unprocessable
from app.fhir.hidden import hidden
from app.fhir.instant import to_text
from app.fhir.operations.parameters import day_of, parameters_of
from app.fhir.routing import authorize
from app.isp.codes import DEFINITION, HEALTH_CONCERN, ISP, RENEWAL, REVIEW
from app.isp.element import months_after
from app.isp.metrics import Span, figures, report
from app.isp.searching import pages
from app.isp.sign import KINDS_OF_SIGNATURE

KINDS = {"periodStart": ("valueDate",), "periodEnd": ("valueDate",), "patient": ("valueString",)}
COUNTED = {
    "CarePlan": ("status", "active,on-hold"),
    "Goal": ("lifecycle-status:not", "entered-in-error"),
    "Task": ("code", f"{ISP}|{REVIEW},{ISP}|{RENEWAL}"),
    "Provenance": ("signature-type", f"{KINDS_OF_SIGNATURE}|"),
    "ServiceRequest": ("status:not", "entered-in-error"),
    "Condition": ("category", HEALTH_CONCERN),
}
"""What is counted, as a search."""

PAGE, MOST = 1000, 50_000
"""Resources of a type fetched at once, and in all."""


async def run(ctx: Context, call: Call) -> Result:
    """A MeasureReport (summary) over what the caller may see: 200.

    Raises BadRequest for parameters that cannot be read, Unprocessable where there is too much.
    """
    given = parameters_of(call, KINDS)
    span = _span(ctx, given)
    by_type: dict[str, list[Resource]] = {}
    for type_ in COUNTED:
        authorize(ctx, "s", type_)
        by_type[type_] = [one async for one in _found(ctx, type_, given.get("patient"))]
    made = report(figures(by_type, span), span, to_text(ctx.now))
    return Result(200, derived(made), type=call.type)


def _span(ctx: Context, given: dict[str, Any]) -> Span:
    """The year up to today, unless it is said otherwise."""
    today = ctx.now.date()
    end = day_of(given, "periodEnd", today)
    start = day_of(given, "periodStart", months_after(end, -12))
    if start > end:
        raise BadRequest("periodStart lies after periodEnd.", code="value")
    return Span(start, end, today)


async def _found(ctx: Context, type_: str, patient: Any) -> AsyncIterator[Resource]:
    """Every such resource that the caller may see, page by page of an ordinary search."""
    wanted = [COUNTED[type_], *([_of(type_, str(patient))] if patient else [])]
    counted = 0
    async for rows in pages(ctx, type_, wanted, PAGE):
        counted += len(rows)
        if counted > MOST:
            said = f"There are more than {MOST} {type_}s to count: ask for one patient."
            raise Unprocessable(said)
        masked = await hidden(ctx, rows, are_visible=True)
        for row in rows:
            yield orjson.loads(disclose(ctx, row, masked).content)


def _of(type_: str, patient: str) -> tuple[str, str]:
    return ("target:CarePlan.patient" if type_ == "Provenance" else "patient", patient)


OPERATION = Operation(
    name="isp-metrics",
    definition=f"{DEFINITION}/CarePlan-isp-metrics",
    levels=frozenset({"type"}),
    types=frozenset({"CarePlan"}),
    letter="s",
    run=run,
)
