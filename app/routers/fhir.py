"""Any FHIR URL → Call → interaction → response, as a bare ASGI application.

Bare, because a framework's own way from the socket to a handler costs as much as the read itself
(docs/decisions/0006-asgi-front-door.md).
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from string import printable
from typing import Any
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from app.admission import admit, admit_nobody
from app.auth.caller import Caller
from app.fhir import json
from app.fhir.context import Call, Result
from app.fhir.disclose import statement
from app.fhir.engine import Engine, Route
from app.fhir.errors import BadRequest, FHIRError, TooLarge, UnsupportedMediaType
from app.fhir.interactions.write import new_id
from app.fhir.routing import Target, call, perform, record_refusal, route
from app.fhir.shape import parse_query
from app.routers import negotiation
from app.routers.errors import translated

REQUEST_ID = re.compile(r"[A-Za-z0-9._:\-]{1,128}\Z")
CONTENT_TYPE = (b"content-type", f"{negotiation.FHIR_JSON};charset=utf-8".encode())
PUBLIC = frozenset({"capabilities"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

Authenticate = Callable[[str | None], Awaitable[Caller]]


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of an HTTP request that FHIR speaks of; `query` is still encoded."""

    method: str
    path: str
    query: str
    headers: dict[bytes, bytes]
    id: str
    receive: Receive


class FHIRFirst:
    """Middleware that hands what lies under the FHIR base to the FHIRApplication of app.state.

    Before the router, whose search for a route would cost half of what a read costs, and which
    would redirect a Bundle posted to the base without a slash.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path
        self._below = f"{path}/"
        self._discovery = f"{path}/.well-known/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_fhir(scope["path"]):
            await scope["app"].state.fhir(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_fhir(self, path: str) -> bool:
        if path == self._path:
            return True
        return path.startswith(self._below) and not path.startswith(self._discovery)


class FHIRApplication:
    """Serves the FHIR base; `path` is the path of the base URL, `max_body` is in bytes."""

    def __init__(
        self, engine: Engine, authenticate: Authenticate, path: str, max_body: int
    ) -> None:
        self._engine = engine
        self._authenticate = authenticate
        self._path = path
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        request_id = _request_id(headers)
        try:
            request = _request(scope, headers, request_id, self._path, receive)
            result = await self._answer(request)
            content = _content(result, request.query)
        except Exception as error:
            told = translated(error, request_id)
            result = Result(told.status, statement(told.outcome()), headers=told.headers)
            content = result.body or b""
        await _send(send, result, content, request_id, is_head=scope["method"] == "HEAD")

    async def _answer(self, request: Request) -> Result:
        """Authenticate, understand, perform; a refusal on the way to `perform` is recorded here."""
        ctx, asked = admit_nobody(self._engine, request.id), Call("unknown")
        try:
            row, found = route(self._engine.routes, request.method, request.path)
            asked = call(row, found)
            if row.interaction not in PUBLIC:
                authorization = request.headers.get(b"authorization", b"").decode("latin-1")
                ctx = admit(self._engine, await self._authenticate(authorization), request.id)
            asked = await self._call(row, found, request)
        except FHIRError as error:
            await record_refusal(ctx, asked, error)
            raise
        return await perform(ctx, row, asked)

    async def _call(self, row: Route, found: Target, request: Request) -> Call:
        query, body = parse_query(request.query) if request.query else (), None
        negotiation.check_acceptable(request.headers, query)
        if row.method in WITH_BODY:
            data = await _read(request.receive, self._max_body)
            if row.path.endswith("_search"):
                query += _form(request.headers, data)
            else:
                body = _body(request.headers, data)
        return call(
            row,
            found,
            query=query,
            body=body,
            conditions=negotiation.conditions(request.headers),
            prefer=negotiation.preference(request.headers),
        )


def _request_id(headers: dict[bytes, bytes]) -> str:
    """X-Request-Id as the client gave it, or a new one. https://hl7.org/fhir/R4/http.html#custom"""
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    return given if REQUEST_ID.match(given) else new_id()


def _request(
    scope: Scope, headers: dict[bytes, bytes], request_id: str, base: str, receive: Receive
) -> Request:
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    path = scope["path"].removeprefix(base)
    return Request(method, path, _encoded(scope["query_string"]), headers, request_id, receive)


def _encoded(query: bytes) -> str:
    """The query with what nobody encoded encoded: curl sends bytes as they were typed."""
    return query.decode() if query.isascii() else quote(query, safe=printable)


async def _read(receive: Receive, most: int) -> bytes:
    """The whole body; TooLarge as soon as it has more bytes than allowed."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The request ended before its body did.")
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise TooLarge(f"The body has more than {most} bytes.")
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def _form(headers: dict[bytes, bytes], data: bytes) -> tuple[tuple[str, str], ...]:
    """https://hl7.org/fhir/R4/http.html#search: POST _search carries the parameters as a form."""
    if data and not negotiation.is_form(headers):
        raise UnsupportedMediaType(f"Send the search parameters as {negotiation.FORM}.")
    try:
        return parse_query(data.decode())
    except UnicodeDecodeError:
        raise BadRequest("The parameters are not UTF-8.", code="value") from None


def _body(headers: dict[bytes, bytes], data: bytes) -> Any:
    if not data:
        return None
    negotiation.check_content_type(headers)
    return json.parse(data)


def _content(result: Result, query: str) -> bytes:
    if result.body is None or not negotiation.is_pretty(query):
        return result.body or b""
    return json.dump(json.parse(result.body), pretty=True)


async def _send(
    send: Send, result: Result, content: bytes, request_id: str, *, is_head: bool
) -> None:
    headers = negotiation.response_headers(result)
    headers.append((b"x-request-id", request_id.encode()))
    if result.status not in (204, 304):
        headers += [CONTENT_TYPE, (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": result.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else content})
