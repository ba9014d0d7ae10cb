"""A shelf of resources in a real database, and what a search URL finds on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from asyncpg import Record

from app.fhir import json
from app.fhir.access import Access, Everything
from app.fhir.compartments import is_single, subjects
from app.fhir.search.compile import compile_search
from app.fhir.search.parameters import extract
from app.fhir.search.query import Query, parse_query, within
from app.storage.database import Database
from app.storage.versions import Head, Part, write

BASE = "http://example.org/fhir"
ALL = Everything("test")
FIRST = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass
class Shelf:
    """Puts resources straight into the tables, each a second younger than the one before."""

    database: Database
    rids: list[int] = field(default_factory=list)

    async def put(self, *resources: dict[str, Any]) -> None:
        heads, rows = [], {}
        for resource in resources:
            rid = len(self.rids) + 1
            self.rids.append(rid)
            heads.append(head(rid, resource))
            for table, made in index(resource).items():
                rows.setdefault(table, []).extend((rid, *row) for row in made)
        async with self.database.transaction() as connection:
            await write(connection, Part(heads, rows))

    async def delete(self, type_: str, id_: str) -> None:
        await self.database.execute(
            "UPDATE resource SET deleted = true, body = NULL WHERE type = $1 AND id = $2",
            type_,
            id_,
        )

    async def rows(self, url: str, access: Access = ALL) -> Sequence[Record]:
        """What the statement of `Type?query` or `Patient/1/Type?query` returns."""
        statement = compile_search(asked(url), access, BASE)
        return await self.database.fetch(*statement.complete)

    async def find(self, url: str, access: Access = ALL) -> list[str]:
        """The ids of the matches, in order."""
        rows = await self.rows(url, access)
        return [row["id"] for row in rows if row["mode"] == "match"]

    async def included(self, url: str, access: Access = ALL) -> set[str]:
        """The included resources as Type/id."""
        rows = await self.rows(url, access)
        return {f"{row['type']}/{row['id']}" for row in rows if row["mode"] == "include"}


def asked(url: str) -> Query:
    path, _, text = url.partition("?")
    pairs = parse_qsl(text, keep_blank_values=True)
    *compartment, type_ = path.split("/")
    query = parse_query(type_, pairs, is_lenient=False)
    return within(query, *compartment) if compartment else query


def head(rid: int, resource: dict[str, Any]) -> Head:
    type_ = resource["resourceType"]
    about = subjects(resource, BASE)
    single = is_single(type_)
    return Head(
        rid=rid,
        type=type_,
        id=resource["id"],
        version=1,
        last_updated=FIRST + timedelta(seconds=rid),
        method="PUT",
        patient=about[0] if single and about else None,
        patients=None if single else about or None,
        keys=extract(resource, BASE).keys,
        digest=0,
        body=json.dump(resource).decode(),
    )


def index(resource: dict[str, Any]) -> dict[str, list[Any]]:
    found = extract(resource, BASE)
    return {
        "index_reference": found.references,
        "index_date": found.dates,
        "index_string": found.strings,
        "index_number": found.numbers,
        "index_composite": found.composites,
        "index_text": found.texts,
    }


@pytest.fixture
def shelf(database: Database) -> Shelf:
    return Shelf(database)
