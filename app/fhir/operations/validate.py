"""$validate — https://hl7.org/fhir/R4/resource-operation-validate.html"""

from dataclasses import replace
from typing import Any

from app.fhir import json
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import statement
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Issue, operation_outcome
from app.fhir.interactions.read import read
from app.fhir.interactions.write import SERVER_ONLY
from app.fhir.model import second_opinion
from app.fhir.operations.parameters import parameters_of, text_of
from app.fhir.profiles import claimed, judge
from app.fhir.registry import STORED
from app.fhir.routing import authorize
from app.fhir.validation.structure import validate

PASSED = Issue("informational", "Nothing was found wrong.", (), "information")
KINDS = {
    "resource": ("resource",),
    "mode": ("valueCode", "valueString"),
    "profile": ("valueUri", "valueCanonical", "valueUrl"),
}
MODES = ("create", "update", "delete", "profile")


async def run(ctx: Context, call: Call) -> Result:
    """Check a resource without storing it: 200 with an OperationOutcome, whatever was found.

    Judged by R4, by the profiles it claims and the one that is asked for. What only the reference
    model finds is a warning. On an instance without a body, the stored resource is judged.
    """
    given = _given(call)
    mode = text_of("mode", given.get("mode"))
    if mode is not None and mode not in MODES:
        raise BadRequest(f"mode: one of {', '.join(MODES)}.", code="value")
    stored = await _stored(ctx, call)
    resource = given.get("resource", json.parse(stored.content) if stored else None)
    if mode == "delete":
        return _answer([_deletable(ctx, call)], stored)
    if not isinstance(resource, dict) or resource.get("resourceType") != call.type:
        raise BadRequest(f"Send a {call.type}, or Parameters with a {call.type} named resource.")
    issues = await _issues(ctx, call, resource, text_of("profile", given.get("profile")))
    return _answer(issues, stored)


def _given(call: Call) -> dict[str, Any]:
    """The parameters; a body that is a resource itself is the one to judge."""
    body = call.body
    if isinstance(body, dict) and body.get("resourceType") == "Parameters":
        return parameters_of(call, KINDS, is_checked=False)
    query = Call(call.interaction, call.type, call.id, operation=call.operation, query=call.query)
    found = parameters_of(query, KINDS, is_checked=False)
    return found if body is None else {**found, "resource": body}


async def _stored(ctx: Context, call: Call) -> Result | None:
    """The resource the operation is called on, if it is called on one; as a read has it."""
    if call.id is None:
        authorize(ctx, "c", call.type)
        return None
    authorize(ctx, "r", call.type)
    return await read(ctx, Call("read", call.type, call.id))


def _deletable(ctx: Context, call: Call) -> Issue:
    if call.id is None:
        raise BadRequest("mode=delete is asked of a resource: [type]/[id]/$validate.")
    if call.type in SERVER_ONLY:
        return Issue("business-rule", f"{call.type} is written by the server alone.")
    authorize(ctx, "d", call.type)
    return Issue("informational", "It can be deleted.", (), "information")


async def _issues(ctx: Context, call: Call, resource: Resource, profile: str | None) -> list[Issue]:
    found = [*validate(resource, resource["resourceType"])]
    found += [issue for rule in ctx.engine.rules for issue in rule(resource)]
    if call.id is not None and resource.get("id") != call.id:
        found.append(Issue("value", f"Must be the id of the URL: {call.id}.", (f"{call.type}.id",)))
    if any(issue.severity == "error" for issue in found):
        return found
    urls = [*claimed(resource), *([profile] if profile else [])]
    found += await judge(ctx, resource, urls)
    return found + second_opinion(resource)


def _answer(issues: list[Issue], of: Result | None) -> Result:
    """What is wrong, and of which stored resource that tells something."""
    said = Result(200, statement(operation_outcome(issues or [PASSED])))
    if of is None:
        return said
    return replace(said, type=of.type, id=of.id, patients=of.patients, consents=of.consents)


OPERATION = Operation(
    name="validate",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-validate",
    levels=frozenset({"type", "instance"}),
    types=STORED,
    letter="",
    run=run,
)
