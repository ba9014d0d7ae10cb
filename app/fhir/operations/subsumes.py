"""CodeSystem/$subsumes — https://hl7.org/fhir/R4/codesystem-operation-subsumes.html"""

from app.fhir.context import Call, Context, Result
from app.fhir.disclose import statement
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, NotFound, Unprocessable
from app.fhir.operations.parameters import parameters_of
from app.fhir.operations.terminology_input import code_system, codes
from app.fhir.terminology.code_system import CodeSystem

KINDS = {
    "codeA": ("valueCode", "valueString"),
    "codeB": ("valueCode", "valueString"),
    "system": ("valueUri", "valueUrl"),
    "version": ("valueString",),
    "codingA": ("valueCoding",),
    "codingB": ("valueCoding",),
}


async def run(ctx: Context, call: Call) -> Result:
    """How two codes of one code system relate: 200 with Parameters.

    Raises NotFound where the system or a code is not held, Unprocessable for a system that has no
    hierarchy of meaning.
    """
    given = parameters_of(call, KINDS)
    [a, *_], [b, *_] = codes(given, suffix="A"), codes(given, suffix="B")
    if a.system != b.system:
        raise BadRequest("Both codes must be of one code system.")
    system = await code_system(ctx, call, a.system)
    if not system.is_hierarchy:
        raise Unprocessable(f"{system.url} says of no code that it is more general than another.")
    answer = {
        "resourceType": "Parameters",
        "parameter": [{"name": "outcome", "valueCode": _outcome(system, a.code, b.code)}],
    }
    return Result(200, statement(answer))


def _outcome(system: CodeSystem, one: str, other: str) -> str:
    """https://hl7.org/fhir/R4/valueset-concept-subsumption-outcome.html"""
    a, b = system.find(one), system.find(other)
    if a is None or b is None:
        raise NotFound(f"{system.url} has no such code.")
    if a.code == b.code:
        return "equivalent"
    if a.code in system.above(b.code):
        return "subsumes"
    return "subsumed-by" if b.code in system.above(a.code) else "not-subsumed"


OPERATION = Operation(
    name="subsumes",
    definition="http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes",
    levels=frozenset({"type", "instance"}),
    types=frozenset({"CodeSystem"}),
    letter="",
    run=run,
)
