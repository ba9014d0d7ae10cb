"""The house put together: the only file that knows every room."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from fastapi import FastAPI

from app.auth.access_token import authenticate
from app.auth.audit import recorder
from app.auth.authority import Authority
from app.consent.marks import marks
from app.consent.relationships import PROJECTION
from app.fhir.audit import AuditLog
from app.fhir.dispatch import ROUTES
from app.fhir.engine import Engine, Policy
from app.fhir.operations import validate
from app.isp.operations import due_reviews, move, progress, request_review, sign
from app.isp.operations import validate as isp_validate
from app.routers.cors import CrossOrigin
from app.routers.discovery import discovery_router
from app.routers.fhir import FHIRApplication, FHIRFirst
from app.routers.health import Observed, health_router
from app.routers.oauth import oauth_router
from app.routers.pages import pages_router
from app.routers.registration import registration_router
from app.settings import Settings
from app.storage.database import Database
from app.storage.secrets import shared_secret

OPERATIONS = {
    each.name: each
    for each in (
        validate.OPERATION,
        isp_validate.OPERATION,
        progress.OPERATION,
        request_review.OPERATION,
        due_reviews.OPERATION,
        sign.OPERATION,
        *move.ALL,
    )
}


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application; its lifespan opens and closes what it needs.

    `settings.database_url` must lead to a migrated database.
    """
    app = FastAPI(title="isp-fhir", lifespan=partial(_lifespan, settings), openapi_url=None)
    app.add_middleware(FHIRFirst, path=urlsplit(settings.base_url).path)
    app.add_middleware(
        CrossOrigin, path=urlsplit(settings.issuer).path, origins=settings.cors_origins
    )
    app.add_middleware(Observed)
    return app


@asynccontextmanager
async def _lifespan(settings: Settings, app: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        database = await Database.open(
            settings.database_url,
            settings.database_connections,
            statement_timeout=settings.statement_timeout,
        )
        stack.push_async_callback(database.close)
        log = AuditLog(database, is_asynchronous=settings.audit == "async")
        stack.push_async_callback(log.close)
        authority = await Authority.open(settings, database, recorder(log, settings.base_url))
        stack.push_async_callback(authority.close)
        engine = await build_engine(settings, database, log)
        _mount(app, settings, engine, authority)
        yield


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
            max_entries=settings.max_entries,
            page_size=settings.page_size,
            max_page_size=settings.max_page_size,
        ),
        stamps=(),
        rules=(),
        projections=(PROJECTION,),
        operations=OPERATIONS,
        mark=marks,
    )


def _mount(app: FastAPI, settings: Settings, engine: Engine, authority: Authority) -> None:
    app.include_router(health_router(engine.database))
    app.include_router(oauth_router(authority))
    app.include_router(pages_router(authority, engine))
    app.include_router(registration_router(authority))
    app.include_router(discovery_router(authority))
    app.state.fhir = FHIRApplication(
        engine,
        partial(authenticate, authority),
        urlsplit(settings.base_url).path,
        settings.max_body,
    )
    app.state.engine = engine
    app.state.authority = authority
