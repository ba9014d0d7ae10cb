"""$isp-sign: to sign a plan, or to refuse. docs/operations/isp-sign.md"""

from collections.abc import Sequence

from app.fhir.context import Call, Context, Resource, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Forbidden
from app.fhir.interactions import single
from app.fhir.operations.parameters import posted_parameters_of, required
from app.fhir.operations.written import author
from app.fhir.routing import authorize
from app.isp.codes import DEFINITION
from app.isp.operations.whole import commit_plan, organization_of
from app.isp.plan import Plan
from app.isp.proposal import closed_asks
from app.isp.sign import CONSENT, Signer, refusal, signature

KINDS = {"type": ("valueCode",), "refusal": ("valueString", "valueMarkdown")}
PEOPLE = ("Patient", "RelatedPerson", "Practitioner", "PractitionerRole")
SIGNATURE_TYPES = frozenset(f"1.2.840.10065.1.12.1.{number}" for number in range(1, 19))
"""https://hl7.org/fhir/R4/valueset-signature-type.html"""


async def run(ctx: Context, call: Call) -> Result:
    """Write the Provenance of the signature, or of the refusal, and close what asked for it: 201.

    Raises Forbidden where the token stands for no person, PreconditionFailed when If-Match names
    another version, Unprocessable for a plan that is over.
    """
    given = posted_parameters_of(call, KINDS)
    who, kind = author(ctx.agent, *PEOPLE), str(given.get("type", CONSENT))
    if who is None:
        raise Forbidden("A person signs: this token stands for nobody (it has no fhirUser).")
    if kind not in SIGNATURE_TYPES:
        raise BadRequest("type: a code of urn:iso-astm:E1762-95:2013.", code="code-invalid")
    signer, may_answer = Signer(who, ctx.now, kind, organization_of(ctx)), _may_answer(ctx)

    def make(plan: Plan) -> Sequence[Resource]:
        if "refusal" in given:
            made = refusal(plan, signer, str(required(given, "refusal")))
        else:
            made = signature(plan, signer)
        return [made, *(closed_asks(plan, who["reference"], made) if may_answer else ())]

    done = await commit_plan(ctx, call, make)
    return await single.result_of(ctx, call, done[:1])


def _may_answer(ctx: Context) -> bool:
    """Whether the token may close the Task that asked for the signature; signing needs it not."""
    try:
        authorize(ctx, "u", "Task")
    except Forbidden:
        return False
    return True


OPERATION = Operation(
    name="isp-sign",
    definition=f"{DEFINITION}/CarePlan-isp-sign",
    levels=frozenset({"instance"}),
    types=frozenset({"CarePlan"}),
    letter="r",
    run=run,
)
