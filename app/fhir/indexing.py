"""Online indexing: what operators registered is looked for in the resources that were there before.

One way through the resources of a type in order of their ids, a batch a transaction, the position
beside it: whoever takes over goes on there. Writers index a new parameter from its commit on, so a
way begins when those who began before it have ended. docs/decisions/0020-registered-parameters.md
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from app.fhir import json
from app.fhir.change import Change
from app.fhir.draft import Draft, draft
from app.fhir.engine import Engine
from app.fhir.registration import refresh
from app.fhir.registry import registered
from app.fhir.search.parameters.keys import param
from app.storage import registry as statements
from app.storage.database import Connection
from app.storage.registry import Pass
from app.storage.versions import Row

POLL = 0.05


async def index(engine: Engine) -> int:
    """Look at everything that was not looked at yet; how many resources that were.

    What another process is at, is left to it. Raises DatabaseAway.
    """
    total = 0
    while (count := await step(engine)) is not None:
        total += count
    return total


async def step(engine: Engine) -> int | None:
    """Take one step; how many resources it looked at, None where nothing is left to do."""
    await refresh(engine.database)
    if not await statements.is_behind(engine.database):
        return None
    async with engine.database.transaction() as connection:
        one = await statements.next_pass(connection)
        if one is None:
            return None
        if not one.is_new:
            return await _batch(engine, connection, one)
    await _earlier_writers_end(engine)
    await statements.start(engine.database, one)
    return 0


async def _earlier_writers_end(engine: Engine) -> None:
    """Wait for the transactions that may not know yet what is registered.

    Whoever writes after this was asked for compares what it knows with what is registered then.
    """
    earlier = await statements.writers(engine.database)
    while earlier & await statements.writers(engine.database):
        await asyncio.sleep(POLL)


async def _batch(engine: Engine, connection: Connection, one: Pass) -> int:
    if await statements.stamp(connection) != registered().stamp:
        return 0
    found = await statements.resources(connection, one)
    if not found:
        await statements.finish(connection, one)
        return 0
    drafts = [_draft(engine, row) for row in found]
    params = {param(one.base, f"{code}{part}") for code in one.codes for part in ("", ":text")}
    heads = [
        (row["rid"], row["version"], list(made.derived.keys), made.digest)
        for row, made in zip(found, drafts, strict=True)
        if (row["keys"], row["digest"]) != (list(made.derived.keys), made.digest)
    ]
    rids = [row["rid"] for row in found]
    rows = _rows(rids, drafts, params)
    await statements.replace_values(connection, rids, sorted(params), rows, heads)
    await statements.advance(connection, one, found[-1]["id"], len(found))
    return len(found)


def _draft(engine: Engine, row: Any) -> Draft:
    resource = json.parse(row["body"].encode())
    return draft(engine, Change("update", "PUT", row["type"], row["id"], resource))


def _rows(
    rids: Sequence[int], drafts: Sequence[Draft], params: set[int]
) -> Mapping[str, Sequence[Row]]:
    """The index rows under these parameters, by table, each with its rid."""
    return {
        table: [
            (rid, *row)
            for rid, made in zip(rids, drafts, strict=True)
            for row in made.derived.rows.get(table, ())
            if row[0] in params
        ]
        for table in statements.TABLES
    }
