"""$disclosures: who saw a person's record, what of it, when, and what for.

docs/operations/disclosures.md, 45 CFR 164.528, 42 CFR 2.25
"""

from dataclasses import replace

from app.fhir.context import Call, Context, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest
from app.fhir.interactions.search import search_type
from app.fhir.routing import authorize
from app.fhir.shape import REPRESENTATION
from app.fhir.validation.structure import validate

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
    given = _sent(call) if call.body is not None else [(name, text) for name, text in call.query]
    wanted = [("patient", f"Patient/{call.id}"), *DISCLOSED]
    seen = set()
    for name, text in given:
        if name in REPRESENTATION:
            continue
        if name not in KINDS or name in seen:
            raise BadRequest(f"{name}: give since, until and _count, each once.", code="value")
        seen.add(name)
        to, prefix = AS_ASKED[name]
        wanted.append((to, f"{prefix}{text}"))
    search = Call("search-type", "AuditEvent", query=tuple(wanted), prefer=call.prefer)
    return replace(await search_type(ctx, search), type="Patient", id=call.id)


def _sent(call: Call) -> list[tuple[str, str]]:
    body = call.body
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters" or call.query:
        raise BadRequest("Send Parameters, and nothing in the URL.", code="structure")
    issues = [one for one in validate(body, "Parameters") if one.severity == "error"]
    if issues:
        raise BadRequest("The Parameters are not valid.", issues=issues)
    return [_part(part) for part in body.get("parameter", [])]


def _part(part: dict[str, object]) -> tuple[str, str]:
    name = str(part["name"])
    values = [str(part[kind]) for kind in KINDS.get(name, ()) if kind in part]
    if not values:
        raise BadRequest(f"{name}: give since, until (dateTime) or _count (integer).", code="value")
    return name, values[0]


OPERATION = Operation(
    name="disclosures",
    definition="https://isp-fhir.example/OperationDefinition/Patient-disclosures",
    levels=frozenset({"instance"}),
    types=frozenset({"Patient"}),
    letter="",
    run=run,
)
