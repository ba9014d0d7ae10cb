"""$isp-renew: the plan of the next year. docs/operations/isp-renew.md"""

from app.fhir.context import Call, Context, Result
from app.fhir.engine import Operation
from app.fhir.operations.parameters import day_of, posted_parameters_of
from app.isp.codes import DEFINITION
from app.isp.element import names
from app.isp.operations.whole import acting, write_plan
from app.isp.renew import Renewal, renewed
from app.isp.rules.profiles import DEFAULT, profile

KINDS = {"start": ("valueDate",), "goal": ("valueReference",)}


async def run(ctx: Context, call: Call) -> Result:
    """Write the draft that replaces the plan, with what is carried over: 201.

    Raises Unprocessable for a plan that is not in force, is followed by another already, or is not
    shown to the caller as a whole.
    """
    given, act = posted_parameters_of(call, KINDS, many="goal"), acting(ctx)
    asked = Renewal(
        day_of(given, "start", act.today) if "start" in given else None,
        frozenset(names(given["goal"])) if "goal" in given else None,
    )
    limits = profile(DEFAULT).limits
    return await write_plan(
        ctx, call, lambda plan: renewed(plan, asked, limits, act), 201, is_copied=True
    )


OPERATION = Operation(
    name="isp-renew",
    definition=f"{DEFINITION}/CarePlan-isp-renew",
    levels=frozenset({"instance"}),
    types=frozenset({"CarePlan"}),
    letter="c",
    run=run,
)
