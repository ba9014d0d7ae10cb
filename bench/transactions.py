"""Transactions of many creates, beside the statement that writes their rows, and COPY of the same.

The same rows on both sides: current versions, history, search index, relationships, and an event of
the audit trail for each, in one transaction that is durable when it ends.
"""

import argparse
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg

from app.fhir.audit import Audited, audit_rows
from app.fhir.context import Agent
from app.storage.audit import BATCH, AuditRow
from app.storage.versions import Head, Part, write_parts
from bench import loader
from bench.client import connect
from bench.population import bundle
from bench.timing import answered, figures, timed
from bench.workloads import World

SIZES = (100, 1000)
FIRST = 10_000_000
"""Persons from here on are nobody's that was loaded."""

RID = 2**40
"""Row numbers far from those of the sequence."""

AGENT = Agent("bench", "operator")
COLUMNS = ("rid", "id", "last_updated", "patients", "keys", "targets", "body")
Made = tuple[list[Head], dict[str, list[Any]], list[AuditRow]]


async def measure(
    world: World, connection: "asyncpg.Connection[Any]", options: argparse.Namespace
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The figures of each size, by name."""
    # As those connections do that write: app/storage/database.py.
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    known = await connection.fetchval("SELECT count(*) FROM resource WHERE type = 'Patient'")
    fresh = iter(range(FIRST + known, 2**31))
    for size in SIZES:
        yield f"transaction of {size}", await _measured(size, fresh, world, connection, options)
    await connection.execute("RESET plan_cache_mode")


async def _measured(
    size: int,
    fresh: Iterator[int],
    world: World,
    connection: "asyncpg.Connection[Any]",
    options: argparse.Namespace,
) -> dict[str, Any]:
    times: dict[str, list[float]] = {"http": [], "statement": [], "by hand": []}
    made = partial(_made, loader.engine(f"http://{world.address.netloc}/fhir"), fresh, size)
    for turn in range(1 + options.transactions):
        [client] = await connect(world.address.host, world.address.port, 1)
        ways: dict[str, Callable[[], Any]] = {
            "http": partial(answered, client, world, "", _creates(fresh, size)),
            "statement": partial(_written, connection, list(_parts(*made()))),
            "by hand": partial(_copied, connection, _values(made())),
        }
        for name in [*ways, *ways][turn % len(ways) :][: len(ways)]:
            times[name].append(await timed(ways[name]))
        client.close()
    return figures(times)


def _creates(fresh: Iterator[int], size: int) -> bytes:
    """A Bundle of the first `size` resources of new persons."""
    entries: list[Any] = []
    while len(entries) < size:
        entries += bundle(next(fresh))["entry"]
    kept = entries[:size]
    known = {entry["fullUrl"] for entry in kept}
    # The last person may lack a resource that others of theirs refer to: those are left out.
    kept = [entry for entry in kept if not _lacks(json.dumps(entry["resource"]), known)]
    whole = {"resourceType": "Bundle", "type": "transaction", "entry": kept}
    return json.dumps(whole, separators=(",", ":")).encode()


def _lacks(text: str, known: set[str]) -> bool:
    parts = text.split('"urn:uuid:')[1:]
    return any(f"urn:uuid:{part[:36]}" not in known for part in parts)


def _made(engine: Any, fresh: Iterator[int], size: int) -> Made:
    """What `size` resources of new persons leave in the tables."""
    heads: list[Head] = []
    rows: dict[str, list[Any]] = {}
    while len(heads) < size:
        for head, derived in loader.versions(engine, next(fresh), RID):
            if len(heads) < size:
                heads.append(head)
                for table, its in derived.items():
                    rows.setdefault(table, []).extend((head.rid, *row) for row in its)
    return heads, rows, [_event(engine.base_url, head) for head in heads]


def _event(base_url: str, head: Head) -> AuditRow:
    about = (head.patient,) if head.patient else ()
    done = Audited("create", "0", 201, head.type, head.id, "1", about)
    [event] = audit_rows(AGENT, "bench", datetime.now(UTC), base_url, done)
    return event


async def _written(connection: "asyncpg.Connection[Any]", parts: Iterable[Part]) -> None:
    """As `commit` writes them."""
    async with connection.transaction():
        await write_parts(connection, parts)


def _parts(heads: list[Head], rows: dict[str, list[Any]], events: list[AuditRow]) -> Iterator[Part]:
    for at in range(0, len(heads), BATCH):
        some = heads[at : at + BATCH]
        rids = {head.rid for head in some}
        theirs = {table: [row for row in its if row[0] in rids] for table, its in rows.items()}
        yield Part(some, theirs, events[at : at + BATCH])


def _values(made: Made) -> loader.Rows:
    heads, rows, events = made
    return {
        "resource": [loader.values(head, loader.HEAD) for head in heads],
        "resource_version": [loader.values(head, loader.VERSION) for head in heads],
        **rows,
        "audit_event": [_numbered(head, event) for head, event in zip(heads, events, strict=True)],
    }


def _numbered(head: Head, event: AuditRow) -> tuple[Any, ...]:
    hashes = ([int(each) for each in text[1:-1].split(",")] for text in (event.keys, event.targets))
    return (head.rid, event.id, event.last_updated, list(event.patients), *hashes, event.body)


async def _copied(connection: "asyncpg.Connection[Any]", rows: loader.Rows) -> None:
    """By hand: the fastest way into PostgreSQL there is."""
    await loader.copy(connection, rows, {"audit_event": COLUMNS})
