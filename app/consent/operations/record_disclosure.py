"""$recordDisclosure: what was told outside of this server. docs/operations/record-disclosure.md"""

from collections.abc import Mapping
from typing import Any

from app.consent.operations.deciding import decides
from app.consent.purpose import PURPOSES
from app.fhir.audit_disclosure import Disclosure, disclosure_row
from app.fhir.context import Call, Context, Result
from app.fhir.disclose import statement
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Forbidden, Issue, operation_outcome
from app.fhir.instant import to_text
from app.fhir.interactions.read import current
from app.fhir.operations.parameters import posted_parameters_of, required
from app.fhir.references import local
from app.fhir.search.parameters.date import interval

KINDS = {
    "patient": ("valueReference", "valueString"),
    "recipient": ("valueReference", "valueString"),
    "purpose": ("valueCode", "valueString"),
    "description": ("valueString", "valueMarkdown"),
    "occurred": ("valueDateTime", "valueDate", "valueString"),
    "consent": ("valueReference", "valueString"),
}


async def run(ctx: Context, call: Call) -> Result:
    """Write the AuditEvent: 201, durable before the answer leaves.

    Raises BadRequest for parameters, NotFound for a patient or Consent that is not seen, Forbidden
    for who does not keep the record.
    """
    given = posted_parameters_of(call, KINDS)
    patient = await _known(ctx, required(given, "patient"), "Patient")
    if not await decides(ctx, patient):
        raise Forbidden("Disclosures are recorded by whoever keeps the record, or the person.")
    consent = None
    if "consent" in given:
        id_ = await _known(ctx, given["consent"], "Consent")
        consent = {"reference": f"Consent/{id_}"}
    told = Disclosure(
        patient=patient,
        recipient=_recipient(required(given, "recipient")),
        purpose=_purpose(required(given, "purpose")),
        description=str(required(given, "description")),
        occurred=_occurred(given.get("occurred", to_text(ctx.now))),
        consent=consent,
    )
    row = disclosure_row(ctx.agent, ctx.request_id, ctx.now, ctx.engine.base_url, told)
    await ctx.engine.audit.record([row])
    said = Issue("informational", f"AuditEvent/{row.id} created.", (), "information")
    location = f"{ctx.base_url}/AuditEvent/{row.id}"
    body = statement(operation_outcome([said]))
    return Result(201, body, location=location, is_recorded=True)


async def _known(ctx: Context, value: Any, type_: str) -> str:
    """The logical id of a resource of this type that the caller sees."""
    found = local(value.get("reference") if isinstance(value, dict) else value, ctx.base_url)
    if found is None or found.type != type_:
        raise BadRequest(f"{type_.lower()}: refer to a {type_} of this server.", code="value")
    await current(ctx, Call("read", type_, found.id))
    return found.id


def _recipient(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"display": str(value)}


def _purpose(value: Any) -> str:
    if value not in PURPOSES:
        raise BadRequest("purpose: a code of v3-ActReason, as HLEGAL.", code="code-invalid")
    return str(value)


def _occurred(value: Mapping[str, Any] | str) -> str:
    try:
        interval(str(value))
    except ValueError:
        raise BadRequest("occurred: a dateTime, as 2026-11-22.", code="value") from None
    return str(value)


OPERATION = Operation(
    name="recordDisclosure",
    definition="https://isp-fhir.example/OperationDefinition/Consent-recordDisclosure",
    levels=frozenset({"type"}),
    types=frozenset({"Consent"}),
    letter="r",
    run=run,
)
