"""$isp-discharge: the plan ends, and what comes afterwards. docs/operations/isp-discharge.md"""

from app.fhir.context import Call, Context, Result
from app.fhir.engine import Operation
from app.fhir.operations.parameters import posted_parameters_of, required
from app.isp.codes import DEFINITION
from app.isp.discharge import Discharge, discharged
from app.isp.operations.whole import acting, write_plan

KINDS = {
    "reason": ("valueString", "valueMarkdown"),
    "summary": ("valueString", "valueMarkdown"),
    "followUp": ("valueDateTime",),
}


async def run(ctx: Context, call: Call) -> Result:
    """Complete the plan and all that it holds, and write the summary: 200.

    Raises BadRequest without a reason, Unprocessable with all that the discharge still lacks.
    """
    given, act = posted_parameters_of(call, KINDS), acting(ctx)
    asked = Discharge(
        str(required(given, "reason")),
        str(required(given, "summary")) if "summary" in given else None,
        str(required(given, "followUp")) if "followUp" in given else None,
    )
    return await write_plan(ctx, call, lambda plan: discharged(plan, asked, act))


OPERATION = Operation(
    name="isp-discharge",
    definition=f"{DEFINITION}/CarePlan-isp-discharge",
    levels=frozenset({"instance"}),
    types=frozenset({"CarePlan"}),
    letter="u",
    run=run,
)
