"""$isp-activate, $isp-suspend, $isp-revoke. docs/operations/isp-activate.md"""

from collections.abc import Sequence
from functools import partial

from app.fhir.context import Call, Context, Resource, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest
from app.fhir.operations.parameters import posted_parameters_of, required
from app.isp.act import Act, provenance
from app.isp.close import beginning, succeeded
from app.isp.codes import DEFINITION
from app.isp.lifecycle import ACTIVATE, REVOKE, SUSPEND, Move, moved
from app.isp.operations.whole import acting, write_plan
from app.isp.plan import Plan
from app.isp.proposal import called_off

KINDS = {"reason": ("valueString", "valueMarkdown")}


async def run(move: Move, ctx: Context, call: Call) -> Result:
    """Move the plan, and write who did it, at once: 200.

    Raises BadRequest without If-Match or a reason where one is needed, PreconditionFailed when it
    names another version, Unprocessable where the move does not lead from the state of the plan;
    whether the plan may be in its new state, `commit` decides as for every writer.
    """
    given = posted_parameters_of(call, KINDS)
    if call.conditions.if_match is None:
        raise BadRequest("Say in If-Match which version of the plan you saw.", code="required")
    is_needed = move is not ACTIVATE or "reason" in given
    reason = str(required(given, "reason")) if is_needed else None
    act = acting(ctx)
    return await write_plan(ctx, call, lambda plan: _moved(plan, move, act, reason))


def _moved(plan: Plan, move: Move, act: Act, reason: str | None) -> Sequence[Resource]:
    """The plan and its Provenance first, then what begins, and what ends, with it."""
    made, before = moved(plan.care_plan, move), plan.care_plan.get("status")
    is_resumed = move is ACTIVATE and before == "on-hold"
    activity = "resume" if is_resumed else move.name
    others: list[Resource] = []
    if move is ACTIVATE:
        others = [*(() if is_resumed else beginning(plan)), *succeeded(plan, act.today)]
    elif move is REVOKE:
        others = [*called_off(plan, reason or "")]
    return [made, provenance(act, activity, [made, *others], reason), *others]


ALL = [
    Operation(
        name=f"isp-{move.name}",
        definition=f"{DEFINITION}/CarePlan-isp-{move.name}",
        levels=frozenset({"instance"}),
        types=frozenset({"CarePlan"}),
        letter="u",
        run=partial(run, move),
    )
    for move in (ACTIVATE, SUSPEND, REVOKE)
]
