"""FHIR read and vread — https://hl7.org/fhir/R4/http.html#read, #vread"""

from functools import lru_cache
from typing import Any

from app.fhir.access import Access, Nothing, for_type
from app.fhir.alike import unlike, unlike_of, vouching, with_unlike
from app.fhir.context import Call, Context, Result
from app.fhir.disclose import disclose, is_redacted, patients
from app.fhir.errors import Gone, MethodNotAllowed, NotFound
from app.fhir.grounds import consents_of
from app.fhir.hidden import hidden, unlike_for
from app.fhir.instant import from_http_date
from app.fhir.known import known
from app.fhir.shape import Parts, shape
from app.fhir.visible import SHOWN, is_by_content, versions, visible
from app.storage.sql import Arguments, Row

UNVERSIONED = frozenset({"AuditEvent"})
"""Types whose resources never change, and so have no history."""


async def read(ctx: Context, call: Call) -> Result:
    """The current version; 304 when the caller has it, 404 when it is not visible, 410 deleted."""
    parts = shape(call.query)
    return await _answer(ctx, call, await current(ctx, call), parts)


async def current(ctx: Context, call: Call) -> Row:
    """The row of the current version, as it is stored. Raises NotFound, Gone."""
    assert call.type
    read, search = ctx.access.get("r", Nothing()), ctx.access.get("s", Nothing())
    compiled = _statement if is_by_content(for_type(read, call.type)) else _statement_once
    sql, *values = compiled(read, search, ctx.reach, call.type)
    rows = await ctx.read(sql, call.id, *values)
    if not rows:
        raise unknown(call)
    if rows[0]["deleted"]:
        raise Gone(
            f"{call.type}/{call.id} was deleted; its history is at {call.type}/{call.id}/_history."
        )
    return rows[0]


def _statement(read: Access, search: Access, reach: Access, type_: str) -> tuple[Any, ...]:
    """The statement that reads the resource with the id $1, and the values from $2 on."""
    args = Arguments(None)
    source = visible(read, type_, args)
    columns = f"r.rid, r.version, r.last_updated, r.deleted, {SHOWN}"
    found = f"SELECT {columns} FROM {source} AS r WHERE r.id = $1"
    judged = known(read, search, reach)
    asked = unlike(judged, vouching(judged, read, search))
    sql, _, *values = args.statement(with_unlike(found, asked))
    return sql, *values


_statement_once = lru_cache(maxsize=256)(_statement)


async def vread(ctx: Context, call: Call) -> Result:
    """One version, judged by today's access to the current one; 410 where it was a deletion."""
    assert call.type
    refuse_unversioned(call)
    parts, args, access = shape(call.query), Arguments(), ctx.access.get("r", Nothing())
    source = versions(access, call.type, args)
    sql = (
        f"SELECT r.rid, r.version, r.last_updated, {SHOWN} FROM {source} AS r"
        f" WHERE r.id = {args.add(call.id)} AND r.version::text = {args.add(call.version)}"
    )
    rows = await ctx.read(*args.statement(with_unlike(sql, unlike_for(ctx, of_versions=True))))
    if not rows:
        raise NotFound(
            f"{call.type}/{call.id} has no version {call.version}, or is not known to you."
        )
    row = rows[0]
    if row["body"] is None:
        raise Gone(f"{call.type}/{call.id} was deleted by version {call.version}.")
    return await _answer(ctx, call, row, parts)


def refuse_unversioned(call: Call) -> None:
    """MethodNotAllowed for what has one version only."""
    if call.type in UNVERSIONED:
        raise MethodNotAllowed(
            f"{call.type} has no history: it is written once, by the server.",
            headers={"Allow": "GET"},
        )


def unknown(call: Call) -> NotFound:
    """What is not visible and what does not exist are told alike."""
    return NotFound(f"{call.type}/{call.id} does not exist, or is not known to you.")


async def _answer(ctx: Context, call: Call, row: Row, parts: Parts) -> Result:
    """What is redacted is sent anew: who sees how much of a version changes without a new one."""
    masked = await hidden(ctx, [row], are_visible=True, doubted=unlike_of([row]))
    is_fresh = _is_fresh(call, row) and not is_redacted(ctx, row, masked)
    summary, elements = parts
    return Result(
        status=304 if is_fresh else 200,
        body=None if is_fresh else disclose(ctx, row, masked, summary=summary, elements=elements),
        version=str(row["version"]),
        last_modified=row["last_updated"],
        type=call.type,
        id=call.id,
        patients=patients(row),
        consents=consents_of([row]),
    )


def _is_fresh(call: Call, row: Row) -> bool:
    """Conditional read: If-None-Match decides alone where both headers are sent (RFC 9110 §13.2.2).

    https://hl7.org/fhir/R4/http.html#cread
    """
    asked = call.conditions
    if asked.if_none_match is not None:
        return f'"{row["version"]}"' in asked.if_none_match or asked.if_none_match.strip() == "*"
    since = from_http_date(asked.if_modified_since) if asked.if_modified_since else None
    return since is not None and row["last_updated"].replace(microsecond=0) <= since
