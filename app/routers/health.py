"""Is it alive, is it ready, how is it doing: for whoever runs the server. No personal data."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import lru_cache

from asyncpg import QueryCanceledError
from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.fhir.errors import FHIRError
from app.fhir.registry import is_type
from app.routers.pages import PAGES
from app.storage.database import Database, DatabaseAway

log = logging.getLogger("isp.access")

FRESH = 300.0
"""Seconds for which figures are told again before they are counted anew."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("isp_requests", "Requests answered.", ["method", "path", "status"])
DURATION = Histogram("isp_request_seconds", "Until the last byte.", ["path"], buckets=SECONDS)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
WORDS = frozenset({"metadata", "_history", "_search", ".well-known"})
OWN_PATHS = frozenset(
    {"/livez", "/readyz", "/metrics", "/auth/token", "/auth/revoke", "/auth/introspect"}
    | {"/auth/jwks", "/auth/launch", "/auth/register", "/auth/style.css", "/auth/passkey.js"}
    | {f"/auth/{name}" for _, name, _ in PAGES}
    | {"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}
)


Figures = Callable[[], Awaitable[bytes]]
"""Gauges in the text format of Prometheus."""


Lines = Iterable[tuple[bytes, bytes]]
"""Headers."""

Gate = Callable[[Request], Awaitable[None]]
"""Raises an FHIRError unless this request may read the figures."""


def health_router(
    database: Database, figures: Figures | None = None, gate: Gate | None = None
) -> APIRouter:
    """/livez, /readyz and /metrics, at the root; `figures` are told with the counters, to whom
    the `gate` lets through."""
    router, kept = APIRouter(include_in_schema=False), _Kept(figures)

    @router.get("/livez")
    async def livez() -> Response:
        return Response("alive\n", media_type="text/plain")

    @router.get("/readyz")
    async def readyz() -> Response:
        try:
            await database.fetchval("SELECT 1")
        except DatabaseAway:
            away = "the database is away\n"
            return Response(away, 503, {"Retry-After": "1"}, media_type="text/plain")
        return Response("ready\n", media_type="text/plain")

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        try:
            if gate is not None:
                await gate(request)
        except FHIRError as error:
            said = f"{error.issues[0].diagnostics}\n"
            return Response(said, error.status, dict(error.headers), media_type="text/plain")
        content = generate_latest(_registry()) + await kept.fresh()
        return Response(content, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


class _Kept:
    """The figures, counted at most every FRESH seconds; none while the database is away."""

    def __init__(self, figures: Figures | None) -> None:
        self._figures = figures
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._text = b""

    async def fresh(self) -> bytes:
        """What was counted last."""
        async with self._lock:
            if self._figures is not None and time.monotonic() >= self._until:
                try:
                    self._text = await self._figures()
                    self._until = time.monotonic() + FRESH
                except (DatabaseAway, QueryCanceledError):
                    self._text = b""
            return self._text


def _registry() -> CollectorRegistry:
    """The counters of this process, or of all workers where they share a directory for them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


class Observed:
    """Counts and times what an application answers; at log level debug, a line for each.

    Of a path only its shape is kept: ids, searches and their values are personal data.
    """

    def __init__(self, app: ASGIApp, operations: Iterable[str] = ()) -> None:
        self._app = app
        self._words = WORDS.union(f"${name}" for name in operations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        headers: Lines = ()

        # No coroutine of its own: it is called twice for every answer.
        def sent(message: Message) -> Awaitable[None]:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
            return send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            path = shape(scope["path"], self._words)
            _observe(scope, path, status, time.perf_counter() - began, headers)


def _observe(scope: Scope, path: str, status: int, seconds: float, headers: Lines) -> None:
    method = scope["method"] if scope["method"] in METHODS else "other"
    requests, duration = _meters(method, path, status)
    requests.inc()
    duration.observe(seconds)
    if log.isEnabledFor(logging.DEBUG):
        id_ = dict(headers).get(b"x-request-id", b"-").decode("latin-1")
        log.debug("%s %s %s %.1f ms request %s", method, path, status, seconds * 1000, id_)


@lru_cache(maxsize=4096)
def _meters(method: str, path: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, path, status), DURATION.labels(path)


def shape(path: str, words: Collection[str] = WORDS) -> str:
    """The path without what names a person or is made up: "/fhir/Goal/[id]/_history"."""
    base, found, rest = path.partition("/fhir")
    if found and (not rest or rest[0] == "/"):
        # A type, an operation or a name of the specification as it is, anything else as [id].
        parts = rest.split("/")[:5]
        told = [part if not part or part in words or is_type(part) else "[id]" for part in parts]
        return "/fhir" + "/".join(told)
    return base if base in OWN_PATHS else "other"
