"""Seal the audit trail every few seconds, in whichever worker comes first."""

import asyncio
import logging
import random

import asyncpg

from app.fhir.engine import Engine
from app.settings import Settings
from app.storage.audit_chain import seal
from app.storage.database import DatabaseAway

log = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two looks for events that wait for their seal."""


async def keep(_settings: Settings, engine: Engine) -> None:
    """Seal until cancelled; workers take turns at random, and what fails is tried again."""
    while True:
        await asyncio.sleep(random.uniform(0.5, 1.5) * EVERY)
        try:
            await seal(engine.database)
        except DatabaseAway:
            log.warning("the database is away; the audit trail is not sealed")
        except asyncpg.PostgresError as error:
            log.error("the audit trail is not sealed: %s", type(error).__name__)
