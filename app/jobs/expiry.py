"""Tell in the log, once a day, which clients need another secret soon."""

import asyncio
import logging
from datetime import UTC, datetime

import asyncpg

from app.auth.client_terms import expiring
from app.fhir.engine import Engine
from app.settings import Settings
from app.storage.alone import alone
from app.storage.database import Database, DatabaseAway

log = logging.getLogger(__name__)

LOCK = (1_230_192_205, 8)
FIRST, EVERY = 60, 86_400
"""Seconds after the start, and between two looks."""


async def warn(database: Database) -> int:
    """Write a warning for each of them; how many."""
    found = await expiring(database)
    for one in found:
        log.warning("client %s: %s", one.client_id, one.told(datetime.now(UTC)))
    return len(found)


async def keep(settings: Settings, engine: Engine) -> None:
    """Let one process of all that serve this database warn, until cancelled."""
    while True:
        await asyncio.sleep(FIRST)
        try:
            async with alone(settings.database_url, LOCK) as holder:
                while holder is not None and not holder.is_closed():
                    await warn(engine.database)
                    await asyncio.sleep(EVERY)
        except (OSError, asyncpg.PostgresError, DatabaseAway) as error:
            log.warning("secrets are not looked through: %s", type(error).__name__)
