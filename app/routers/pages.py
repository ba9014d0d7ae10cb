"""Where the pages are: each URL, what answers it, and what a person sees when that fails."""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Response
from fastapi import Request as HTTPRequest
from fastapi.responses import JSONResponse

from app.auth.app_token import style_url
from app.auth.authority import Authority
from app.auth.authorize import Redirected
from app.auth.errors import InvalidRequest, OAuthError
from app.auth.pages import SCRIPT, STYLE, STYLE_SHEET
from app.fhir.engine import Engine
from app.fhir.errors import FHIRError, Unavailable
from app.fhir.faults import translated
from app.routers import (
    account,
    authorization,
    external_sign_in,
    new_password,
    operator,
    passkey,
    second_factor,
    sign_in,
)
from app.routers.evenly import Evenly
from app.routers.forms import read_form
from app.routers.visits import PageError, Visit, visit

Handler = Callable[[Visit], Awaitable[Response]]
FOREVER = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}

PAGES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "authorize", authorization.authorize),
    ("POST", "authorize", authorization.authorize),
    ("GET", "login", sign_in.login_page),
    ("POST", "login", sign_in.login),
    ("GET", "external", external_sign_in.depart),
    ("GET", "callback", external_sign_in.come_back),
    ("POST", "logout", sign_in.logout),
    ("POST", "patients", authorization.search_page),
    ("POST", "patient", authorization.choose_patient),
    ("GET", "approve", authorization.approve_page),
    ("POST", "approve", authorization.decide),
    ("GET", "apps", sign_in.apps),
    ("POST", "apps", sign_in.disconnect),
    ("GET", "second-factor", second_factor.code_page),
    ("POST", "second-factor", second_factor.code),
    ("GET", "second-factor/passkey", second_factor.new_passkey_page),
    ("POST", "second-factor/passkey", second_factor.add_passkey),
    ("GET", "passkey", passkey.passkey_page),
    ("POST", "passkey", passkey.passkey),
    ("GET", "forgot", new_password.forgot_page),
    ("POST", "forgot", new_password.forgot),
    ("GET", "link/{token}", new_password.follow),
    ("GET", "password", new_password.password_page),
    ("POST", "password", new_password.choose_password),
    ("GET", "account", account.account_page),
    ("POST", "account/sessions", account.end_session),
    ("POST", "account/password", account.change_password),
    ("GET", "account/codes", account.codes_page),
    ("POST", "account/codes", account.set_up_codes),
    ("POST", "account/codes/remove", account.remove_codes),
    ("POST", "account/recovery", account.recovery),
    ("GET", "account/passkey", account.new_passkey_page),
    ("POST", "account/passkey", account.add_passkey),
    ("POST", "account/passkey/remove", account.remove_passkey),
    ("GET", "users", operator.users_page),
    ("POST", "users", operator.change_user),
    ("POST", "users/invite", operator.invite_user),
    ("GET", "registrations", operator.registrations_page),
    ("POST", "registrations", operator.decide_registration),
)
"""Method, path under /auth of the issuer, and what answers."""


CHOOSING = frozenset({"patients", "patient", "approve"})
"""Pages that look for the person whose records an app is for, and may find one who is hidden."""


def pages_router(authority: Authority, engine: Engine, evenly: Evenly) -> APIRouter:
    """The pages under /auth of the issuer; those that look for a person are answered evenly."""
    root = f"{urlsplit(authority.issuer).path}/auth"
    router = APIRouter(prefix=root, include_in_schema=False)

    def serve(method: str, name: str, handler: Handler) -> None:
        async def endpoint(request: HTTPRequest) -> Response:
            began = time.perf_counter()
            response = await _answer(authority, engine, handler, request)
            if name in CHOOSING:
                await evenly.wait(began)
            return response

        router.add_route(f"{root}/{name}", endpoint, methods=[method])

    for page in PAGES:
        serve(*page)

    @router.get("/style.css")
    async def style_sheet() -> Response:
        return Response(STYLE_SHEET, media_type="text/css", headers=FOREVER)

    @router.get("/passkey.js")
    async def script() -> Response:
        return Response(SCRIPT, media_type="text/javascript", headers=FOREVER)

    @router.get(f"/{style_url(authority).rpartition('/')[2]}")
    async def style() -> Response:
        return JSONResponse(dict(STYLE), headers=FOREVER)

    return router


async def _answer(
    authority: Authority, engine: Engine, handler: Handler, http: HTTPRequest
) -> Response:
    seen = None
    try:
        seen = await visit(authority, engine, http, {})
        seen = replace(seen, form=await _form(http))
        return await handler(seen)
    except Redirected as error:
        assert seen
        with suppress(FHIRError):
            await seen.record(
                client_id=error.client_id,
                error=error.error.error,
                description=error.error.description,
            )
        return seen.redirect(error.location)
    except PageError as error:
        assert seen
        return _failure(seen, error.status, message=error.message)
    except OAuthError as error:
        assert seen
        return _failure(seen, error.status, error=error.error, description=error.description)
    except Exception as error:
        return await _broken(authority, engine, http, error, seen)


async def _broken(
    authority: Authority,
    engine: Engine,
    http: HTTPRequest,
    error: Exception,
    seen: Visit | None,
) -> Response:
    request_id = seen.event.request_id if seen else "unknown"
    told = translated(error, request_id)
    if seen is None:
        return Response(told.issues[0].diagnostics, told.status, dict(told.headers))
    if not isinstance(told, Unavailable):
        with suppress(FHIRError):
            await seen.record(error="server_error")
    response = _failure(seen, told.status, message="error.server")
    response.headers.update(told.headers)
    return response


def _failure(
    seen: Visit, status: int, message: str = "", error: str = "", description: str = ""
) -> Response:
    return seen.page(
        "error",
        None,
        status,
        message=message,
        error=error,
        description=description,
        is_signed_in=seen.session is not None,
    )


async def _form(http: HTTPRequest) -> dict[str, str]:
    """The parameters of the URL or of the form that was sent, each once. Raises InvalidRequest."""
    if http.method == "POST":
        return await read_form(http)
    try:
        pairs = parse_qsl(http.url.query, max_num_fields=500, errors="strict")
    except ValueError as error:
        raise InvalidRequest("the parameters cannot be read") from error
    if len(dict(pairs)) != len(pairs):
        raise InvalidRequest("a parameter appears more than once")
    return dict(pairs)
