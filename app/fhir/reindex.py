"""Derive search keys, index rows and projections anew, after a search parameter was added."""

from app.fhir import json
from app.fhir.draft import derive
from app.fhir.engine import Engine
from app.storage.reindex import locked_batch, replace_derived
from app.storage.versions import Row

BATCH = 200


async def reindex(engine: Engine) -> int:
    """Rewrite what follows from every current version; how many there were.

    The server goes on meanwhile: a batch is one transaction, and a resource written after it passed
    is derived by its own commit. Raises DatabaseAway.
    """
    total = last = 0
    while True:
        size, last = await _batch(engine, last)
        if not size:
            return total
        total += size


async def _batch(engine: Engine, after: int) -> tuple[int, int]:
    """Rewrite one batch; its size and its last row number."""
    async with engine.database.transaction() as connection:
        found = await locked_batch(connection, after, BATCH)
        rows: dict[str, list[Row]] = {}
        keys: dict[int, list[int]] = {}
        for rid, body, before in found:
            derived = derive(engine, json.parse(body.encode()))
            if list(derived.keys) != before:
                keys[rid] = list(derived.keys)
            for table, made in derived.rows.items():
                rows.setdefault(table, []).extend((rid, *row) for row in made)
        rids = [row["rid"] for row in found]
        if rids:
            await replace_derived(connection, rids, keys, rows)
    return len(rids), rids[-1] if rids else after
