"""StructureDefinition/$snapshot: a profile with its snapshot.

https://hl7.org/fhir/R4/structuredefinition-operation-snapshot.html
"""

from app.fhir import json
from app.fhir.canonicals import find, plain
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import statement
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, NotFound, Unprocessable
from app.fhir.interactions.read import read
from app.fhir.operations.parameters import parameters_of, text_of
from app.fhir.profiles import definitions
from app.fhir.routing import authorize
from app.fhir.validation.snapshot import snapshot
from app.fhir.validation.structure import validate

KINDS = {"url": ("valueUri", "valueUrl", "valueCanonical"), "definition": ("resource",)}


async def run(ctx: Context, call: Call) -> Result:
    """The StructureDefinition with its snapshot: 200.

    Raises NotFound for one that is not held, Unprocessable where it builds on one that is not, or
    speaks of elements that do not exist.
    """
    asked = await _asked(ctx, call)
    if asked.get("derivation") != "constraint":
        raise Unprocessable("Only a profile, which constrains a type, gets a snapshot here.")
    url = plain(asked["url"])
    known = await definitions(ctx, [str(asked.get("baseDefinition", ""))], asked)
    try:
        made = snapshot(url, {**known.profiles, url: asked})
    except LookupError as error:
        said = f"{error.args[0]} is not held here, or is no element of the type."
        raise Unprocessable(said) from None
    return Result(200, statement({**asked, "snapshot": {"element": made}}))


async def _asked(ctx: Context, call: Call) -> Resource:
    if call.id is not None:
        authorize(ctx, "r", call.type)
        found = await read(ctx, Call("read", call.type, call.id))
        stored: Resource = json.parse(found.content)
        return stored
    given = parameters_of(call, KINDS)
    if "definition" in given:
        return _sent(given["definition"])
    url = text_of("url", given.get("url"))
    if not url:
        raise BadRequest("Name a profile: by url, or send it as definition.", code="required")
    held = await find(ctx, "StructureDefinition", url)
    if held is None:
        raise NotFound(f"The definition {url} is not held here.")
    return held


def _sent(resource: Resource) -> Resource:
    if issues := validate(resource, "StructureDefinition"):
        raise BadRequest("The StructureDefinition is not valid.", issues=issues)
    return resource


OPERATION = Operation(
    name="snapshot",
    definition="http://hl7.org/fhir/OperationDefinition/StructureDefinition-snapshot",
    levels=frozenset({"type", "instance"}),
    types=frozenset({"StructureDefinition"}),
    letter="",
    run=run,
)
