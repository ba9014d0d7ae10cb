"""Canonical resources by their url: the server's own, then those that are stored, then of guides.

What a definition says is for everyone who may use the server, so it is looked up by what the caller
may know of at all, whatever the scopes. https://hl7.org/fhir/R4/references.html#canonical
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from app.fhir import guides, json
from app.fhir.context import Context, Resource
from app.fhir.search.parameters import criterion
from app.fhir.terminology.code_system import CodeSystem
from app.fhir.terminology.code_system import read as read_code_system
from app.fhir.terminology.held import KINDS, Held, code_system_of_r4, imports, of_r4
from app.fhir.visible import visible
from app.storage.sql import Arguments

SPECIAL = re.compile(r"([\\,$|])")
RANK = {"active": 2, "draft": 1}
MOST = 50
"""Resources of one url that are looked at."""


async def find(ctx: Context, type_: str, canonical: str) -> Resource | None:
    """The resource at `url` or `url|version`; of several the active one of the highest version."""
    url, _, version = canonical.partition("|")
    own = _own(ctx, type_, url)
    if own is not None and version in ("", own.get("version")):
        return own
    found = [*await _stored(ctx, type_, [url]), *_of_guide(type_, url)]
    fitting = [one for one in found if version in ("", one.get("version"))]
    return max(fitting, key=_rank, default=None)


async def find_all(ctx: Context, type_: str, urls: Iterable[str]) -> Mapping[str, Resource]:
    """By url, what `find` finds at each of these urls without a version."""
    asked = set(urls)
    known = {url: own for url in asked if (own := _own(ctx, type_, url)) is not None}
    left = asked - known.keys()
    found = [one for url in left for one in _of_guide(type_, url)]
    found += await _stored(ctx, type_, left) if left else ()
    return known | {one["url"]: one for one in sorted(found, key=_rank) if one["url"] in left}


def _own(ctx: Context, type_: str, url: str) -> Resource | None:
    """What comes with the server: it cannot be replaced by what is stored."""
    found = ctx.engine.definitions.get(url)
    if found is not None and found["resourceType"] == type_:
        return found
    return of_r4(type_, url) if type_ in KINDS else None


def _of_guide(type_: str, url: str) -> list[Resource]:
    """What the server says of a guide by others: what is stored of that guide comes before it."""
    found = guides.definitions().get(url)
    return [found] if found is not None and found["resourceType"] == type_ else []


async def _stored(ctx: Context, type_: str, urls: Collection[str]) -> list[Resource]:
    args = Arguments()
    source = visible(ctx.reach, type_, args)
    values = ",".join(SPECIAL.sub(r"\\\1", url) for url in sorted(urls))
    named = criterion(type_, "url", values, args, alias="r")
    statement = (
        f"SELECT r.id, r.version, r.last_updated, r.body FROM {source} AS r"
        f" WHERE NOT r.deleted AND {named} LIMIT {MOST * len(urls)}"
    )
    rows = await ctx.store.fetch(*args.statement(statement))
    return [
        _read(Text((type_, row["id"], row["version"], row["last_updated"]), row["body"]))
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Text:
    """A stored version, which `stamp` names: its text never changes."""

    stamp: tuple[str, str, int, datetime]
    body: str = field(compare=False)


@lru_cache(maxsize=512)
def _read(text: Text) -> Resource:
    """The resource, without what only readers need; do not change it."""
    found: Resource = json.parse(text.body.encode())
    found.pop("text", None)
    if found.get("differential", {}).get("element"):
        found.pop("snapshot", None)
    return found


def _rank(one: Resource) -> tuple[bool, int, list[int], str]:
    """What was made here, stored or not, comes after all that was published by the guide."""
    version = str(one.get("version", ""))
    numbers = [int(part) for part in re.findall(r"\d+", version)]
    updated = one.get("meta", {}).get("lastUpdated", "")
    return not guides.is_ours(one), RANK.get(one.get("status", ""), 0), numbers, updated


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
    left, wanted, needed = list(value_sets), {plain(url) for url in urls}, set[str]()
    seen = set(wanted)
    while left or wanted:
        left += (await find_all(ctx, "ValueSet", wanted)).values() if wanted else ()
        known |= {str(one.get("url", "")): one for one in left}
        parts = [imports(one) for one in left]
        wanted = set().union(*(sets for sets, _ in parts)) - seen - known.keys()
        seen |= wanted
        needed |= set().union(*(systems for _, systems in parts))
        left = []
    return Held(known, await _code_systems(ctx, needed))


async def _code_systems(ctx: Context, urls: Iterable[str]) -> Mapping[str, CodeSystem]:
    """The code systems at these urls, read; those of R4 are read once."""
    asked = {url.partition("|")[0] for url in urls}
    own = ctx.engine.definitions
    known = {url: one for url in asked if url not in own and (one := code_system_of_r4(url))}
    found = await find_all(ctx, "CodeSystem", asked - known.keys())
    return known | {url: read_code_system(one) for url, one in found.items()}


def plain(canonical: str) -> str:
    """The url of a canonical, without version and fragment."""
    return canonical.partition("|")[0].partition("#")[0]
