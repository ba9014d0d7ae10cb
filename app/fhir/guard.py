"""Guards: what must hold of the records as a whole, judged inside the transaction of a change."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.fhir.access import Everything
from app.fhir.change import Written
from app.fhir.context import Context
from app.fhir.sharing import Key
from app.fhir.step import Step
from app.storage.database import Connection


async def guard(
    ctx: Context, connection: Connection, steps: Sequence[Step], requests: Mapping[Key, str]
) -> None:
    """Let every guard of the engine judge what is about to be committed; each may refuse it.

    `requests` are the ids of the requests, by the type and id of what they change.

    What must hold, holds of records that this caller may not see as well: a guard reads them all,
    within the transaction, and tells of nothing but the rule that stops the change.
    """
    if not ctx.engine.guards:
        return
    written = [_written(step, requests[step.draft.key]) for step in steps]
    whole = Everything("what must hold does not depend on who looks")
    within = replace(ctx, connection=connection, access={"r": whole, "s": whole})
    for each in ctx.engine.guards:
        await each(within, written)


def _written(step: Step, request_id: str) -> Written:
    before, done = step.current, step.committed
    return Written(
        done.type,
        done.id,
        tuple(sorted({*done.about, *(before.about if before else ())})),
        before.body if before else None,
        done.body,
        step.draft.change.at or done.type,
        request_id,
    )
