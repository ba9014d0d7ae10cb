"""Where the pages of the web view are: each URL, what answers it, what is shown when it fails."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from fastapi import Request as HTTPRequest

from app.admission import admit
from app.auth.authority import Authority
from app.auth.errors import OAuthError
from app.fhir.context import Call
from app.fhir.engine import Engine
from app.fhir.errors import FHIRError
from app.fhir.faults import translated
from app.fhir.routing import record_refusal
from app.routers.evenly import Evenly
from app.routers.forms import read_form
from app.routers.visits import PageError, Visit, visit
from app.routers.web import entrance, goals, plans, proposals, reviews
from app.routers.web.screen import STYLE_SHEET, Screen, shown
from app.storage.database import DatabaseAway

Handler = Callable[[Screen], Awaitable[Response]]
GOAL = "/plans/{id}/goals/{goal}"

SCREENS: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", plans.plans),
    ("GET", "/plans/{id}", plans.plan),
    ("GET", "/plans/{id}/document", plans.document),
    ("GET", "/plans/{id}/document.pdf", plans.printed),
    ("GET", "/plans/{id}/crisis-card", plans.card),
    ("POST", "/plans/{id}/review", plans.request_review),
    ("POST", "/plans/{id}/signature", plans.sign),
    ("POST", "/plans/{id}/proposal", proposals.propose),
    ("POST", "/plans/{id}/withdrawal", proposals.withdraw),
    ("GET", GOAL, goals.goal),
    ("GET", f"{GOAL}/chart.svg", goals.chart),
    ("GET", f"{GOAL}/numbers", goals.numbers),
    ("POST", f"{GOAL}/progress", goals.record),
    ("POST", f"{GOAL}/answer", goals.answer),
    ("GET", "/reviews", reviews.reviews),
)
"""Method, path under /app of the issuer, and what answers."""

SAID = {
    400: "web.error.refused-input",
    403: "web.error.forbidden",
    404: "web.error.not-found",
    409: "web.error.changed",
    410: "web.error.not-found",
    412: "web.error.changed",
    422: "web.error.refused-input",
}
"""What a person is told of an error of the engine, by its status."""


def web_router(authority: Authority, engine: Engine, evenly: Evenly) -> APIRouter:
    """The pages under /app of the issuer; those that show nobody's record are answered evenly."""
    root = f"{urlsplit(authority.issuer).path}/app"
    router = APIRouter(prefix=root, include_in_schema=False)

    def serve(method: str, path: str, handler: Handler | None) -> None:
        async def endpoint(request: HTTPRequest) -> Response:
            began = time.perf_counter()
            response, shows = await _answer(authority, engine, handler, request)
            if not shows:
                await evenly.wait(began)
            return response

        router.add_route(root + path, endpoint, methods=[method])

    serve("GET", "/return", None)
    for screen in SCREENS:
        serve(*screen)

    @router.get("/style.css")
    async def style_sheet() -> Response:
        headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
        return Response(STYLE_SHEET, media_type="text/css", headers=headers)

    return router


async def _answer(
    authority: Authority, engine: Engine, handler: Handler | None, http: HTTPRequest
) -> tuple[Response, bool]:
    """The page, or the page that says why not, and whether it shows something of anybody.

    `handler` is None where the sign-in comes back.
    """
    seen = None
    try:
        seen = await visit(authority, engine, http, {})
        seen = replace(seen, form=await _form(http))
        return await _shown(seen, handler) if handler else (await entrance.come_back(seen), False)
    except PageError as error:
        assert seen
        return _failure(seen, error.status, error.message), False
    except OAuthError as error:
        assert seen
        return _failure(seen, error.status, "error.form"), False
    except Exception as error:
        told = translated(error, seen.event.request_id if seen else "unknown")
        if seen is None:
            return Response(told.issues[0].diagnostics, told.status, dict(told.headers)), False
        return _told(seen, told), False


async def _form(http: HTTPRequest) -> dict[str, str]:
    return await read_form(http) if http.method == "POST" else dict(http.query_params)


async def _shown(seen: Visit, handler: Handler) -> tuple[Response, bool]:
    """The page, for who is signed in; anybody else signs in first, and loses no form silently."""
    caller = await entrance.caller_of(seen)
    if seen.http.method == "POST":
        if caller is None:
            raise PageError("web.error.signed-out", 403)
        seen.check_form()
    if caller is None:
        return await entrance.ask(seen), False
    context = admit(seen.engine, caller, seen.event.request_id, seen.event.source)
    screen = Screen(seen, context)
    try:
        return await handler(screen), bool(screen.patients)
    except (FHIRError, DatabaseAway):
        raise
    except Exception as error:
        told = translated(error, seen.event.request_id)
        await record_refusal(context, Call("unknown"), told)
        raise told from None


def _told(seen: Visit, told: FHIRError) -> Response:
    """What cannot be seen and what does not exist get the same page."""
    is_refused = told.status in (400, 422)
    diagnostics = [issue.diagnostics for issue in told.issues] if is_refused else []
    status = 404 if told.status == 410 else told.status
    message = SAID.get(told.status, "error.server")
    values: dict[str, Any] = {"diagnostics": diagnostics}
    if told.status in (409, 412):
        values["kept"] = [seen.form[name] for name in ("note", "reason") if name in seen.form]
    response = _failure(seen, status, message, **values)
    response.headers.update(told.headers)
    return response


def _failure(seen: Visit, status: int, message: str, **values: Any) -> Response:
    given = {"diagnostics": [], "kept": [], "message": message, **values}
    back = _back(seen) if seen.http.method == "POST" else ""
    return shown(seen, "error", status, is_signed_in=seen.session is not None, back=back, **given)


def _back(seen: Visit) -> str:
    """The page that a form was on: what it was sent to, without the last step."""
    return seen.http.url.path.rpartition("/")[0]
