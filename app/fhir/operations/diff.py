"""$diff: the FHIRPath Patch from one version of a resource to another. docs/operations/diff.md"""

from app.fhir import json
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import derived
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest
from app.fhir.interactions.read import read, vread
from app.fhir.operations.parameters import Kinds, parameters_of
from app.fhir.patch.difference import difference
from app.fhir.registry import STORED
from app.fhir.registry import read as definitions

KINDS: Kinds = {
    "from": ("valueString", "valueId", "valueInteger"),
    "to": ("valueString", "valueId", "valueInteger"),
}
URL = "https://isp-fhir.example/OperationDefinition/Resource-diff"


async def run(ctx: Context, call: Call) -> Result:
    """Parameters that, sent as a PATCH of the first version, make the second of it: 200.

    Both as they are shown to the caller. Raises BadRequest for what cannot be read, NotFound for a
    version that is not visible, Gone for one that is a deletion.
    """
    given = parameters_of(call, KINDS)
    current = await read(ctx, Call("read", call.type, call.id))
    last = await vread(ctx, _version(call, given["to"])) if "to" in given else current
    first = await vread(ctx, _version(call, given["from"] if "from" in given else _before(last)))
    old, new = (_resource(each) for each in (first, last))
    parts = list(difference(old, new))
    made = {"resourceType": "Parameters", **({"parameter": parts} if parts else {})}
    return Result(200, derived(made), type=call.type, id=call.id, patients=current.patients)


def _version(call: Call, version: object) -> Call:
    return Call("vread", call.type, call.id, str(version))


def _before(last: Result) -> int:
    """The version before, where it is not said which."""
    number = int(last.version or 0)
    if number < 2:
        raise BadRequest("This is the first version: there is none before it.", code="value")
    return number - 1


def _resource(result: Result) -> Resource:
    found: Resource = json.parse(result.content)
    return found


OPERATION = Operation(
    name="diff",
    definition=URL,
    levels=frozenset({"instance"}),
    types=STORED - {"AuditEvent"},
    letter="r",
    run=run,
)
DEFINITION: Resource = definitions("own-operations")[URL]
