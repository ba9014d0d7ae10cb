"""The well-known documents, for any origin: they are read before anybody is known."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.auth.authority import Authority
from app.auth.discovery import server_metadata, smart_configuration
from app.settings import FHIR_PATH

ANY_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=300",
}
PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "*",
}


def discovery_router(authority: Authority) -> APIRouter:
    """smart-configuration under the FHIR base, oauth-authorization-server under the issuer.

    JSON whatever the Accept header says. Mount it before the FHIR routes, which match any path.
    """
    router = APIRouter(include_in_schema=False)

    def publish(path: str, document: dict[str, Any]) -> None:
        async def get() -> Response:
            return JSONResponse(document, headers=ANY_ORIGIN)

        async def preflight() -> Response:
            return Response(status_code=204, headers=PREFLIGHT)

        router.add_api_route(path, get, methods=["GET"])
        router.add_api_route(path, preflight, methods=["OPTIONS"])

    publish(f"{FHIR_PATH}/.well-known/smart-configuration", smart_configuration(authority))
    publish("/.well-known/oauth-authorization-server", server_metadata(authority))
    return router
