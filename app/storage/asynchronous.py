"""The statements of requests that are answered later: put, claimed, answered, told, cancelled.

Whoever works on one holds the lock on its work to the end of a transaction, in which the answers
are written too: a process that dies leaves neither, and somebody else takes it up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.storage.database import Connection, Database

Answer = tuple[str, int | None]
"""A Bundle.entry as JSON, and the highest confidentiality in it."""


class Cancelled(Exception):
    """The requester does not want it any more; what was done for it is to be taken back."""


@dataclass(frozen=True, slots=True)
class Requester:
    """Who alone may ask what became of a request."""

    client: str
    username: str | None
    organization: str | None


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done: of which request, what was asked as JSON, and how much is done of it."""

    request: str
    asked: str
    done: int


@dataclass(frozen=True, slots=True)
class Status:
    """How far a request is: `done` of `steps`; it is told until `expires`."""

    interaction: str
    steps: int
    done: int
    is_begun: bool
    completed: datetime | None
    expires: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, as JSON, by whom, and how many answers it will have."""

    id: str
    by: Requester
    interaction: str
    steps: int
    asked: str


async def put(database: Database, request: Request, hours: int, most: int) -> bool:
    """Keep a request until somebody does it; False if `most` of theirs wait already.

    What one person asks through a client leaves room for what others ask through it.
    """
    by = request.by
    done = await database.fetchval(
        "WITH made AS (INSERT INTO asynchronous_request"
        " (id, client, username, organization, interaction, steps, expires)"
        " SELECT $1, $2, $3, $4, $5, $6, now() + make_interval(hours => $7)"
        " WHERE (SELECT count(*) FROM asynchronous_request"
        "        WHERE client = $2 AND username IS NOT DISTINCT FROM $3"
        "        AND completed IS NULL) < $8"
        " RETURNING id)"
        " INSERT INTO asynchronous_work (request, asked) SELECT id, $9 FROM made RETURNING request",
        *(request.id, by.client, by.username, by.organization),
        *(request.interaction, request.steps, hours, most, request.asked),
    )
    return done is not None


async def is_waiting(database: Database) -> bool:
    """Whether there is work that nobody does."""
    sql = "SELECT request FROM asynchronous_work FOR UPDATE SKIP LOCKED LIMIT 1"
    return await database.fetchval(sql) is not None


async def waiting_since(connection: Connection) -> datetime:
    """When the oldest request that is not done was asked for; now, where there is none."""
    since: datetime = await connection.fetchval(
        "SELECT coalesce(min(created), now()) FROM asynchronous_request WHERE completed IS NULL"
    )
    return since


async def claim(connection: Connection) -> Work | None:
    """The work that has waited longest, ours to the end of the transaction."""
    row = await connection.fetchrow(
        "SELECT request, asked, (SELECT count(*) FROM asynchronous_answer AS a"
        " WHERE a.request = w.request) AS done"
        " FROM asynchronous_work AS w ORDER BY queued LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    return Work(row["request"], row["asked"], row["done"]) if row else None


async def attempted(database: Database, id_: str) -> int | None:
    """Count one more attempt, whatever becomes of it; None for a request that was cancelled."""
    number: int | None = await database.fetchval(
        "UPDATE asynchronous_request SET attempts = attempts + 1 WHERE id = $1 RETURNING attempts",
        id_,
    )
    return number


async def answer(connection: Connection, work: Work, answers: Sequence[Answer]) -> None:
    """Keep what was done of it. Raises Cancelled."""
    alive = await connection.fetchval(
        "UPDATE asynchronous_request SET attempts = 0 WHERE id = $1 RETURNING id", work.request
    )
    if alive is None:
        raise Cancelled
    await connection.executemany(
        "INSERT INTO asynchronous_answer (request, position, content, level)"
        " VALUES ($1, $2, $3, $4)",
        [(work.request, at, *each) for at, each in enumerate(answers, work.done)],
    )


async def complete(connection: Connection, work: Work, hours: int) -> None:
    """Nothing is left to do: what was asked is forgotten, what came of it is kept for a while."""
    await connection.execute(
        "UPDATE asynchronous_request SET completed = now(),"
        " expires = now() + make_interval(hours => $2) WHERE id = $1",
        work.request,
        hours,
    )
    await forget(connection, work)


async def queue(connection: Connection, work: Work) -> None:
    """The rest of it waits behind what has waited longer."""
    await connection.execute(
        "UPDATE asynchronous_work SET queued = clock_timestamp() WHERE request = $1", work.request
    )


async def forget(connection: Connection, work: Work) -> None:
    """Remove what was to be done."""
    await connection.execute("DELETE FROM asynchronous_work WHERE request = $1", work.request)


async def status(database: Database, id_: str, by: Requester) -> Status | None:
    """How far a request of this requester is; None where there is none."""
    row = await database.fetchrow(
        "SELECT interaction, steps, attempts, completed, expires,"
        " (SELECT count(*) FROM asynchronous_answer AS a WHERE a.request = r.id) AS done"
        " FROM asynchronous_request AS r"
        f" WHERE {_OWN} AND expires > now()",
        *(id_, by.client, by.username, by.organization),
    )
    if row is None:
        return None
    is_begun = row["attempts"] > 0 or row["done"] > 0
    return Status(
        row["interaction"], row["steps"], row["done"], is_begun, row["completed"], row["expires"]
    )


async def answers(database: Database, id_: str) -> list[Answer]:
    """What came of a request, in order."""
    rows = await database.fetch(
        "SELECT content, level FROM asynchronous_answer WHERE request = $1 ORDER BY position", id_
    )
    return [(row["content"], row["level"]) for row in rows]


async def cancel(database: Database, id_: str, by: Requester) -> bool:
    """Forget a request of this requester; whoever works on it finds out. False without any."""
    done = await database.fetchval(
        f"WITH gone AS (DELETE FROM asynchronous_request AS r WHERE {_OWN} RETURNING id),"
        " idle AS (SELECT request FROM asynchronous_work WHERE request = $1"
        "          AND EXISTS (SELECT FROM gone) FOR UPDATE SKIP LOCKED),"
        " left_out AS (DELETE FROM asynchronous_work WHERE request IN (SELECT request FROM idle))"
        " SELECT id FROM gone",
        *(id_, by.client, by.username, by.organization),
    )
    return done is not None


async def sweep(database: Database) -> None:
    """Remove what has expired."""
    await database.execute("DELETE FROM asynchronous_request WHERE expires < now()")


_OWN = (
    "r.id = $1 AND r.client = $2 AND r.username IS NOT DISTINCT FROM $3"
    " AND r.organization IS NOT DISTINCT FROM $4"
)
