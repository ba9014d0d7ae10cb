"""$isp-normalize: activities become resources. docs/operations/isp-normalize.md"""

from app.fhir.context import Call, Context, Result
from app.fhir.engine import Operation
from app.fhir.operations.parameters import Kinds, posted_parameters_of
from app.isp.codes import DEFINITION
from app.isp.normalize import normalized
from app.isp.operations.whole import acting, write_plan

KINDS: Kinds = {}


async def run(ctx: Context, call: Call) -> Result:
    """Write the plan with references in place of details, and what they lead to: 200.

    Raises Unprocessable where there is no detail, or the plan is over.
    """
    posted_parameters_of(call, KINDS)
    act = acting(ctx)
    return await write_plan(ctx, call, lambda plan: normalized(plan, act))


OPERATION = Operation(
    name="isp-normalize",
    definition=f"{DEFINITION}/CarePlan-isp-normalize",
    levels=frozenset({"instance"}),
    types=frozenset({"CarePlan"}),
    letter="u",
    run=run,
)
