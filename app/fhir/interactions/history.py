"""FHIR history of an instance, a type, or the whole system.

https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from asyncpg import Record

from app.fhir import json
from app.fhir.access import Nothing, for_type
from app.fhir.alike import unlike_of, with_unlike
from app.fhir.context import Call, Context, Result
from app.fhir.cursor import PARAMETER, link, seal, unseal
from app.fhir.disclose import Entry, bundle, disclose, patients
from app.fhir.engine import Policy
from app.fhir.errors import BadRequest
from app.fhir.grounds import consents_of
from app.fhir.hidden import Hidden, hidden, unlike_for
from app.fhir.instant import from_text, to_text
from app.fhir.interactions.read import UNVERSIONED, read, refuse_unversioned, unknown
from app.fhir.references import Reference, local
from app.fhir.registry import STORED
from app.fhir.routing import authorize
from app.fhir.search.parameters.date import interval
from app.fhir.shape import Parts, shape
from app.fhir.subset import SUMMARIES
from app.fhir.visible import SHOWN, versions, visible
from app.storage.sql import Arguments

PARAMETERS = ("_since", "_before", "_at", "_list", "_sort", "_count")
STATUS = {"POST": "201", "PUT": "200", "PATCH": "200", "DELETE": "204"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose history is asked for under which scope letter, and what it is narrowed to.

    `after` is (last_updated, rid, version) of the last entry of the page before; nothing later
    than `until` is shown, so that pages stay put while others write. `listed` are the resources of
    a List, with the version where it names one.
    """

    letter: str
    types: Sequence[str]
    parts: Parts
    count: int
    since: datetime | None
    at: tuple[datetime, datetime] | None
    after: tuple[datetime, int, int] | None
    until: datetime | None
    before: datetime | None = None
    is_ascending: bool = False
    listed: Sequence[Reference] | None = None

    @property
    def is_counted(self) -> bool:
        """Whether the number of entries is all that is asked for."""
        return self.count == 0 or self.parts[0] == "count"


async def history_instance(ctx: Context, call: Call) -> Result:
    """All versions of one resource, newest first; 404 when it is not visible.

    Raises MethodNotAllowed for what has one version only.
    """
    assert call.type
    refuse_unversioned(call)
    asked = await listed(ctx, call, _asked(ctx, call, "r", [call.type]))
    found = await _found(ctx, call, asked)
    if not found and not await _exists(ctx, call):
        raise unknown(call)
    return await _answer(ctx, call, asked, found)


async def history_type(ctx: Context, call: Call) -> Result:
    """The changes to all visible resources of a type, newest first."""
    assert call.type
    return await _changes(ctx, call, [call.type])


async def history_system(ctx: Context, call: Call) -> Result:
    """The changes to all visible resources, newest first."""
    access = ctx.access.get("s", Nothing())
    types = [t for t in sorted(STORED) if not isinstance(for_type(access, t), Nothing)]
    return await _changes(ctx, call, types)


async def _changes(ctx: Context, call: Call, types: Sequence[str]) -> Result:
    """Up to an instant before which every change is committed: who polls from there misses none."""
    kept = [type_ for type_ in types if type_ not in UNVERSIONED]
    asked = await listed(ctx, call, _asked(ctx, call, "s", kept))
    if asked.until is None:
        horizon = await ctx.store.fetchval("SELECT history_horizon()")
        asked = replace(asked, until=horizon)
    return await _answer(ctx, call, asked, await _found(ctx, call, asked))


def _asked(ctx: Context, call: Call, letter: str, types: Sequence[str]) -> Asked:
    """Read the parameters, before the database is asked. Raises BadRequest."""
    parts = shape(call.query, (*PARAMETERS, PARAMETER), SUMMARIES)
    query, until = dict(call.query), None
    if PARAMETER in query and (position := unseal(ctx, call)):
        last_updated, rid, version, end = position
        after = (datetime.fromisoformat(last_updated), rid, version)
        until = datetime.fromisoformat(end) if end else None
    else:
        after = None
    since, before = (
        from_text(query[name], name) if name in query else None for name in ("_since", "_before")
    )
    count = _count(ctx.engine.policy, query.get("_count"))
    return Asked(
        letter,
        types,
        parts,
        count,
        since,
        _at(query.get("_at")),
        after,
        until,
        before,
        _is_ascending(query.get("_sort", "-_lastUpdated")),
    )


def _is_ascending(text: str) -> bool:
    if text not in ("_lastUpdated", "-_lastUpdated"):
        raise BadRequest("_sort is -_lastUpdated (newest first) or _lastUpdated.", code="value")
    return not text.startswith("-")


def _count(policy: Policy, text: str | None) -> int:
    if text is None:
        return policy.page_size
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadRequest("_count is a whole number from 0 on.", code="value")
    return min(int(text), policy.max_page_size)


def _at(text: str | None) -> tuple[datetime, datetime] | None:
    if text is None:
        return None
    try:
        return interval(text)
    except ValueError:
        raise BadRequest("_at is a date, or a date with a time.", code="value") from None


