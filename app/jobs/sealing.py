"""Seal the audit trail every few seconds, in whichever worker comes first."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import asyncpg

from app.storage.audit_chain import seal
from app.storage.database import Database, DatabaseAway

log = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two looks for events that wait for their seal."""


async def seal_forever(database: Database) -> None:
    """Seal until cancelled; workers take turns at random, and what fails is tried again."""
    while True:
        await asyncio.sleep(random.uniform(0.5, 1.5) * EVERY)
        try:
            await seal(database)
        except DatabaseAway:
            log.warning("the database is away; the audit trail is not sealed")
        except asyncpg.PostgresError as error:
            log.error("the audit trail is not sealed: %s", type(error).__name__)


def started(job: Coroutine[Any, Any, None]) -> Callable[[], Awaitable[None]]:
    """Run a job in the background; what is returned ends it."""
    task = asyncio.create_task(job)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return stop
