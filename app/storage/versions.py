"""Append versions: the statements with which `commit` writes heads, versions and index rows."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from app.storage import audit
from app.storage.audit import AuditRow
from app.storage.sql import Connection

Row = tuple[Any, ...]
Columns = Sequence[tuple[str, str]]
"""Columns, each with its type."""

STAMP = "SELECT coalesce((SELECT max(stamp) FROM search_registry), '')"
"""The search parameters that are registered when a statement begins."""

PLACE = (("is_least", "boolean"), ("is_greatest", "boolean"))
"""Whether a resource is sorted by this row under the parameter, and whether when descending."""

DERIVED: Mapping[str, Columns] = {
    "index_reference": (("param", "int"), ("target", "text")),
    "index_date": (("param", "int"), ("lo", "timestamptz"), ("hi", "timestamptz"), *PLACE),
    "index_string": (("param", "int"), ("folded", "text"), ("exact", "text"), *PLACE),
    "index_number": (
        ("param", "int"),
        ("lo", "numeric"),
        ("hi", "numeric"),
        ("units", "bigint[]"),
        *PLACE,
    ),
    "index_composite": (
        ("param", "int"),
        ("tokens", "bigint[]"),
        ("lo", "numeric"),
        ("hi", "numeric"),
        ("units", "bigint[]"),
        ("starts", "timestamptz"),
        ("ends", "timestamptz"),
        ("folded", "text"),
        ("exact", "text"),
    ),
    "index_text": (("narrative", "text"), ("content", "text")),
    "relationship": (
        ("patient", "text"),
        ("actor", "text"),
        ("basis", "text"),
        ("starts", "timestamptz"),
        ("ends", "timestamptz"),
    ),
    "affiliation": (
        ("actor", "text"),
        ("principal", "text"),
        ("starts", "timestamptz"),
        ("ends", "timestamptz"),
    ),
    "search_parameter": (("base", "text"), ("code", "text"), ("definition", "text")),
    "consent_rule": (
        ("patient", "text"),
        ("actor", "text"),
        ("consent", "text"),
        ("path", "text"),
        ("permits", "boolean"),
        ("closes", "boolean"),
        ("purposes", "text[]"),
        ("actions", "text[]"),
        ("least", "smallint"),
        ("most", "smallint"),
        ("labels", "text[]"),
        ("opens", "text[]"),
        ("is_narrow", "boolean"),
        ("classes", "bigint[]"),
        ("codes", "bigint[]"),
        ("lo", "timestamptz"),
        ("hi", "timestamptz"),
        ("is_named", "boolean"),
        ("instances", "bigint[]"),
        ("dependents", "bigint[]"),
        ("authors", "bigint[]"),
        ("related", "text[]"),
        ("starts", "timestamptz"),
        ("ends", "timestamptz"),
        ("lineage", "bigint"),
        ("signed", "timestamptz"),
    ),
}
"""The tables whose rows follow from the current version: their columns after `rid`."""

WORDS = "index_text"
"""The table with one row a resource, which hardly an edit leaves as it was: it is replaced."""


class Head(NamedTuple):
    """What becomes the current version; `method` is the HTTP method that made it.

    Its fields are in the order of HEAD.
    """

    rid: int
    type: str
    id: str
    version: int
    last_updated: datetime
    method: str
    patient: str | None
    patients: Sequence[str] | None
    keys: Sequence[int]
    digest: int
    body: str | None
    confidentiality: int = 3
    labels: Sequence[str] | None = None
    seals: Sequence[str] | None = None
    traits: Sequence[int] = ()
    lo: datetime | None = None
    hi: datetime | None = None
    pointers: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes current in one statement.

    `rows` holds, by table of DERIVED, rows that begin with the rid; `events` go to the audit trail,
    `stale` are the rids of whom rows are removed first, by table.
    """

    heads: Sequence[Head]
    rows: Mapping[str, Sequence[Row]]
    events: Sequence[AuditRow] = ()
    stale: Mapping[str, Sequence[int]] = field(default_factory=dict)


async def write(connection: Connection, part: Part) -> str:
    """Make these the current versions and append them to history, with their derived rows.

    One round trip, where nothing is stale. Answers the stamp of the search parameters that are
    registered: rows that were derived under another must not be committed.
    """
    for table, rids in part.stale.items():
        await connection.execute(f"DELETE FROM {table} WHERE rid = ANY($1::bigint[])", rids)
    return str(await connection.fetchval(*_statement_of(part)))


async def write_parts(connection: Connection, parts: Iterable[Part]) -> set[str]:
    """`write` one part after the other; each is made while the one before is being written."""
    stamps: set[str] = set()
    writing: asyncio.Task[str] | None = None
    try:
        for part in parts:
            if writing is not None:
                stamps.add(await writing)
            writing = asyncio.create_task(write(connection, part))
            # Now it is on its way.
            await asyncio.sleep(0)
        if writing is not None:
            stamps.add(await writing)
    finally:
        if writing is not None and not writing.done():
            writing.cancel()
            await asyncio.wait([writing])
    return stamps


