"""The bare ceiling with one thing more: a durable event before the bytes leave, as law asks.

Between the two ceilings is what no code in between could save: the event is a row of the size that
a read has, by the same statement, with those of others in one commit. `uvicorn bench.audited:app`
"""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from app.fhir.audit_log import AuditLog
from app.storage.audit import AuditRow
from app.storage.database import Database
from bench.bare import Bare

KEYS, TARGETS, CODES = 45, 7, 22
"""As many as the event of a read by an operator has; its body is as long then, 1.8 KB."""

BODY = ",".join(
    f'{{"system":"http://terminology.hl7.org/CodeSystem/{n * n}","code":"{n * 7919:x}"}}'
    for n in range(CODES)
)

ROW = AuditRow(
    "",
    datetime.now(UTC),
    (),
    f"{{{','.join(str(2**62 + 977 * n) for n in range(KEYS))}}}",
    f"{{{','.join(str(2**61 + 991 * n) for n in range(TARGETS))}}}",
    "",
)


class Audited(Bare):
    """The same application, which waits for its audit log."""

    def __init__(self) -> None:
        super().__init__()
        self._database: Database | None = None
        self._log: AuditLog | None = None

    async def open(self, url: str) -> None:
        """Connect, also the audit log."""
        await super().open(url)
        self._database = await Database.open(url)
        self._log = AuditLog(self._database)

    async def close(self) -> None:
        """Write what waits, and disconnect."""
        assert self._log is not None
        assert self._database is not None
        await self._log.close()
        await self._database.close()
        await super().close()

    async def row(self, type_: str, id_: str) -> Any:
        """The row, once it is recorded that somebody read it."""
        assert self._log is not None
        row = await super().row(type_, id_)
        id_of_event = uuid4().hex
        body = f'{{"id":"{id_of_event}","what":"{type_}/{id_}","type":[{BODY}]}}'
        await self._log.record([ROW._replace(id=id_of_event, body=body)])
        return row


app = Audited()
