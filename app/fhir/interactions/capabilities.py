"""FHIR capabilities — https://hl7.org/fhir/R4/http.html#capabilities"""

from app.fhir.capability import capability_statement
from app.fhir.context import Call, Context, Result
from app.fhir.disclose import statement
from app.fhir.shape import shape


async def capabilities(ctx: Context, call: Call) -> Result:
    """What this server can do, computed from the switchboard and the registry; for everyone."""
    shape(call.query, ("mode",))
    engine = ctx.engine
    made = capability_statement(engine.routes, engine.operations, ctx.base_url, engine.policy)
    return Result(200, statement(made))
