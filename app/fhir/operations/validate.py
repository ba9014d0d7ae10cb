"""$validate — https://hl7.org/fhir/R4/resource-operation-validate.html"""

from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import statement
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Issue, operation_outcome
from app.fhir.model import second_opinion
from app.fhir.registry import STORED
from app.fhir.shape import check_none
from app.fhir.validation.structure import validate

PASSED = Issue("informational", "Nothing was found wrong.", (), "information")


async def run(ctx: Context, call: Call) -> Result:
    """Check a resource without storing it: 200 with an OperationOutcome, whatever was found.

    Judged by our own compiled definitions; what only the reference model finds is a warning.
    """
    check_none(call.query)
    resource = _resource(call)
    issues = [*validate(resource, resource["resourceType"])]
    issues += [issue for rule in ctx.engine.rules for issue in rule(resource)]
    if not any(issue.severity == "error" for issue in issues):
        issues += second_opinion(resource)
    return Result(200, statement(operation_outcome(issues or [PASSED])))


def _resource(call: Call) -> Resource:
    body = call.body
    if isinstance(body, dict) and body.get("resourceType") == "Parameters":
        parts = body.get("parameter", [])
        named = [
            part for part in parts if isinstance(part, dict) and part.get("name") == "resource"
        ]
        body = named[0].get("resource") if named else None
    if not isinstance(body, dict) or body.get("resourceType") != call.type:
        raise BadRequest(f"Send a {call.type}, or Parameters with a {call.type} named resource.")
    return body


OPERATION = Operation(
    name="validate",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-validate",
    levels=frozenset({"type"}),
    types=STORED,
    letter="c",
    run=run,
)
