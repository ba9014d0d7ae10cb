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
from app.loading import OPERATOR
from app.main import create_app
from app.routers.evenly import Evenly
from app.routers.fhir import FHIRApplication, Limits
from app.settings import Settings


async def _anybody(_: str | None, __: Presented | None) -> Caller:
    return OPERATOR


def _made() -> FastAPI:
    settings = Settings()
    made = create_app(settings)
    inner = made.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with inner(app):
            if os.environ["BENCH_DOOR"] == "open":
                most = Limits(settings.max_body, settings.asynchronous_hours, Evenly(0))
                app.state.fhir = FHIRApplication(app.state.engine, _anybody, "/fhir", most)
            yield

    made.router.lifespan_context = lifespan
    return made


app = _made()
