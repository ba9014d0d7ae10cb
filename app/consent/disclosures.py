"""$disclosures: who saw a person's record, what of it, when, and what for.

docs/operations/disclosures.md, 45 CFR 164.528, 42 CFR 2.25
"""

from dataclasses import replace

from app.fhir.context import Call, Context, Result
from app.fhir.engine import Operation
from app.fhir.interactions.search import search_type
from app.fhir.operations.parameters import parameters_of
from app.fhir.routing import authorize

KINDS = {
    "since": ("valueDateTime", "valueDate"),
    "until": ("valueDateTime", "valueDate"),
    "_count": ("valueInteger",),
}
AS_ASKED = {"since": ("date", "ge"), "until": ("date", "le"), "_count": ("_count", "")}
"""By parameter the one of the search, and its prefix."""

DISCLOSED = (("outcome", "0"), ("action", "R,E"), ("_sort", "-date"))
"""Reads and whatever else only looks, the newest first; refusals disclose nothing."""


async def run(ctx: Context, call: Call) -> Result:
    """A page of the AuditEvents about the patient: 200. Its links are those of an ordinary search.

    Raises Forbidden unless the caller may search AuditEvents, BadRequest for parameters.
    """
    authorize(ctx, "s", "AuditEvent")
    given = parameters_of(call, KINDS)
    asked = [(AS_ASKED[name], value) for name, value in given.items()]
    period = [(to, f"{prefix}{value}") for (to, prefix), value in asked]
    wanted = (("patient", f"Patient/{call.id}"), *DISCLOSED, *period)
    search = Call("search-type", "AuditEvent", query=wanted, prefer=call.prefer)
    return replace(await search_type(ctx, search), type="Patient", id=call.id)


OPERATION = Operation(
    name="disclosures",
    definition="https://isp-fhir.example/OperationDefinition/Patient-disclosures",
    levels=frozenset({"instance"}),
    types=frozenset({"Patient"}),
    letter="",
    run=run,
)