def _statement_of(part: Part) -> tuple[Any, ...]:
    """The statement that writes a part, with its arguments."""
    tables = tuple(table for table in DERIVED if part.rows.get(table))
    columns = _columns("resource", part.heads)
    for table in tables:
        columns += _columns(table, part.rows[table])
    return (_statement(tables), *columns, *audit.columns(part.events))


def _columns(table: str, rows: Sequence[Row]) -> list[Sequence[Any]]:
    """The columns of these rows: array literals for arrays, which unnest would flatten."""
    columns: list[Sequence[Any]] = [*zip(*rows, strict=True)]
    for at in ARRAYS[table]:
        columns[at] = [*map(_array, columns[at])]
    return columns


def _array(items: Sequence[Any] | None) -> str | None:
    """An array literal, of items that need no quoting."""
    return None if items is None else f"{{{','.join(map(str, items))}}}"


RID = ("rid", "bigint")
HEAD: Columns = (
    RID,
    ("type", "text"),
    ("id", "text"),
    ("version", "int"),
    ("last_updated", "timestamptz"),
    ("method", "text"),
    ("patient", "text"),
    ("patients", "text[]"),
    ("keys", "bigint[]"),
    ("digest", "bigint"),
    ("body", "text"),
    ("confidentiality", "smallint"),
    ("labels", "text[]"),
    ("seals", "text[]"),
    ("traits", "bigint[]"),
    ("lo", "timestamptz"),
    ("hi", "timestamptz"),
    ("pointers", "text[]"),
)


ROWS: Mapping[str, Columns] = {
    "resource": HEAD,
    **{table: (RID, *columns) for table, columns in DERIVED.items()},
}
ARRAYS = {
    table: [at for at, (_, kind) in enumerate(columns) if kind.endswith("[]")]
    for table, columns in ROWS.items()
}
"""The positions of the columns that hold arrays."""


@cache
def _statement(tables: tuple[str, ...]) -> str:
    """The one statement that writes heads, versions, the rows of these tables, and events."""
    made, at = [_unnest("w", HEAD, 1)], 1 + len(HEAD)
    made += [_UPSERT, _APPEND]
    for table in tables:
        columns = ROWS[table]
        names = ", ".join(name for name, _ in columns)
        made.append(_unnest(f"{table}_row", columns, at))
        made.append(
            f"{table}_made AS (INSERT INTO {table} ({names}) SELECT {names} FROM {table}_row"
            f"{_REPLACING if table == WORDS else ''})"
        )
        at += len(columns)
    made.append(audit.appending(at))
    return "WITH " + ",\n".join(made) + f"\n{STAMP}"


def _unnest(name: str, columns: Columns, at: int) -> str:
    """A CTE of rows from one array argument per column, the first being $at."""
    arrays = ", ".join(
        f"${at + i}::{'text' if kind.endswith('[]') else kind}[]"
        for i, (_, kind) in enumerate(columns)
    )
    raw = ", ".join(column for column, _ in columns)
    cast = ", ".join(f"{c}::{kind}" if kind.endswith("[]") else c for c, kind in columns)
    return f"{name} AS MATERIALIZED (SELECT {cast} FROM unnest({arrays}) AS u({raw}))"


_UPSERT = """head AS (
  INSERT INTO resource
    (rid, type, id, version, last_updated, deleted, patient, patients, keys, digest, body,
     confidentiality, labels, seals, traits, lo, hi, pointers)
  SELECT
    rid, type, id, version, last_updated, body IS NULL, patient, patients, keys, digest, body,
    confidentiality, labels, seals, traits, lo, hi, pointers
  FROM w
  ON CONFLICT (rid) DO UPDATE SET
    version = excluded.version, last_updated = excluded.last_updated, deleted = excluded.deleted,
    patient = excluded.patient, patients = excluded.patients, keys = excluded.keys,
    digest = excluded.digest, body = excluded.body, confidentiality = excluded.confidentiality,
    labels = excluded.labels, seals = excluded.seals, traits = excluded.traits, lo = excluded.lo,
    hi = excluded.hi, pointers = excluded.pointers)"""
_REPLACING = """
  ON CONFLICT (rid) DO UPDATE SET narrative = excluded.narrative, content = excluded.content
  WHERE (index_text.narrative, index_text.content) <> (excluded.narrative, excluded.content)"""
_APPEND = """version_made AS (
  INSERT INTO resource_version
    (rid, version, type, last_updated, method, patient, patients, body, confidentiality, labels,
     seals, pointers)
  SELECT
    rid, version, type, last_updated, method, patient, patients, body, confidentiality, labels,
    seals, pointers
  FROM w)"""
