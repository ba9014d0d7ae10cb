"""The house put together: the only file that knows every room."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from fastapi import FastAPI

from app.admission import admit_counting, admit_server
from app.auth.audit import recorder
from app.auth.authority import Authority
from app.auth.client_rates import authenticate_within_rate
from app.auth.client_terms import exposition as secrets_exposition
from app.consent import definitions as consent_definitions
from app.consent import disclosures
from app.consent.check import check
from app.consent.cover import cover
from app.consent.emergency import alarm
from app.consent.marks import marks
from app.consent.operations import (
    consent_decision,
    file_consent,
    record_disclosure,
    revoke_consent,
)
from app.consent.relationships import PROJECTION
from app.fhir.audit import AuditLog
from app.fhir.dispatch import ROUTES
from app.fhir.engine import Engine, Policy
from app.fhir.operations import (
    everything,
    expand,
    lookup,
    meta,
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
    renew,
    replace,
    request_review,
    review,
    sign,
)
from app.isp.operations import validate as isp_validate
from app.isp.signer import own_hand
from app.routers.cors import CrossOrigin
from app.routers.discovery import discovery_router
from app.routers.fhir import FHIRApplication, FHIRFirst
from app.routers.health import Observed, health_router
from app.routers.oauth import oauth_router
from app.routers.pages import pages_router
from app.routers.registration import registration_router
from app.routers.web.pages import web_router
from app.settings import Settings
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
        snapshot.OPERATION,
        subsumes.OPERATION,
        validate_code.OPERATION,
        versions.OPERATION,
        isp_validate.OPERATION,
        progress.OPERATION,
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
    )
}

DEFINITIONS = {**isp_definitions.definitions(), **consent_definitions.definitions()}

Job = Callable[[Settings, Engine], Coroutine[None, None, None]]
"""What goes on beside the requests, until it is cancelled."""


def create_app(settings: Settings, jobs: Sequence[Job] = ()) -> FastAPI:
    """The service as an ASGI application; its lifespan opens and closes what it needs.

    `settings.database_url` must lead to a migrated database.
    """
    app = FastAPI(title="isp-fhir", lifespan=partial(_lifespan, settings, jobs), openapi_url=None)
    # Around the framework's own middleware, which FHIR has no use for and would pay for.
    fhir_first = FHIRFirst(app.build_middleware_stack(), urlsplit(settings.base_url).path)
    shared = CrossOrigin(fhir_first, urlsplit(settings.issuer).path, settings.cors_origins)
    app.middleware_stack = Observed(shared)
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
        engine = await build_engine(settings, database, log)
        _mount(app, settings, engine, authority)
        for job in jobs:
            stack.push_async_callback(_cancelled, asyncio.create_task(job(settings, engine)))
        yield


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def build_engine(settings: Settings, database: Database, log: AuditLog) -> Engine:
    """The engine with its hooks and the policy that the settings name."""
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
        ),
        stamps=(),
        rules=(check, partial(own, DEFINITIONS)),
        projections=(PROJECTION,),
        operations=OPERATIONS,
        mark=marks,
        alarm=partial(alarm, admit_server),
        guards=(cover, own_hand, guard),
        definitions=DEFINITIONS,
    )


async def _figures(engine: Engine) -> bytes:
    """What is told beside the counters: numbers of plans, and secrets that end soon."""
    counted = await exposition(admit_counting(engine))
    return counted + await secrets_exposition(engine.database)


def _mount(app: FastAPI, settings: Settings, engine: Engine, authority: Authority) -> None:
    app.include_router(health_router(engine.database, partial(_figures, engine)))
    app.include_router(oauth_router(authority))
    app.include_router(pages_router(authority, engine))
    app.include_router(web_router(authority, engine))
    app.include_router(registration_router(authority))
    app.include_router(discovery_router(authority))
    app.state.fhir = FHIRApplication(
        engine,
        partial(authenticate_within_rate, authority),
        urlsplit(settings.base_url).path,
        settings.max_body,
    )
    app.state.engine = engine
    app.state.authority = authority
