"""Is it alive, is it ready, how is it doing: for whoever runs the server. No personal data."""

import logging
import os
import time

from fastapi import APIRouter, Response
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

from app.fhir.registry import is_type
from app.routers.pages import PAGES
from app.storage.database import Database, DatabaseAway

log = logging.getLogger("isp.access")

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("isp_requests", "Requests answered.", ["method", "path", "status"])
DURATION = Histogram("isp_request_seconds", "Until the last byte.", ["path"], buckets=SECONDS)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
WORDS = frozenset({"metadata", "_history", "_search", "$validate", ".well-known"})
OWN_PATHS = frozenset(
    {"/livez", "/readyz", "/metrics", "/auth/token", "/auth/revoke", "/auth/introspect"}
    | {"/auth/jwks", "/auth/launch", "/auth/register", "/auth/style.css"}
    | {f"/auth/{name}" for _, name, _ in PAGES}
    | {"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}
)


def health_router(database: Database) -> APIRouter:
    """/livez, /readyz and /metrics, at the root."""
    router = APIRouter(include_in_schema=False)

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
    async def metrics() -> Response:
        return Response(generate_latest(_registry()), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


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

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            _observe(scope, status, time.perf_counter() - began)


def _observe(scope: Scope, status: int, seconds: float) -> None:
    path = shape(scope["path"])
    method = scope["method"] if scope["method"] in METHODS else "other"
    REQUESTS.labels(method, path, status).inc()
    DURATION.labels(path).observe(seconds)
    log.debug("%s %s %s %.1f ms", method, path, status, seconds * 1000)


def shape(path: str) -> str:
    """The path without what names a person or is made up: "/fhir/Goal/[id]/_history"."""
    base, found, rest = path.partition("/fhir")
    if found and (not rest or rest[0] == "/"):
        return "/fhir" + "".join(f"/{_part(part)}" for part in rest.split("/")[1:5])
    return base if base in OWN_PATHS else "other"


def _part(part: str) -> str:
    """A type or a name of the specification as it is, anything else as [id]."""
    return part if not part or part in WORDS or is_type(part) else "[id]"
