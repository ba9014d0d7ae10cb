"""$isp-sign: to sign a plan, or to refuse. docs/operations/isp-sign.md"""

from app.fhir.commit import commit
from app.fhir.context import Call, Context, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Forbidden
from app.fhir.interactions.single import answered
from app.fhir.operations.asked import needed, sent
from app.fhir.operations.written import author, created
from app.isp.codes import DEFINITION
from app.isp.operations.whole import refuse_hidden, stored_plan
from app.isp.sign import CONSENT, Signer, refusal, signature

KINDS = {"type": ("valueCode",), "refusal": ("valueString", "valueMarkdown")}
PEOPLE = ("Patient", "RelatedPerson", "Practitioner", "PractitionerRole")
SIGNATURE_TYPES = frozenset(f"1.2.840.10065.1.12.1.{number}" for number in range(1, 19))
"""https://hl7.org/fhir/R4/valueset-signature-type.html"""


async def run(ctx: Context, call: Call) -> Result:
    """Write the Provenance of the signature, or of the refusal: 201.

    Raises Forbidden where the token stands for no person, PreconditionFailed when If-Match names
    another version, Unprocessable for a plan that is over.
    """
    given = sent(call, KINDS)
    who, kind = author(ctx.agent, *PEOPLE), str(given.get("type", CONSENT))
    if who is None:
        raise Forbidden("A person signs: this token stands for nobody (it has no fhirUser).")
    if kind not in SIGNATURE_TYPES:
        raise BadRequest("type: a code of urn:iso-astm:E1762-95:2013.", code="code-invalid")
    plan = await stored_plan(ctx, call)
    signer = Signer(who, ctx.now, kind)
    if "refusal" in given:
        made = refusal(plan, signer, str(needed(given, "refusal")))
    else:
        made = signature(plan, signer)
    await refuse_hidden(ctx, [made], [made])
    return await answered(ctx, call, await commit(ctx, [created(ctx, made)]))


OPERATION = Operation(
    name="isp-sign",
    definition=f"{DEFINITION}/CarePlan-isp-sign",
    levels=frozenset({"instance"}),
    types=frozenset({"CarePlan"}),
    letter="r",
    run=run,
)
