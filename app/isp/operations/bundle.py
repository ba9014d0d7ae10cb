"""$isp-bundle, also known as $all-eltss-careplan. docs/operations/isp-bundle.md

The second name is that of a draft operation of https://hl7.org/fhir/us/eltss/
"""

from app.fhir.context import Call, Context, Result
from app.fhir.disclose import bundle
from app.fhir.engine import Operation
from app.fhir.operations.parameters import Kinds, parameters_of
from app.isp.belonging import belonging
from app.isp.codes import DEFINITION
from app.isp.operations.gathered import gather

KINDS: Kinds = {}


async def run(ctx: Context, call: Call) -> Result:
    """A collection of the plan and all that belongs to it, as far as it is visible: 200.

    Raises BadRequest for any parameter, NotFound and Gone as a read does.
    """
    parameters_of(call, KINDS)
    found = await gather(ctx, call)
    entries = found.entries(ctx.base_url, belonging(found.plan(str(call.id))))
    body = bundle("collection", entries)
    about, by = found.patients, found.consents
    return Result(200, body, type=call.type, id=call.id, patients=about, consents=by)


OPERATION = Operation(
    name="isp-bundle",
    definition=f"{DEFINITION}/CarePlan-isp-bundle",
    levels=frozenset({"instance"}),
    types=frozenset({"CarePlan"}),
    letter="r",
    run=run,
)
ALL = [
    OPERATION,
    Operation(
        name="all-eltss-careplan",
        definition=f"{DEFINITION}/CarePlan-all-eltss-careplan",
        levels=OPERATION.levels,
        types=OPERATION.types,
        letter="r",
        run=run,
    ),
]
