"""Any FHIR URL → Call → interaction → response, as a bare ASGI application.

Bare, because a framework's own way from the socket to a handler costs as much as the read itself
(docs/decisions/0006-asgi-front-door.md).
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from string import printable
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from app.admission import admit, admit_nobody, declare
from app.auth.caller import Caller
from app.auth.dpop import Presented
from app.fhir import json, xml
from app.fhir.context import FHIR_JSON, Call, Context, Result
from app.fhir.disclose import statement
from app.fhir.engine import Engine, Route
from app.fhir.errors import FHIRError
from app.fhir.faults import translated
from app.fhir.interactions.asynchronous import is_for_later
from app.fhir.routing import Target, known_operation, perform, record_refusal, route, to_call
from app.fhir.shape import parse_query
from app.routers import negotiation
from app.routers.asynchronous import accept
from app.routers.content import form, patch, read, resource
from app.routers.evenly import Evenly, is_blank
from app.storage.database import DatabaseAway

PLAIN = frozenset({"application/pdf"})
"""Media types that have no charset."""
PUBLIC = frozenset({"capabilities"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

Authenticate = Callable[[str | None, Presented | None], Awaitable[Caller]]


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of an HTTP request that FHIR speaks of, and the IP address it came from.

    `query` is still encoded, `presented` are its DPoP proofs.
    """

    method: str
    path: str
    query: str
    headers: negotiation.Headers
    id: str
    address: str | None
    receive: Receive
    presented: Presented | None = None

    @property
    def is_xml_wanted(self) -> bool:
        """Whether the answer is to be XML."""
        return negotiation.is_xml_wanted(self.headers, self.query)


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


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a body, hours for which an answer is kept that nobody waited for, the steps of time
    after which what shows nothing is answered."""

    body: int
    hours: int
    evenly: Evenly


class FHIRApplication:
    """Serves the FHIR base; `path` is the path of the base URL."""

    def __init__(
        self, engine: Engine, authenticate: Authenticate, path: str, limits: Limits
    ) -> None:
        self._engine = engine
        self._authenticate = authenticate
        self._path = path
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        request = _request(scope, self._path, self._engine.base_url, receive)
        try:
            asked, result = await self._answer(request)
            if is_blank(asked.interaction, result):
                await self._limits.evenly.wait(began)
            content = _content(result, request)
        except Exception as error:
            await self._limits.evenly.wait(began)
            told = translated(error, request.id)
            result = Result(told.status, statement(told.outcome()), headers=told.headers)
            content = _content(result, request)
        headers = _headers(result, content, request)
        await send({"type": "http.response.start", "status": result.status, "headers": headers})
        is_head = scope["method"] == "HEAD"
        await send({"type": "http.response.body", "body": b"" if is_head else content})

    async def _answer(self, request: Request) -> tuple[Call, Result]:
        """Authenticate, understand, perform; a refusal on the way to `perform` is recorded here."""
        asked: Call | None = None
        place: tuple[Route, Target] | None = None
        ctx: Context | None = None
        caller: Caller | None = None
        try:
            try:
                place = row, found = route(self._engine.routes, request.method, request.path)
            except FHIRError:
                # The audit trail tells who asked for what is not there, too.
                _, ctx = await self._admitted(request)
                raise
            if row.interaction in PUBLIC:
                ctx = self._nobody(request)
            else:
                caller, ctx = await self._admitted(request)
            asked = await self._call(row, found, request)
            if caller is not None:
                caller, ctx = self._declared(caller, ctx, request)
                if is_for_later(asked) and ctx.emergency is None:
                    named = (request.method, request.path)
                    return asked, await accept(ctx, caller, named, asked, self._limits.hours)
        except FHIRError as error:
            asked = asked or (to_call(*place) if place else Call("unknown"))
            await record_refusal(ctx or self._nobody(request), asked, error)
            raise
        return asked, await self._perform(ctx, row, asked)

    def _nobody(self, request: Request) -> Context:
        return admit_nobody(self._engine, request.id, request.address)

    async def _admitted(self, request: Request) -> tuple[Caller, Context]:
        authorization = request.headers.get(b"authorization", b"").decode("latin-1")
        caller = await self._authenticate(authorization, request.presented)
        return caller, admit(self._engine, caller, request.id, request.address)

    def _declared(self, caller: Caller, ctx: Context, request: Request) -> tuple[Caller, Context]:
        """Both for the purpose that the request names, where it names one."""
        purpose, reason = negotiation.declared_purpose(request.headers)
        mine = declare(caller, purpose, reason)
        if mine is caller:
            return caller, ctx
        return mine, admit(self._engine, mine, request.id, request.address, reason)

    async def _perform(self, ctx: Context, row: Route, asked: Call) -> Result:
        """What no interaction foresaw leaves an audit trail too, where one can be written."""
        try:
            return await perform(ctx, row, asked)
        except (FHIRError, DatabaseAway):
            raise
        except Exception as error:
            told = translated(error, ctx.request_id)
            await record_refusal(ctx, asked, told)
            raise told from None

    async def _call(self, row: Route, found: Target, request: Request) -> Call:
        query, body = parse_query(request.query) if request.query else (), None
        media_type = FHIR_JSON
        also: tuple[str, ...] = ()
        if found.operation is not None:
            operation = known_operation(self._engine.operations, found.type, found.operation)
            also = operation.media_types if operation else ()
        accept = negotiation.accepted(request.headers, query, also)
        if row.method in WITH_BODY:
            data = await read(request.receive, self._limits.body)
            if row.path.endswith("_search"):
                query += form(request.headers, data)
            elif row.interaction == "patch":
                media_type, body = patch(request.headers, data)
            else:
                body = resource(request.headers, data)
        return to_call(
            row,
            found,
            query=query,
            body=body,
            media_type=media_type,
            conditions=negotiation.conditions(request.headers),
            prefer=negotiation.preference(request.headers),
            accept=accept,
            languages=request.headers.get(b"accept-language", b"").decode("latin-1"),
        )


def _request(scope: Scope, base: str, base_url: str, receive: Receive) -> Request:
    headers = negotiation.joined(scope["headers"])
    path = scope["path"].removeprefix(base)
    method = scope["method"]
    presented: Presented | None = None
    if b"dpop" in headers:
        proofs = (value.decode("latin-1") for name, value in scope["headers"] if name == b"dpop")
        presented = Presented(method, f"{base_url}{path}", tuple(proofs))
    return Request(
        method="GET" if method == "HEAD" else method,
        path=path,
        query=_encoded(scope["query_string"]),
        headers=headers,
        id=negotiation.request_id(headers),
        address=scope["client"][0] if scope.get("client") else None,
        receive=receive,
        presented=presented,
    )


def _encoded(query: bytes) -> str:
    """The query with what nobody encoded encoded: curl sends bytes as they were typed."""
    return query.decode() if query.isascii() else quote(query, safe=printable)


def _content(result: Result, request: Request) -> bytes:
    content = result.content
    if not content or result.media_type != FHIR_JSON:
        return content
    if request.is_xml_wanted:
        return xml.write(json.parse(content))
    return json.indent(content) if negotiation.is_pretty(request.query) else content


def _headers(result: Result, content: bytes, request: Request) -> list[tuple[bytes, bytes]]:
    headers = negotiation.response_headers(result)
    headers.append((b"x-request-id", request.id.encode()))
    if result.status not in (204, 304):
        headers.append((b"content-type", _content_type(result, request)))
        headers.append((b"content-length", str(len(content)).encode()))
    return headers


def _content_type(result: Result, request: Request) -> bytes:
    is_xml = request.is_xml_wanted and result.media_type == FHIR_JSON
    return _with_charset(negotiation.FHIR_XML if is_xml else result.media_type)


@lru_cache(maxsize=64)
def _with_charset(kind: str) -> bytes:
    return f"{kind}{'' if kind in PLAIN else ';charset=utf-8'}".encode()
