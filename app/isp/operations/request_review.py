"""$isp-request-review: to look at the plan again. docs/operations/isp-request-review.md"""

from app.fhir.commit import commit
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.engine import Operation
from app.fhir.errors import Gone, NotFound, Unprocessable
from app.fhir.interactions.read import read
from app.fhir.interactions.single import result_of
from app.fhir.operations.parameters import posted_parameters_of, required
from app.fhir.operations.written import author, created, stored
from app.isp.codes import DEFINITION
from app.isp.element import names
from app.isp.request import review_request
from app.isp.rules.profiles import DEFAULT, profile

KINDS = {"reason": ("valueString", "valueMarkdown")}
ASKING = (
    "Patient",
    "RelatedPerson",
    "Practitioner",
    "PractitionerRole",
    "Organization",
)


async def run(ctx: Context, call: Call) -> Result:
    """Make the Task: 201. Raises BadRequest without a reason, and as `review_request` does."""
    reason = str(required(posted_parameters_of(call, KINDS), "reason"))
    plan = await stored(ctx, call)
    requester = author(ctx.agent, *ASKING)
    if requester is None:
        raise Unprocessable("The token stands for nobody who could ask for a review.")
    days = profile(DEFAULT).limits["request_days"]
    task = review_request(plan, reason, requester, ctx.now, days)
    owner = await _owner(ctx, plan)
    return await result_of(ctx, call, await commit(ctx, [created(ctx, task | owner)]))


async def _owner(ctx: Context, plan: Resource) -> dict[str, dict[str, str]]:
    """Who answers for the plan, if the caller may know them: a request never fails for that."""
    for author_ in names(plan.get("author")):
        type_, _, id_ = author_.partition("/")
        try:
            await read(ctx, Call("read", type_, id_))
        except (NotFound, Gone):
            continue
        return {"owner": {"reference": author_}}
    return {}


OPERATION = Operation(
    name="isp-request-review",
    definition=f"{DEFINITION}/CarePlan-isp-request-review",
    levels=frozenset({"instance"}),
    types=frozenset({"CarePlan"}),
    letter="r",
    run=run,
)
