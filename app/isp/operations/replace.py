"""$isp-replace: a goal gives way to another one. docs/operations/isp-replace.md"""

from collections.abc import Sequence
from typing import Any

from app.fhir.change import Change
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest
from app.fhir.operations.parameters import posted_parameters_of, required
from app.fhir.operations.written import answer, updated, write
from app.isp.codes import DEFINITION
from app.isp.element import name
from app.isp.operations.whole import acting, change_to, refuse_hidden, stored_around
from app.isp.replace import replaced_goal

KINDS = {"goal": ("resource",), "reason": ("valueString", "valueMarkdown")}


async def run(ctx: Context, call: Call) -> Result:
    """Write the new goal, cancel the old one, lead services and steps to the new: 200.

    Raises BadRequest without a goal or a reason, Unprocessable for a goal that has ended or is
    not shown to the caller as a whole.
    """
    given, act = posted_parameters_of(call, KINDS), acting(ctx)
    wanted, reason = _goal(given), str(required(given, "reason"))

    async def plan(goal: Resource) -> Sequence[Change]:
        others = tuple(await stored_around(ctx, "Goal", goal["id"]))
        await refuse_hidden(ctx, [goal])
        made = replaced_goal(goal, wanted, others, reason, act)
        own = f"{call.type}/{call.id}"
        return [updated(ctx, call, o) if name(o) == own else change_to(ctx, o) for o in made]

    return await answer(ctx, call, await write(ctx, call, plan))


def _goal(given: dict[str, Any]) -> Resource:
    goal = given.get("goal")
    if not isinstance(goal, dict) or goal.get("resourceType") != "Goal":
        raise BadRequest("goal: the new Goal, as a resource.", code="required")
    return goal


OPERATION = Operation(
    name="isp-replace",
    definition=f"{DEFINITION}/Goal-isp-replace",
    levels=frozenset({"instance"}),
    types=frozenset({"Goal"}),
    letter="u",
    run=run,
)
