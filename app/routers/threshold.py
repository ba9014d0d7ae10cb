"""The root of the server: people go on to the web view, programs learn where FHIR is."""

from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app.auth.authority import Authority

HEADERS = {"Cache-Control": "no-store", "Vary": "Accept"}


def threshold_router(authority: Authority) -> APIRouter:
    """GET of the issuer itself."""
    router = APIRouter(include_in_schema=False)
    issuer, base = authority.issuer, authority.audience
    known = {
        "fhir": base,
        "capabilityStatement": f"{base}/metadata",
        "smartConfiguration": f"{base}/.well-known/smart-configuration",
        "web": f"{issuer}/app",
    }

    @router.get(f"{urlsplit(issuer).path}/")
    async def threshold(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"{issuer}/app", 303, HEADERS)
        return JSONResponse(known, headers=HEADERS)

    return router
