"""Canonical resources by their url: those that come with the server, then those that are stored.

What a definition says is for everyone who may use the server, so it is looked up by what the caller
may know of at all, whatever the scopes. https://hl7.org/fhir/R4/references.html#canonical
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from app.fhir import json
from app.fhir.context import Context, Resource
from app.fhir.search.parameters import criterion
from app.fhir.terminology.code_system import CodeSystem
from app.fhir.terminology.code_system import read as read_code_system
from app.fhir.terminology.held import KINDS, Held, code_system_of_r4, imports, of_r4
from app.fhir.visible import visible
from app.storage.sql import Arguments

SPECIAL = re.compile(r"([\\,$|])")
RANK = {"active": 2, "draft": 1}


async def find(ctx: Context, type_: str, canonical: str) -> Resource | None:
    """The resource at `url` or `url|version`; of several the active one of the highest version."""
    url, _, version = canonical.partition("|")
    own = _own(ctx, type_, url)
    if own is not None and version in ("", own.get("version")):
        return own
    found = [one for one in await _stored(ctx, type_, url) if version in ("", one.get("version"))]
    return max(found, key=_rank, default=None)


def _own(ctx: Context, type_: str, url: str) -> Resource | None:
    """What comes with the server: it cannot be replaced by what is stored."""
    found = ctx.engine.definitions.get(url)
    if found is not None and found["resourceType"] == type_:
        return found
    return of_r4(type_, url) if type_ in KINDS else None


async def _stored(ctx: Context, type_: str, url: str) -> list[Resource]:
    args = Arguments()
    source = visible(ctx.reach, type_, args)
    named = criterion(type_, "url", SPECIAL.sub(r"\\\1", url), args, alias="r")
    statement = (
        f"SELECT r.id, r.version, r.last_updated, r.body FROM {source} AS r"
        f" WHERE NOT r.deleted AND {named} LIMIT 50"
    )
    rows = await ctx.store.fetch(*args.statement(statement))
    return [
        _read(Text((row["id"], row["version"], row["last_updated"]), row["body"])) for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Text:
    """A stored version, which `stamp` names: its text never changes."""

    stamp: tuple[str, int, datetime]
    body: str = field(compare=False)


@lru_cache(maxsize=512)
def _read(text: Text) -> Resource:
    """The resource, without what only readers need; do not change it."""
    found: Resource = json.parse(text.body.encode())
    found.pop("text", None)
    if found.get("differential", {}).get("element"):
        found.pop("snapshot", None)
    return found


def _rank(one: Resource) -> tuple[int, list[int], str]:
    version = str(one.get("version", ""))
    numbers = [int(part) for part in re.findall(r"\d+", version)]
    return RANK.get(one.get("status", ""), 0), numbers, one["meta"]["lastUpdated"]


async def code_system(ctx: Context, canonical: str) -> CodeSystem | None:
    """The code system at this url, read."""
    url, _, version = canonical.partition("|")
    known = code_system_of_r4(url) if url not in ctx.engine.definitions else None
    if known is not None and version in ("", known.version):
        return known
    found = await find(ctx, "CodeSystem", canonical)
    return read_code_system(found) if found else None


async def terminology(ctx: Context, value_sets: Iterable[Resource], urls: Iterable[str]) -> Held:
    """What is held of these value sets, of those at the urls, and of all they are made from."""
    known: dict[str, Resource] = {}
    systems: dict[str, CodeSystem] = {}
    left, wanted = list(value_sets), list(urls)
    while left or wanted:
        if not left:
            url = wanted.pop()
            made = None if url in known else await find(ctx, "ValueSet", url)
            left = [made] if made else []
            continue
        one = left.pop()
        known[str(one.get("url", ""))] = one
        sets, needed = imports(one)
        wanted += sets - known.keys()
        for url in needed - systems.keys():
            if (system := await code_system(ctx, url)) is not None:
                systems[url] = system
    return Held(known, systems)
