"""Notice what operators registered to search by, and index what was there before, in any worker."""

import asyncio
import logging
import random

import asyncpg

from app.fhir.engine import Engine
from app.fhir.indexing import step
from app.settings import Settings
from app.storage.database import DatabaseAway

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at the stamp of the registry."""
BREATH = 0.01
"""Seconds for everybody else between two batches."""


async def keep(_settings: Settings, engine: Engine) -> None:
    """Look until cancelled; what fails is tried again."""
    while True:
        await asyncio.sleep(random.uniform(0.5, 1.5) * EVERY)
        try:
            while await step(engine) is not None:
                await asyncio.sleep(BREATH)
        except DatabaseAway:
            log.warning("the database is away; nothing is indexed")
        except asyncpg.PostgresError as error:
            log.error("registered parameters are not indexed: %s", type(error).__name__)
