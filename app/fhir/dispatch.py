"""ROUTES: the switchboard. One row per interaction; five readers: HTTP, Bundle entries, the
CapabilityStatement, the SMART scope check and the audit trail.

https://hl7.org/fhir/R4/http.html#summary
"""

from app.fhir.context import Call, Context, Result
from app.fhir.engine import Route
from app.fhir.interactions.asynchronous import cancel, status
from app.fhir.interactions.bundle import bundle
from app.fhir.interactions.capabilities import capabilities
from app.fhir.interactions.history import history_instance, history_system, history_type
from app.fhir.interactions.read import read, vread
from app.fhir.interactions.search import search_system, search_type
from app.fhir.interactions.single import change
from app.fhir.routing import operation


async def operate(ctx: Context, call: Call) -> Result:
    """Run the operation the call names. https://hl7.org/fhir/R4/operations.html"""
    return await operation(ctx.engine.operations, call).run(ctx, call)


ROUTES = (
    Route("capabilities", "GET", "metadata", "", capabilities),
    Route("read", "GET", "[type]/[id]", "r", read),
    Route("vread", "GET", "[type]/[id]/_history/[vid]", "r", vread),
    Route("create", "POST", "[type]", "c", change),
    Route("update", "PUT", "[type]/[id]", "u", change),
    Route("update", "PUT", "[type]", "u", change),
    Route("patch", "PATCH", "[type]/[id]", "u", change),
    Route("patch", "PATCH", "[type]", "u", change),
    Route("delete", "DELETE", "[type]/[id]", "d", change),
    Route("delete", "DELETE", "[type]", "d", change),
    Route("history-instance", "GET", "[type]/[id]/_history", "r", history_instance),
    Route("history-type", "GET", "[type]/_history", "s", history_type),
    Route("history-system", "GET", "_history", "s", history_system),
    Route("search-type", "GET", "[type]", "s", search_type),
    Route("search-type", "POST", "[type]/_search", "s", search_type),
    Route("search-compartment", "GET", "[compartment]/[id]/[type]", "s", search_type),
    Route("search-compartment", "POST", "[compartment]/[id]/[type]/_search", "s", search_type),
    Route("search-compartment", "GET", "[compartment]/[id]/*", "s", search_system),
    Route("search-compartment", "POST", "[compartment]/[id]/*/_search", "s", search_system),
    Route("search-system", "GET", "", "s", search_system),
    Route("search-system", "POST", "_search", "s", search_system),
    Route("transaction", "POST", "", "", bundle),
    Route("batch", "POST", "", "", bundle),
    Route("operation", "POST", "$[operation]", "", operate),
    Route("operation", "POST", "[type]/$[operation]", "", operate),
    Route("operation", "POST", "[type]/[id]/$[operation]", "", operate),
    Route("operation", "GET", "$[operation]", "", operate),
    Route("operation", "GET", "[type]/$[operation]", "", operate),
    Route("operation", "GET", "[type]/[id]/$[operation]", "", operate),
    Route("asynchronous-status", "GET", "_async/[id]", "", status),
    Route("asynchronous-cancel", "DELETE", "_async/[id]", "", cancel),
)
