"""Authorization requests on their way: kept from the app's redirect until a person decided.

Only their handle travels through the browser, so that no page, form or log repeats what was asked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.auth.handles import digest, new_handle
from app.storage.database import Connection, Database

LIFETIME = 600
"""Seconds a person has to sign in, choose and decide."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An app's parameters, the patient (logical id) a person chose, and when the app asked."""

    parameters: dict[str, str]
    patient: str | None
    asked_at: datetime


async def keep(database: Database, parameters: Mapping[str, str]) -> str:
    """Keep the parameters of a checked request; answers the handle."""
    handle = new_handle()
    await database.execute(
        "INSERT INTO authorization_request (id, client_id, parameters, expires)"
        " VALUES ($1, $2, $3, now() + make_interval(secs => $4))",
        digest(handle),
        parameters["client_id"],
        json.dumps(dict(parameters)),
        LIFETIME,
    )
    return handle


async def kept(database: Database, handle: str) -> Kept | None:
    """The request of a handle; None when it was decided or expired."""
    row = await database.fetchrow(
        "SELECT parameters, patient, expires FROM authorization_request"
        " WHERE id = $1 AND expires > now()",
        digest(handle),
    )
    if row is None:
        return None
    asked_at = row["expires"] - timedelta(seconds=LIFETIME)
    return Kept(json.loads(row["parameters"]), row["patient"], asked_at)


async def choose(database: Database, handle: str, patient: str) -> None:
    """Remember which patient a person chose; whether they may is judged when it is used."""
    await database.execute(
        "UPDATE authorization_request SET patient = $2 WHERE id = $1", digest(handle), patient
    )


async def use_up(connection: Connection, handle: str) -> bool:
    """Whether the request was still undecided: one of any number of decisions counts."""
    row = await connection.fetchrow(
        "DELETE FROM authorization_request WHERE id = $1 AND expires > now() RETURNING id",
        digest(handle),
    )
    return row is not None
