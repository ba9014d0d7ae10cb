"""The audit log of reads and refusals: many callers, few commits.

One writer takes all events that wait and writes them in one statement; while it does, the next ones
gather. The busier the server, the less an event costs.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.fhir.errors import Unavailable
from app.storage.audit import BATCH, AuditRow, insert_audit
from app.storage.database import Database, DatabaseAway

log = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Events in memory; whoever brings one more waits until there is room."""

PATIENCE = 5.0
"""Seconds until a caller is refused because there is no room, and for what waits at the end."""

PAUSE = 0.5
"""Seconds between attempts to write what no caller waits for."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """The events of one call and who waits for them: nobody, when the log is asynchronous."""

    rows: Sequence[AuditRow]
    written: "asyncio.Future[None] | None"


class AuditLog:
    """Writes events in groups; belongs to one event loop.

    Synchronous, `record` returns when the event is durable. Asynchronous, it returns at once, and
    what is in memory is lost with the process, but with nothing else.
    """

    def __init__(self, database: Database, *, is_asynchronous: bool = False) -> None:
        self._database = database
        self._is_asynchronous = is_asynchronous
        self._waiting: deque[_Entry] = deque()
        self._has_room = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._is_closed = False

    async def record(self, rows: Sequence[AuditRow]) -> None:
        """Record a call. Raises Unavailable when it cannot be: then nothing may be disclosed."""
        if len(self._waiting) >= MAX_WAITING:
            await self._wait_for_room()
        if self._is_closed:
            raise _unavailable()
        written = None if self._is_asynchronous else asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(rows, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_what_waits())
        if written is not None:
            await written

    async def _wait_for_room(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while len(self._waiting) >= MAX_WAITING:
                    self._has_room.clear()
                    await self._has_room.wait()
        except TimeoutError:
            raise _unavailable() from None

    async def close(self) -> None:
        """Write what waits, refuse what comes. What cannot be written in time is logged as lost."""
        self._is_closed = True
        if self._writer is None:
            return
        await asyncio.wait([self._writer], timeout=PATIENCE)
        if not self._writer.done():
            log.error("%d audit events could not be written and are lost", len(self._waiting))
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        _settle(self._waiting, is_durable=False)

    async def _write_what_waits(self) -> None:
        while self._waiting:
            most = min(BATCH, len(self._waiting))
            entries = [self._waiting.popleft() for _ in range(most)]
            self._has_room.set()
            try:
                await self._write(entries)
            finally:
                _settle(entries, is_durable=False)

    async def _write(self, entries: Sequence[_Entry]) -> None:
        """Write these events, however long it takes when nobody waits for them."""
        while not await self._is_written(entries) and self._is_asynchronous:
            await asyncio.sleep(PAUSE)

    async def _is_written(self, entries: Sequence[_Entry]) -> bool:
        try:
            async with self._database.acquire() as connection:
                await insert_audit(connection, [row for entry in entries for row in entry.rows])
        except DatabaseAway:
            log.warning("the database is away; %d audit events are not written", len(entries))
            return False
        except Exception:
            # Whatever it was, the writer must live on: without it every caller would wait forever.
            log.exception("%d audit events are not written", len(entries))
            return False
        _settle(entries, is_durable=True)
        return True


def _settle(entries: Iterable[_Entry], *, is_durable: bool) -> None:
    """Tell those who still wait."""
    for entry in entries:
        if entry.written is None or entry.written.done():
            continue
        if is_durable:
            entry.written.set_result(None)
        else:
            entry.written.set_exception(_unavailable())


def _unavailable() -> Unavailable:
    return Unavailable("The audit trail cannot be written now.", headers={"Retry-After": "5"})
