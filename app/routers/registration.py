"""What comes as JSON: clients that register themselves, launches of record systems."""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from fastapi import Request as HTTPRequest
from fastapi.responses import JSONResponse

from app.auth import registrations, throttle
from app.auth.authority import Authority, Event
from app.auth.dpop import Presented
from app.auth.errors import InvalidRequest, OAuthError
from app.auth.launches import LIFETIME, register_launch
from app.fhir.errors import FHIRError, Unauthorized, Unavailable
from app.fhir.faults import translated
from app.routers import negotiation
from app.routers.forms import read_body
from app.routers.oauth import NO_STORE, failed, proofs

Answer = tuple[int, Any, Event]
Step = Callable[[Authority, HTTPRequest, Event], Awaitable[Answer]]


class TooMany(OAuthError):
    status, error = 429, "too_many_requests"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": str(throttle.WINDOW)}


def registration_router(authority: Authority) -> APIRouter:
    """auth/register, auth/register/{client_id} and auth/launch under the issuer."""
    root = f"{urlsplit(authority.issuer).path}/auth"
    router = APIRouter(prefix=root, include_in_schema=False)

    def serve(method: str, name: str, step: Step) -> None:
        async def endpoint(request: HTTPRequest) -> Response:
            return await _answer(authority, step, request)

        router.add_route(root + name, endpoint, methods=[method])

    serve("POST", "/register", _register)
    serve("GET", "/register/{client_id}", _read)
    serve("PUT", "/register/{client_id}", _update)
    serve("DELETE", "/register/{client_id}", _delete)
    serve("POST", "/launch", _launch)
    return router


async def _answer(authority: Authority, step: Step, http: HTTPRequest) -> Response:
    headers = negotiation.joined(http.scope["headers"])
    action = "launch" if http.url.path.endswith("/launch") else "register"
    source = http.client.host if http.client else None
    event = Event(action, negotiation.request_id(headers), source)
    try:
        status, body, done = await step(authority, http, event)
        await authority.audit(done)
    except OAuthError as error:
        await authority.audit(replace(event, error=error.error, description=error.description))
        return JSONResponse(error.to_json(), error.status, {**NO_STORE, **error.headers})
    except Unauthorized as error:
        await authority.audit(replace(event, error="invalid_token", description=str(error)))
        return JSONResponse({"error": "invalid_token"}, 401, {**NO_STORE, **error.headers})
    except Exception as error:
        told = translated(error, event.request_id)
        if not isinstance(told, Unavailable):
            with suppress(FHIRError):
                await authority.audit(replace(event, error="server_error"))
        return failed(told)
    if body is None:
        return Response(status_code=status, headers=NO_STORE)
    return JSONResponse(body, status, NO_STORE)


async def _register(authority: Authority, http: HTTPRequest, event: Event) -> Answer:
    if not await throttle.may_register(authority.database, event.source):
        raise TooMany("too many registrations from this address; wait a quarter of an hour")
    made = await registrations.register(authority, await _json(http))
    return 201, made, replace(event, client_id=made["client_id"])


async def _read(authority: Authority, http: HTTPRequest, event: Event) -> Answer:
    client_id = http.path_params["client_id"]
    found = await registrations.read(authority, client_id, _bearer(http))
    return 200, found, replace(event, client_id=client_id)


async def _update(authority: Authority, http: HTTPRequest, event: Event) -> Answer:
    client_id = http.path_params["client_id"]
    asked = await _json(http)
    made = await registrations.update(authority, client_id, _bearer(http), asked)
    return 200, made, replace(event, client_id=client_id)


async def _delete(authority: Authority, http: HTTPRequest, event: Event) -> Answer:
    client_id = http.path_params["client_id"]
    await registrations.delete(authority, client_id, _bearer(http))
    return 204, None, replace(event, client_id=client_id)


async def _launch(authority: Authority, http: HTTPRequest, event: Event) -> Answer:
    authorization = http.headers.get("authorization")
    presented = Presented("POST", f"{authority.issuer}/auth/launch", proofs(http))
    asked = await _json(http)
    who, handle, launch = await register_launch(authority, authorization, asked, presented)
    body = {"launch": handle, "iss": authority.audience, "expires_in": LIFETIME}
    return 201, body, replace(event, client_id=who, patient=launch.patient)


def _bearer(http: HTTPRequest) -> str:
    scheme, _, token = http.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _json(http: HTTPRequest) -> Any:
    try:
        return json.loads(await read_body(http))
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("the body must be JSON") from error
