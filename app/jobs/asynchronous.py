"""Do what was asked with Prefer: respond-async, in whichever worker comes first.

What is done and that it is done are one transaction on a connection of its own: killed in between,
it was not done, and another worker does it. docs/decisions/0021-asynchronous.md
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from app.admission import admit
from app.auth.caller import Caller
from app.auth.saved_caller import restored, stands
from app.fhir import json
from app.fhir.context import Call, Preference
from app.fhir.engine import Engine, Route
from app.fhir.errors import FHIRError, Unauthorized, Unavailable
from app.fhir.interactions.asynchronous import filled, piece, refused, steps
from app.fhir.routing import route, to_call
from app.settings import Settings
from app.storage import asynchronous
from app.storage.asynchronous import Answer, Cancelled, Work
from app.storage.database import Connection, Database, DatabaseAway
from app.storage.joined import Joined

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks for requests that wait."""

SWEEP_EVERY = 300
"""Looks between two removals of what expired."""

ATTEMPTS = 5
"""Times in a row that the server may end while it works on one request."""

PATIENCE = 600
"""Seconds that one statement may take: what is answered later may take its time."""

UNTIED = f"SET LOCAL idle_in_transaction_session_timeout = '{PATIENCE}s'"


async def keep(settings: Settings, engine: Engine) -> None:
    """Do what waits, again and again until cancelled; what fails is tried again."""
    async with _opened(settings) as own:
        for look in range(1, 1 << 62):
            await _look(settings, engine, own, is_sweeping=look % SWEEP_EVERY == 0)
            await asyncio.sleep(random.uniform(0.5, 1.5) * EVERY)


async def _look(settings: Settings, engine: Engine, own: Database, *, is_sweeping: bool) -> None:
    try:
        while await asynchronous.is_waiting(engine.database):
            await work(engine, own, settings.asynchronous_hours)
        if is_sweeping:
            await asynchronous.sweep(engine.database)
    except (OSError, asyncpg.PostgresError, DatabaseAway) as error:
        log.warning("requests wait for the database: %s", type(error).__name__)
    except Exception as error:
        # After so many attempts the request is given up; others must not wait for it until then.
        log.error("a request failed: %s", type(error).__name__)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    """A connection of our own: a request that takes long keeps no other from being answered."""
    database = await Database.open(
        settings.database_url, 1, statement_timeout=PATIENCE, role=settings.database_role
    )
    try:
        yield database
    finally:
        await database.close()


async def work(engine: Engine, own: Database, hours: int) -> bool:
    """Do a piece of what has waited longest; False where nothing waits.

    `own` is where the work is done, `hours` how long the answer is kept. Raises DatabaseAway.
    """
    try:
        async with own.transaction() as connection:
            await connection.execute(UNTIED)
            found = await asynchronous.claim(connection)
            if found is not None:
                await _work(engine, connection, found, hours)
            return found is not None
    except Cancelled:
        return True


async def _work(engine: Engine, connection: Connection, found: Work, hours: int) -> None:
    attempt = await asynchronous.attempted(engine.database, found.request)
    if attempt is None:
        await asynchronous.forget(connection, found)
        return
    asked = json.reread(found.asked)
    if attempt > ATTEMPTS:
        log.error("a request is given up: the server ended %s times during it", ATTEMPTS)
        given_up = Unavailable("The server ended again and again while it did this.")
        answers = filled([refused(given_up)], found.done, asked["steps"])
    else:
        answers = await _answers(engine, connection, found, asked)
    await asynchronous.answer(connection, found, answers)
    if found.done + len(answers) >= asked["steps"]:
        await asynchronous.complete(connection, found, hours)
    else:
        await asynchronous.queue(connection, found)


async def _answers(engine: Engine, connection: Connection, found: Work, asked: Any) -> list[Answer]:
    """The next answers, under the rights that the requester has now."""
    caller: Caller = restored(asked["caller"])
    joined = replace(engine, database=Joined(connection, engine.database))
    try:
        if not await stands(engine.database, caller):
            raise Unauthorized("What let you ask for this has been taken back since.")
        ctx = admit(joined, caller, asked["request_id"], asked["address"])
        row, call = _restored(engine, asked)
        steps(ctx, call)
    except FHIRError as error:
        return filled([refused(error)], found.done, asked["steps"])
    return await piece(ctx, row, call, found.done)


def _restored(engine: Engine, asked: Any) -> tuple[Route, Call]:
    row, target = route(engine.routes, asked["method"], asked["path"])
    return row, to_call(
        row,
        target,
        query=tuple((name, value) for name, value in asked["query"]),
        body=asked["body"],
        prefer=Preference(**asked["prefer"]),
        languages=asked["languages"],
    )
