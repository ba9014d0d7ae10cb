"""From method and path to an interaction, and from there to its answer.

The same for HTTP and for the entries of a Bundle: authorize by scope letter, run, leave an audit
trail. https://hl7.org/fhir/R4/http.html#summary
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from app.fhir.access import Access, Nothing, for_type
from app.fhir.audit import SUCCESS, Audited, audit_rows, outcome_of
from app.fhir.audit_event import MINOR_FAILURE
from app.fhir.audit_refusal import refusal_rows
from app.fhir.context import Agent, Call, Context, Result
from app.fhir.engine import Operation, Route
from app.fhir.errors import BadRequest, FHIRError, Forbidden, MethodNotAllowed, NotFound
from app.fhir.named import Named, find_named, is_asking, names_others
from app.fhir.references import ID
from app.fhir.refused import JUDGED, whom
from app.fhir.registry import compartment_names, is_type


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names; parts it has not are None."""

    shape: str
    type: str | None = None
    id: str | None = None
    version: str | None = None
    operation: str | None = None
    compartment: tuple[str, str] | None = None


@lru_cache(maxsize=4096)
def target(path: str) -> Target:
    """Take a path below the base apart. Raises NotFound, BadRequest for ids."""
    parts = path.removeprefix("/").removesuffix("/").split("/") if path.strip("/") else []
    if not all(parts):
        raise NotFound("The path has an empty segment: leave out the superfluous slash.")
    head = parts[0] if parts else ""
    if not head[:1].isupper():
        return _system(parts)
    if not is_type(head):
        raise NotFound("The path names no resource type of this server.", code="not-supported")
    if len(parts) == 1 or parts[1].startswith(("_", "$")):
        return _on_type(head, parts[1:])
    if not ID.match(parts[1]):
        raise BadRequest(
            "A logical id has 1 to 64 letters, digits, hyphens and dots.", code="value"
        )
    return _on_instance(head, parts[1], parts[2:])


def _system(parts: Sequence[str]) -> Target:
    if len(parts) == 1 and parts[0].startswith("$"):
        return Target("$[operation]", operation=parts[0][1:])
    if len(parts) == 2 and parts[0] == "_async":
        return Target("_async/[id]", id=parts[1])
    return Target("/".join(parts))


def _on_type(type_: str, rest: Sequence[str]) -> Target:
    if len(rest) == 1 and rest[0].startswith("$"):
        return Target("[type]/$[operation]", type_, operation=rest[0][1:])
    return Target("/".join(["[type]", *rest]), type_)


def _on_instance(type_: str, id_: str, rest: Sequence[str]) -> Target:
    match rest:
        case [name] if name.startswith("$"):
            return Target("[type]/[id]/$[operation]", type_, id_, operation=name[1:])
        case ["_history", version]:
            if not ID.match(version):
                raise BadRequest("A version is a whole number.", code="value")
            return Target("[type]/[id]/_history/[vid]", type_, id_, version)
        case [member, *more] if is_type(member) and type_ in compartment_names():
            shape = "/".join(["[compartment]/[id]/[type]", *more])
            return Target(shape, member, compartment=(type_, id_))
        case ["*", *more] if type_ in compartment_names():
            return Target("/".join(["[compartment]/[id]/*", *more]), compartment=(type_, id_))
    return Target("/".join(["[type]/[id]", *rest]), type_, id_)


def route(routes: Sequence[Route], method: str, path: str) -> tuple[Route, Target]:
    """The row of the switchboard for a request.

    Raises NotFound where nothing lives at the path, MethodNotAllowed where the method does not.
    """
    found = target(path)
    for row in routes:
        if row.path == found.shape and row.method == method:
            return row, found
    methods = {row.method for row in routes if row.path == found.shape}
    if not methods:
        raise NotFound("Nothing is served at this path.")
    allowed = ", ".join(sorted(methods))
    raise MethodNotAllowed(
        f"{method} does not apply here; use {allowed}.", headers={"Allow": allowed}
    )


def to_call(row: Route, found: Target, **asked: Any) -> Call:
    """The Call of a request to this row; `asked` are the further fields of Call.

    Batch and transaction share a path: the type of the Bundle tells them apart.
    """
    body = asked.get("body")
    is_batch = row.path == "" and isinstance(body, dict) and body.get("type") == "batch"
    return Call(
        interaction="batch" if is_batch else row.interaction,
        type=found.type,
        id=found.id,
        version=found.version,
        operation=found.operation,
        compartment=found.compartment,
        **asked,
    )


async def perform(ctx: Context, row: Route, call: Call) -> Result:
    """Run one interaction for a caller and record it, whether it succeeded or was refused."""
    try:
        authorize(ctx, _letter(ctx, row, call), call.type)
        result = await row.run(ctx, call)
        others = None
        if is_asking(call, result.patients):
            others = await find_named(ctx, call)
            result = replace(result, patients=result.patients or others.seen)
        if ctx.emergency is not None:
            await ctx.engine.alarm(ctx, call, result)
    except FHIRError as error:
        await record_refusal(ctx, call, error)
        raise
    if not result.is_recorded:
        await record_answer(ctx, call, result, others)
    return result


