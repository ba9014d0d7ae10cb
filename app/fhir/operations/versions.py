"""$versions: the versions of FHIR that are spoken here.

https://hl7.org/fhir/R4/capabilitystatement-operation-versions.html
"""

from app.fhir.capability import FHIR_VERSION
from app.fhir.context import Call, Context, Result
from app.fhir.disclose import statement
from app.fhir.engine import Operation
from app.fhir.shape import check_none

SHORT = FHIR_VERSION.rpartition(".")[0]


async def run(ctx: Context, call: Call) -> Result:
    """Parameters with version and default: 200."""
    check_none(call.query)
    parts = [{"name": name, "valueCode": SHORT} for name in ("version", "default")]
    return Result(200, statement({"resourceType": "Parameters", "parameter": parts}))


OPERATION = Operation(
    name="versions",
    definition="http://hl7.org/fhir/OperationDefinition/CapabilityStatement-versions",
    levels=frozenset({"system"}),
    types=frozenset(),
    letter="",
    run=run,
)
