"""The well-known documents, for any origin: they are read before anybody is known."""

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.auth.authority import Authority
from app.auth.discovery import (
    openid_configuration,
    resource_metadata,
    server_metadata,
    smart_configuration,
)

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
    """smart-configuration under the FHIR base; under the issuer what others look for.

    JSON whatever the Accept header says. Mount it before the FHIR routes, which match any path.
    """
    router = APIRouter(include_in_schema=False)

    def publish(path: str, document: dict[str, Any]) -> None:
        async def get(_: Request) -> Response:
            return JSONResponse(document, headers=ANY_ORIGIN)

        async def preflight(_: Request) -> Response:
            return Response(status_code=204, headers=PREFLIGHT)

        router.add_route(path, get, methods=["GET"])
        router.add_route(path, preflight, methods=["OPTIONS"])

    base, issuer = urlsplit(authority.audience).path, urlsplit(authority.issuer).path
    publish(f"{base}/.well-known/smart-configuration", smart_configuration(authority))
    # RFC 8414 3.1: the well-known part goes between the issuer's host and its path.
    publish(f"/.well-known/oauth-authorization-server{issuer}", server_metadata(authority))
    publish(f"/.well-known/oauth-protected-resource{base}", resource_metadata(authority))
    # OpenID Connect Discovery 4: after the issuer, path included.
    publish(f"{issuer}/.well-known/openid-configuration", openid_configuration(authority))
    return router