async def record_answer(
    ctx: Context, call: Call, result: Result, others: Named | None = None
) -> None:
    """Leave an audit trail of a call that was answered, for `others` whom it named, too."""
    rows = audit_rows(*_told(ctx), _answered(ctx, call, result))
    if others is not None:
        refused = _suppressed(call, result, others)
        more = refusal_rows(*_told(ctx), refused)
        # Somebody who is not shown and somebody who is not there leave as many events.
        kept = rows if result.patients or not others.unseen else []
        rows = [*kept, *more] if others.unseen else rows
    await ctx.engine.audit.record(rows)


def authorize(ctx: Context, letter: str, type_: str | None) -> None:
    """Forbidden unless a granted scope has this letter for this type, and the role may use it."""
    if not letter:
        return
    if not _opens(ctx.scopes, letter, type_):
        raise Forbidden(
            f"No granted scope permits this: it needs {type_ or '*'}.{letter}.",
            headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
        )
    if not _opens(ctx.access, letter, type_):
        raise Forbidden(_closed(ctx, letter, type_))


def _closed(ctx: Context, letter: str, type_: str | None) -> str:
    """Why a scope that was granted does not open this."""
    if ctx.agent.organization is None and ctx.agent.fhir_user is None:
        return "The token names no organization and no person it acts for, so it opens nothing."
    if ctx.emergency is not None and letter not in ctx.access:
        return "In an emergency records are read, and not written."
    return (
        f"Whatever the scopes say, the role {ctx.agent.role} of this token may not do this with"
        f" {type_ or 'any resource'}."
    )


def _opens(access: Mapping[str, Access], letter: str, type_: str | None) -> bool:
    found = access.get(letter, Nothing())
    return not isinstance(for_type(found, type_) if type_ else found, Nothing)


def _letter(ctx: Context, row: Route, call: Call) -> str:
    if call.operation is None:
        return row.letter
    return operation(ctx.engine.operations, call).letter


def operation(operations: Mapping[str, Operation], call: Call) -> Operation:
    """The operation a call names. Raises NotFound where it may not be called like this."""
    found = known_operation(operations, call.type, call.operation)
    level = "instance" if call.id else "type" if call.type else "system"
    if found is None or level not in found.levels or not _applies(found, call.type):
        raise NotFound(f"There is no operation ${call.operation} here.", code="not-supported")
    return found


def known_operation(
    operations: Mapping[str, Operation], type_: str | None, name: str | None
) -> Operation | None:
    """The operation of this name: that of the type alone, or that of all its types."""
    return operations.get(f"{type_}/{name}") or operations.get(name or "")


def _applies(found: Operation, type_: str | None) -> bool:
    return type_ is None or not found.types or type_ in found.types


async def record_refusal(ctx: Context, call: Call, error: FHIRError) -> None:
    """Leave an audit trail of a call that was refused; a rollback cannot take it back."""
    refused = _refused(call, error)
    if error.status in JUDGED:
        about = await whom(ctx, call)
        refused = replace(refused, patients=about, is_query_apart=names_others(call, about))
    await ctx.engine.audit.record(refusal_rows(*_told(ctx), refused))


def _told(ctx: Context) -> tuple[Agent, str, datetime, str]:
    return ctx.agent, ctx.request_id, ctx.now, ctx.engine.base_url


def _suppressed(call: Call, result: Result, others: Named) -> Audited:
    """That nothing was shown of those who were named and may not be seen."""
    return Audited(
        interaction=call.interaction,
        outcome=MINOR_FAILURE,
        status=result.status,
        type=call.type,
        id=call.id,
        patients=others.unseen,
        query=_query(call),
        is_query_apart=names_others(call, others.unseen),
        reason="suppressed",
    )


def _answered(ctx: Context, call: Call, result: Result) -> Audited:
    return Audited(
        interaction=call.interaction,
        outcome=SUCCESS,
        status=result.status,
        type=result.type or call.type,
        id=result.id or call.id,
        version=result.version,
        patients=result.patients,
        query=_query(call),
        is_query_apart=names_others(call, result.patients),
        consents=result.consents,
        reason=ctx.emergency,
    )


def _refused(call: Call, error: FHIRError) -> Audited:
    return Audited(
        interaction=call.interaction,
        outcome=outcome_of(error.status),
        status=error.status,
        type=call.type,
        id=call.id,
        query=_query(call),
        reason=error.issues[0].code,
    )


def _query(call: Call) -> str | None:
    if not call.query:
        return None
    return "&".join(f"{name}={value}" for name, value in call.query) or None
