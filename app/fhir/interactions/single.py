"""FHIR create, update, patch and delete: each a transaction of one call.

https://hl7.org/fhir/R4/http.html#create, #update, #patch, #delete
"""

from collections.abc import Sequence

from app.fhir import json
from app.fhir.change import Change, Committed
from app.fhir.commit import commit, commit_planned
from app.fhir.context import Call, Context, Result
from app.fhir.disclose import statement
from app.fhir.errors import Issue, operation_outcome
from app.fhir.hidden import hidden
from app.fhir.interactions import write
from app.fhir.interactions.condition import lock, unlock
from app.fhir.interactions.conditional import Resolved, names, planned, present, resolve
from app.fhir.profiles import warn


async def change(ctx: Context, call: Call) -> Result:
    """Make the change that the call asks for, or find that it was made.

    201 for what is new, 200 for what was changed or was there, 204 for what is gone.
    """
    if not names(call):
        return await result_of(ctx, call, await commit(ctx, [await planned(ctx, call)]))
    resolved = Resolved(())

    async def plan(within: Context) -> Sequence[Change]:
        nonlocal resolved
        await lock(within, names(call))
        resolved = await resolve(within, call)
        changes = [await planned(within, each) for each in resolved.calls]
        await unlock(within)
        return changes

    committed = await commit_planned(ctx, plan, 1)
    if resolved.found is not None:
        return await present(ctx, call, resolved.found)
    return await result_of(ctx, call, committed)


async def result_of(ctx: Context, call: Call, committed: Sequence[Committed]) -> Result:
    """What the changes of one call answer: a delete may have none, or several."""
    if len(committed) == 1:
        done = committed[0]
        masked = await hidden(ctx, [write.row_of(done)])
        return write.result(ctx, call, done, masked, await _warnings(ctx, call, done))
    body = None
    if call.prefer.returns == "OperationOutcome":
        said = Issue("informational", f"{len(committed)} deleted.", (), "information")
        body = statement(operation_outcome([said]))
    about = {patient for done in committed for patient in done.about}
    return Result(
        status=200 if body else 204,
        body=body,
        patients=tuple(sorted(about)),
        is_recorded=bool(committed),
    )


async def _warnings(ctx: Context, call: Call, done: Committed) -> list[Issue]:
    """What the profiles that the new version claims find, for who asks for an OperationOutcome."""
    if call.prefer.returns != "OperationOutcome" or done.body is None:
        return []
    return await warn(ctx, json.parse(done.body.encode()))
