"""The OAuth endpoints over HTTP: a form in, JSON out, every decision audited before it leaves."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from fastapi import Request as HTTPRequest
from fastapi.responses import JSONResponse

from app.auth.access_token import Grant
from app.auth.authority import Authority, Event
from app.auth.client_authentication import Request, claimed_client
from app.auth.dpop import Presented
from app.auth.errors import OAuthError
from app.auth.introspect import introspect
from app.auth.pushed_requests import push
from app.auth.revoke import revoke
from app.auth.token import Answer, token
from app.fhir.errors import FHIRError, Unauthorized, Unavailable
from app.fhir.faults import translated
from app.fhir.ids import new_id
from app.routers import negotiation
from app.routers.forms import read_form

# RFC 6749 5.1 demands both of a response with a token.
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
JWKS_AGE = {"Cache-Control": "public, max-age=300"}

NOTHING: Mapping[str, str] = {}

Step = Callable[[Authority, Request], Awaitable[Answer]]


def oauth_router(authority: Authority) -> APIRouter:
    """auth/token, auth/par, auth/revoke, auth/introspect and auth/jwks under the issuer."""
    root = f"{urlsplit(authority.issuer).path}/auth"
    router = APIRouter(prefix=root, include_in_schema=False)

    def post(action: str, step: Step) -> None:
        async def endpoint(request: HTTPRequest) -> Response:
            return await _answer(authority, action, step, request)

        router.add_route(f"{root}/{action}", endpoint, methods=["POST"])

    post("token", token)
    post("revoke", revoke)
    post("introspect", introspect)
    post("par", push)

    @router.get("/jwks")
    async def jwks() -> Response:
        try:
            return JSONResponse(await authority.keys.public(), headers=JWKS_AGE)
        except Exception as error:
            return failed(translated(error, new_id()))

    return router


async def _answer(authority: Authority, action: str, step: Step, http: HTTPRequest) -> Response:
    headers = negotiation.joined(http.scope["headers"])
    source = http.client.host if http.client else None
    event = Event(action, negotiation.request_id(headers), source)
    try:
        response = await _decide(authority, step, http, event)
    except Exception as error:
        told = translated(error, event.request_id)
        if not isinstance(told, Unavailable):
            with suppress(FHIRError):
                await authority.audit(replace(event, error=_error(told)))
        response = failed(told)
    response.headers["X-Request-Id"] = event.request_id
    return response


async def _decide(authority: Authority, step: Step, http: HTTPRequest, event: Event) -> Response:
    """Grant or refuse, and record which before it is told."""
    presented = Presented("POST", f"{authority.issuer}/auth/{event.action}", proofs(http))
    asked = Request({}, http.headers.get("authorization"), presented)
    try:
        asked = replace(asked, parameters=await read_form(http))
        answer = await step(authority, asked)
    except OAuthError as error:
        refused = replace(event, error=error.error, description=error.description)
        await authority.audit(replace(refused, client_id=claimed_client(asked)))
        return _json(error.to_json(), error.status, error.headers)
    except Unauthorized as error:
        await authority.audit(replace(event, error="invalid_token", description=str(error)))
        return _json({"error": "invalid_token"}, error.status, error.headers)
    granted = replace(event, client_id=answer.client_id, scope=answer.scope)
    await authority.audit(replace(granted, token_id=answer.token_id, **who(answer.grant)))
    return _json(dict(answer.body), answer.status)


def proofs(http: HTTPRequest) -> tuple[str, ...]:
    """Every DPoP header of a request; more than one is wrong."""
    return tuple(http.headers.getlist("dpop"))


def who(grant: Grant | None) -> dict[str, Any]:
    """For whom a token was issued, as the audit trail names them."""
    if grant is None or grant.user is None:
        return {}
    return {
        "user": grant.user,
        "fhir_user": grant.fhir_user,
        "role": grant.role,
        "patient": grant.patient,
    }


def _json(body: object, status: int = 200, headers: Mapping[str, str] = NOTHING) -> JSONResponse:
    return JSONResponse(body, status, {**NO_STORE, **headers})


def failed(told: FHIRError) -> JSONResponse:
    """What is told when the server cannot decide."""
    body = {"error": _error(told), "error_description": told.issues[0].diagnostics}
    return _json(body, told.status, told.headers)


def _error(told: FHIRError) -> str:
    """The codes of RFC 6749 4.1.2.1, which names them for redirects that cannot carry a status."""
    return "server_error" if told.status == 500 else "temporarily_unavailable"
