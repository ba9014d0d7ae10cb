"""FHIR batch and transaction — https://hl7.org/fhir/R4/http.html#transaction"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.fhir.context import Call, Context, Result
from app.fhir.disclose import Entry
from app.fhir.disclose import bundle as disclosed
from app.fhir.errors import BadRequest, FHIRError, TooLarge, Unavailable
from app.fhir.faults import translated
from app.fhir.interactions.entry import answer, failed, planned_entry
from app.fhir.interactions.transaction import transaction
from app.fhir.routing import perform, record_refusal
from app.fhir.shape import check_none
from app.storage.database import DatabaseAway

Check = Callable[[Context, Call], None]


async def bundle(ctx: Context, call: Call) -> Result:
    """Perform the entries of a batch each for itself, those of a transaction all or none."""
    check_none(call.query)
    entries = entries_of(ctx, call)
    if call.interaction == "batch":
        return await _batch(ctx, call, entries)
    return await transaction(ctx, call, entries)


def entries_of(ctx: Context, call: Call) -> Sequence[Mapping[str, Any]]:
    """The entries of a batch or transaction. Raises BadRequest, TooLarge."""
    body = call.body if isinstance(call.body, dict) else {}
    if body.get("resourceType") != "Bundle" or body.get("type") not in ("batch", "transaction"):
        raise BadRequest("Post a Bundle of type batch or transaction.", expression=["Bundle.type"])
    entries = body.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadRequest("entry must be a list of objects.", expression=["Bundle.entry"])
    most = ctx.engine.policy.max_entries
    if len(entries) > most:
        raise TooLarge(f"A Bundle holds at most {most} entries.", expression=["Bundle.entry"])
    return entries


async def _batch(ctx: Context, call: Call, entries: Sequence[Mapping[str, Any]]) -> Result:
    answers: list[Entry] = []
    for at, entry in enumerate(entries):
        try:
            answers.append(await alone(ctx, call, at, entry))
        except DatabaseAway:
            # What was done before is told; nothing done is told like any other request.
            if not answers:
                raise
            answers.append(failed(Unavailable("The database was lost before this was done.")))
    return Result(200, disclosed("batch-response", answers), is_recorded=bool(answers))


async def alone(
    ctx: Context, call: Call, at: int, entry: Mapping[str, Any], check: Check | None = None
) -> Entry:
    """The answer to entry `at` of a batch, whatever becomes of it; `check` may refuse it.

    Raises DatabaseAway only.
    """
    asked = Call("unknown")
    try:
        try:
            row, asked = planned_entry(ctx, call, at, entry)
            if check is not None:
                check(ctx, asked)
        except FHIRError as error:
            await record_refusal(ctx, asked, error)
            raise
        return answer(ctx, asked, await perform(ctx, row, asked))
    except FHIRError as error:
        return failed(error)
    except DatabaseAway:
        raise
    except Exception as error:
        return await _faulty(ctx, asked, translated(error, ctx.request_id))


async def _faulty(ctx: Context, asked: Call, told: FHIRError) -> Entry:
    """What no interaction foresaw fails alone too: what other entries did must be told."""
    try:
        await record_refusal(ctx, asked, told)
    except FHIRError as error:
        return failed(error)
    return failed(told)
