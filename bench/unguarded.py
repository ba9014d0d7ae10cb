"""The service with its door open: whoever asks is one and the same caller, and no token is read.

What authentication costs is the difference to the same process with BENCH_DOOR=shut. Started
as `uvicorn bench.unguarded:app` with the settings of a service, for measurements alone.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.auth.caller import Caller
from app.auth.dpop import Presented
from app.auth.scopes import parse
from app.main import create_app
from app.routers.fhir import FHIRApplication
from app.settings import Settings

CALLER = Caller(
    client_id="bench",
    role="operator",
    organization=None,
    user=None,
    fhir_user=None,
    patient=None,
    scopes=parse("system/*.cruds"),
    extra_scopes=frozenset(),
    purpose=None,
    token_id="bench",
    expires=0,
)


async def _anybody(_: str | None, __: Presented | None) -> Caller:
    return CALLER


def _made() -> FastAPI:
    settings = Settings()
    made = create_app(settings)
    inner = made.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with inner(app):
            if os.environ["BENCH_DOOR"] == "open":
                engine = app.state.engine
                app.state.fhir = FHIRApplication(engine, _anybody, "/fhir", settings.max_body)
            yield

    made.router.lifespan_context = lifespan
    return made


app = _made()