async def _found(ctx: Context, call: Call, asked: Asked) -> list[Record] | int:
    """The entries of the page and the next one, or how many there are."""
    args = Arguments()
    access = ctx.access.get(asked.letter, Nothing())
    source = versions(access, asked.types, args)
    matching = f"FROM {source} AS r WHERE {' AND '.join(_tests(call, asked, args)) or 'true'}"
    if asked.is_counted:
        total: int = await ctx.store.fetchval(*args.statement(f"SELECT count(*) {matching}"))
        return total
    sql = (
        "SELECT r.rid, r.type, r.id, r.version, r.last_updated, r.method,"
        f" {SHOWN} {matching} ORDER BY {_order(asked)}"
        # In the text, since it decides the plan.
        f" LIMIT {asked.count + 1}"
    )
    return await ctx.read(*args.statement(with_unlike(sql, unlike_for(ctx, of_versions=True))))


def _order(asked: Asked) -> str:
    way = "ASC" if asked.is_ascending else "DESC"
    return ", ".join(f"r.{column} {way}" for column in ("last_updated", "rid", "version"))


def _tests(call: Call, asked: Asked, args: Arguments) -> list[str]:
    tests = []
    if call.id:
        tests.append(f"r.id = {args.add(call.id)}")
    if asked.since:
        tests.append(f"r.last_updated >= {args.add(asked.since)}")
    if asked.before:
        tests.append(f"r.last_updated < {args.add(asked.before)}")
    if asked.listed is not None:
        tests.append(_in_list(asked.listed, args))
    if asked.until:
        tests.append(f"r.last_updated <= {args.add(asked.until)}")
    if asked.at:
        lo, hi = (args.add(instant) for instant in asked.at)
        tests.append(f"r.last_updated < {hi} AND (r.superseded IS NULL OR r.superseded > {lo})")
    if asked.after:
        place = ", ".join(args.add(part) for part in asked.after)
        beyond = ">" if asked.is_ascending else "<"
        tests.append(f"(r.last_updated, r.rid, r.version) {beyond} ({place})")
    return tests


def _in_list(listed: Sequence[Reference], args: Arguments) -> str:
    parts = ([each.type for each in listed], [each.id for each in listed])
    names = ", ".join(args.add(part, "text[]") for part in (*parts, [e.version for e in listed]))
    return (
        f"EXISTS (SELECT FROM unnest({names}) AS w(type, id, version) WHERE w.type = r.type"
        " AND w.id = r.id AND (w.version IS NULL OR w.version = r.version::text))"
    )


async def listed(ctx: Context, call: Call, asked: Asked) -> Asked:
    """Narrowed to what the List that _list names refers to. Raises NotFound, Gone, Forbidden."""
    text = dict(call.query).get("_list")
    if text is None:
        return asked
    named = local(text if "/" in text else f"List/{text}", ctx.base_url)
    if named is None or named.type != "List":
        raise BadRequest("_list is the id of a List.", code="value")
    authorize(ctx, "r", "List")
    found = await read(ctx, Call("read", "List", named.id))
    items = (entry.get("item", {}) for entry in json.parse(found.content).get("entry", ()))
    references = (local(item.get("reference"), ctx.base_url) for item in items)
    return replace(asked, listed=[each for each in references if each is not None])


async def _exists(ctx: Context, call: Call) -> bool:
    assert call.type
    args = Arguments()
    source = visible(ctx.access.get("r", Nothing()), call.type, args)
    sql = f"SELECT FROM {source} AS r WHERE r.id = {args.add(call.id)}"
    return await ctx.store.fetchrow(*args.statement(sql)) is not None


async def _answer(ctx: Context, call: Call, asked: Asked, found: Sequence[Record] | int) -> Result:
    links = {"self": link(ctx, call)}
    if isinstance(found, int):
        return Result(200, bundle("history", (), links, total=found, last_updated=asked.until))
    page = found[: asked.count]
    if len(found) > len(page):
        links["next"] = link(ctx, call, seal(ctx, call, _position(page[-1], asked)))
    masked = await hidden(ctx, page, are_visible=True, doubted=unlike_of(page))
    entries = [_entry(ctx, row, masked, asked.parts) for row in page]
    about = {patient for row in page for patient in patients(row)}
    body = bundle("history", entries, links, last_updated=asked.until)
    return Result(200, body, patients=tuple(sorted(about)), consents=consents_of(page))


def _position(row: Record, asked: Asked) -> list[Any]:
    until = asked.until.isoformat() if asked.until else None
    return [row["last_updated"].isoformat(), row["rid"], row["version"], until]


def _entry(ctx: Context, row: Record, masked: Hidden, parts: Parts) -> Entry:
    summary, elements = parts
    resource = None
    if row["body"]:
        resource = disclose(ctx, row, masked, summary=summary, elements=elements)
    place = f"{row['type']}/{row['id']}"
    method = row["method"]
    url = row["type"] if method == "POST" else place
    return Entry(
        full_url=f"{ctx.base_url}/{place}",
        resource=resource,
        request={"method": method, "url": url},
        response={
            "status": "201" if row["version"] == 1 else STATUS[method],
            "etag": f'W/"{row["version"]}"',
            "lastModified": to_text(row["last_updated"]),
        },
    )
