"""The well-known documents of a server that issues no tokens: they lead to who does."""

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.auth.authority import Authority
from app.auth.discovery import external_configuration, resource_metadata
from app.auth.outgoing import Unreachable
from app.routers.discovery import ANY_ORIGIN, PREFLIGHT


def resource_server_router(authority: Authority) -> APIRouter:
    """smart-configuration with the endpoints of the first issuer, and RFC 9728 metadata.

    503 while that issuer does not say where they are.
    """
    router = APIRouter(include_in_schema=False)

    async def smart_configuration() -> Response:
        try:
            said = await external_configuration(authority)
        except Unreachable:
            body: dict[str, Any] = {"error": "temporarily_unavailable"}
            return JSONResponse(body, 503, {**ANY_ORIGIN, "Cache-Control": "no-store"})
        return JSONResponse(said, headers=ANY_ORIGIN)

    async def metadata() -> Response:
        return JSONResponse(resource_metadata(authority), headers=ANY_ORIGIN)

    async def preflight() -> Response:
        return Response(status_code=204, headers=PREFLIGHT)

    base = urlsplit(authority.audience).path
    for path, answer in (
        (f"{base}/.well-known/smart-configuration", smart_configuration),
        (f"/.well-known/oauth-protected-resource{base}", metadata),
    ):
        router.add_api_route(path, answer, methods=["GET"])
        router.add_api_route(path, preflight, methods=["OPTIONS"])
    return router
