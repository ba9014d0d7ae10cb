"""FHIR capabilities — https://hl7.org/fhir/R4/http.html#capabilities"""

from app.fhir import guides
from app.fhir.capability import capability_statement
from app.fhir.context import Call, Context, Resource, Result
from app.fhir.disclose import statement
from app.fhir.engine import Engine
from app.fhir.errors import BadRequest
from app.fhir.shape import shape
from app.fhir.terminology.capabilities import terminology_capabilities

MODES = ("full", "normative", "terminology")


async def capabilities(ctx: Context, call: Call) -> Result:
    """What this server can do, computed from the switchboard and the registry; for everyone.

    `mode=terminology` answers with TerminologyCapabilities instead; the other modes do not differ.
    """
    shape(call.query, ("mode",))
    mode = dict(call.query).get("mode", "full")
    if mode not in MODES:
        raise BadRequest(f"mode: one of {', '.join(MODES)}.", code="value", expression=["mode"])
    made = _terminology(ctx) if mode == "terminology" else _full(ctx)
    return Result(200, statement(made))


def _full(ctx: Context) -> Resource:
    engine = ctx.engine
    profiles = tuple(_profiles(engine))
    return capability_statement(
        engine.routes, engine.operations, ctx.base_url, engine.policy, profiles
    )


def _profiles(engine: Engine) -> list[tuple[str, str]]:
    return [
        (one["type"], url)
        for url, one in (*engine.definitions.items(), *guides.definitions().items())
        if one["resourceType"] == "StructureDefinition" and one["kind"] == "resource"
    ]


def _terminology(ctx: Context) -> Resource:
    found = (*ctx.engine.definitions.values(), *guides.definitions().values())
    return terminology_capabilities(
        ctx.base_url, [one for one in found if one["resourceType"] == "CodeSystem"]
    )
