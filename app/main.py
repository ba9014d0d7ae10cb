"""The house put together: the only file that knows every room."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from fastapi import FastAPI, Request

from app.admission import OPERATOR, admit_counting, admit_server
from app.auth.access_token import authenticate
from app.auth.audit import recorder
from app.auth.authority import Authority
from app.auth.client_rates import authenticate_within_rate
from app.auth.client_terms import exposition as secrets_exposition
from app.auth.dpop import Presented
from app.consent import definitions as consent_definitions
from app.consent import disclosures
from app.consent.check import check
from app.consent.cover import cover
from app.consent.emergency import alarm, keep_alerts
from app.consent.marks import marks
from app.consent.oneself import oneself
from app.consent.operations import (
    consent_decision,
    file_consent,
    record_disclosure,
    revoke_consent,
)
from app.consent.relabel import keep_labels
from app.consent.relationships import PROJECTION
from app.fhir import registration
from app.fhir.audit import AuditLog
from app.fhir.dispatch import ROUTES
from app.fhir.engine import Engine, Policy
from app.fhir.errors import Forbidden
from app.fhir.operations import (
    diff as version_diff,
)
from app.fhir.operations import (
    document as composition_document,
)
from app.fhir.operations import (
    everything,
    expand,
    lookup,
    meta,
    reindex_status,
    snapshot,
    subsumes,
    validate,
    validate_code,
    versions,
)
from app.isp import definitions as isp_definitions
from app.isp.definitions import own
from app.isp.gauges import exposition
from app.isp.guard import guard
from app.isp.operations import bundle as isp_bundle
from app.isp.operations import (
    chart,
    create,
    diff,
    discharge,
    document,
    due_reviews,
    metrics,
    move,
    normalize,
    progress,
    propose,
    renew,
    replace,
    request_review,
    review,
    sign,
)
from app.isp.operations import validate as isp_validate
from app.isp.signer import own_hand
from app.routers.brands import brands_router
from app.routers.cors import CrossOrigin
from app.routers.discovery import discovery_router
from app.routers.evenly import Evenly
from app.routers.fhir import FHIRApplication, FHIRFirst, Limits
from app.routers.health import Observed, health_router
from app.routers.oauth import oauth_router, proofs
from app.routers.pages import pages_router
from app.routers.registration import registration_router
from app.routers.resource_server import resource_server_router
from app.routers.threshold import threshold_router
from app.routers.web.pages import web_router
from app.settings import Settings, is_loopback
from app.storage.database import Database
from app.storage.secrets import shared_secret

OPERATIONS = {
    each.name: each
    for each in (
        validate.OPERATION,
        disclosures.OPERATION,
        everything.OPERATION,
        *meta.ALL,
        expand.OPERATION,
        lookup.OPERATION,
        reindex_status.OPERATION,
        snapshot.OPERATION,
        subsumes.OPERATION,
        validate_code.OPERATION,
        versions.OPERATION,
        isp_validate.OPERATION,
        progress.OPERATION,
        propose.OPERATION,
        request_review.OPERATION,
        due_reviews.OPERATION,
        sign.OPERATION,
        *move.ALL,
        create.OPERATION,
        review.OPERATION,
        renew.OPERATION,
        replace.OPERATION,
        normalize.OPERATION,
        discharge.OPERATION,
        consent_decision.OPERATION,
        file_consent.OPERATION,
        revoke_consent.OPERATION,
        record_disclosure.OPERATION,
        *isp_bundle.ALL,
        diff.OPERATION,
        *document.ALL,
        chart.OPERATION,
        metrics.OPERATION,
        version_diff.OPERATION,
    )
} | {"Composition/document": composition_document.OPERATION}
"""By name; one that R4 gives to a type alone, beside ours of the same name, by type and name."""

DEFINITIONS = {
    **isp_definitions.definitions(),
    **consent_definitions.definitions(),
    version_diff.URL: version_diff.DEFINITION,
}

Job = Callable[[Settings, Engine], Coroutine[None, None, None]]
"""What goes on beside the requests, until it is cancelled."""


def create_app(settings: Settings, jobs: Sequence[Job] = ()) -> FastAPI:
    """The service as an ASGI application; its lifespan opens and closes what it needs.

    `settings.database_url` must lead to a migrated database.
    """
    app = FastAPI(
        title="isp-fhir",
        lifespan=partial(_lifespan, settings, jobs),
        openapi_url=None,
        # Spans would hold paths and queries, which say whose record is asked for.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    # Around the framework's own middleware, which FHIR has no use for and would pay for.
    fhir_first = FHIRFirst(app.build_middleware_stack(), urlsplit(settings.base_url).path)
    shared = CrossOrigin(fhir_first, urlsplit(settings.issuer).path, settings.cors_origins)
    app.middleware_stack = Observed(shared, OPERATIONS)
    return app


@asynccontextmanager
async def _lifespan(settings: Settings, jobs: Sequence[Job], app: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        database = await Database.open(
            settings.database_url,
            settings.database_connections,
            statement_timeout=settings.statement_timeout,
            role=settings.database_role,
        )
        stack.push_async_callback(database.close)
        log = AuditLog(database, is_asynchronous=settings.audit == "async")
        stack.push_async_callback(log.close)
        authority = await Authority.open(settings, database, recorder(log, settings.base_url))
        stack.push_async_callback(authority.close)
        issues_tokens = not authority.providers.issuers.only
        engine = await build_engine(settings, database, log, issues_tokens=issues_tokens)
        _mount(app, settings, engine, authority)
        for job in jobs:
            stack.push_async_callback(_cancelled, asyncio.create_task(job(settings, engine)))
        yield


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def build_engine(
    settings: Settings, database: Database, log: AuditLog, *, issues_tokens: bool = True
) -> Engine:
    """The engine with its hooks and the policy that the settings name."""
    await registration.refresh(database)
    return Engine(
        database=database,
        audit=log,
        routes=ROUTES,
        base_url=settings.base_url,
        paging_key=await shared_secret(database, "paging"),
        policy=Policy(
            check_references=settings.references == "strict",
            update_as_create=settings.update_as_create,
            conditional_delete=settings.conditional_delete,
            max_entries=settings.max_entries,
            page_size=settings.page_size,
            max_page_size=settings.max_page_size,
            profiles=settings.profiles,
            issues_tokens=issues_tokens,
        ),
        stamps=(),
        rules=(check, partial(own, DEFINITIONS), registration.rule),
        projections=(PROJECTION, registration.PROJECTION),
        operations=OPERATIONS,
        mark=marks,
        alarm=partial(alarm, admit_server),
        guards=(oneself, keep_alerts, keep_labels, cover, own_hand, guard, registration.unique),
        definitions=DEFINITIONS,
    )


async def _figures(engine: Engine) -> bytes:
    """What is told beside the counters: numbers of plans, and secrets that end soon."""
    counted = await exposition(admit_counting(engine))
    return counted + await secrets_exposition(engine.database)


def _mount(app: FastAPI, settings: Settings, engine: Engine, authority: Authority) -> None:
    gate = None if settings.metrics == "open" else partial(_operating, authority, settings)
    evenly = Evenly(settings.even_milliseconds / 1000)
    app.include_router(health_router(engine.database, partial(_figures, engine), gate))
    if authority.providers.issuers.only:
        app.include_router(resource_server_router(authority))
    else:
        app.include_router(oauth_router(authority))
        app.include_router(pages_router(authority, engine, evenly))
        app.include_router(web_router(authority, engine, evenly))
        app.include_router(registration_router(authority))
        app.include_router(discovery_router(authority))
        app.include_router(threshold_router(authority))
    if settings.brands:
        app.include_router(brands_router(engine, settings))
    app.state.fhir = FHIRApplication(
        engine,
        partial(authenticate_within_rate, authority),
        urlsplit(settings.base_url).path,
        Limits(
            settings.max_body,
            settings.asynchronous_hours,
            evenly,
        ),
    )
    app.state.engine = engine
    app.state.authority = authority


async def _operating(authority: Authority, settings: Settings, request: Request) -> None:
    """Raises Unauthorized without a token, Forbidden for one of another role than operator."""
    root = urlsplit(settings.base_url)
    is_here = request.client is not None and is_loopback(request.client.host)
    # Known to others by a name of its own, it has a proxy in front, which calls from here as well.
    if settings.metrics == "local" and is_here and is_loopback(root.hostname or ""):
        return
    url = f"{root.scheme}://{root.netloc}{request.url.path}"
    presented = Presented(request.method, url, proofs(request))
    caller = await authenticate(authority, request.headers.get("authorization"), presented)
    if caller.role != OPERATOR:
        raise Forbidden("The figures are for operators.")
