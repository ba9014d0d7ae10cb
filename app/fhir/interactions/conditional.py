"""What a conditional create, update, patch or delete amounts to, once its criteria are looked up.

https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #3.1.0.7.1, #patch
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from asyncpg import Record

from app.fhir.change import Change, Committed
from app.fhir.context import Call, Context, Result
from app.fhir.errors import BadRequest, NotFound, PreconditionFailed
from app.fhir.hidden import hidden
from app.fhir.interactions import write
from app.fhir.interactions.condition import Key, criteria, matches, named, settled
from app.fhir.interactions.patch import plan_patch
from app.fhir.marks import Marks
from app.fhir.routing import authorize

PLANS: Mapping[str, Callable[[Context, Call], Change]] = {
    "create": write.plan_create,
    "update": write.plan_update,
    "delete": write.plan_delete,
}
CHANGES = frozenset({*PLANS, "patch"})
"""The interactions that change one resource."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The ordinary calls that a call amounts to, or the resource that is there already."""

    calls: tuple[Call, ...]
    found: Record | None = None


def names(call: Call) -> list[str]:
    """What to lock before the call is resolved; none where nothing has to be looked up."""
    asked = criteria(call)
    if asked is not None:
        return [str(asked)]
    return [f"PATCH {call.type}/{call.id}"] if call.interaction == "patch" else []


async def resolve(ctx: Context, call: Call, gone: Collection[Key] = ()) -> Resolved:
    """Look up what the criteria of a call match; any other call is what it is.

    Raises Forbidden where the token may not search, PreconditionFailed for too many matches.
    """
    asked = criteria(call)
    if asked is None:
        return Resolved((call,))
    write.refuse_server_only(call)
    authorize(ctx, "s", call.type)
    if call.interaction == "delete":
        found = await matches(ctx, asked, gone, most=_most(ctx))
        return Resolved(tuple(settled(call, id=row["id"]) for row in found))
    rows = await matches(ctx, asked, gone)
    if call.interaction == "create":
        return Resolved((), rows[0]) if rows else Resolved((settled(call),))
    if call.interaction == "patch":
        return Resolved((_patch(call, rows),))
    return Resolved((_update(ctx, call, rows),))


def _most(ctx: Context) -> int:
    policy = ctx.engine.policy
    return policy.max_entries if policy.conditional_delete == "multiple" else 1


def _patch(call: Call, rows: Sequence[Record]) -> Call:
    if not rows:
        raise NotFound(f"No {call.type} that is known to you matches.")
    return settled(call, id=rows[0]["id"])


def _update(ctx: Context, call: Call, rows: Sequence[Record]) -> Call:
    """By match and id in the body, as the table of #cond-update has it."""
    body = named(call.body)
    given = body.get("id")
    if rows:
        if given not in (None, rows[0]["id"]):
            raise BadRequest(
                f"What matches has another id than the body: leave it out, or send"
                f" {rows[0]['id']}.",
                expression=[f"{call.type}.id"],
            )
        return settled(call, id=rows[0]["id"], body={**body, "id": rows[0]["id"]})
    if call.conditions.if_match is not None:
        raise PreconditionFailed("Nothing matches that If-Match could name a version of.")
    if given is None:
        authorize(ctx, "c", call.type)
        return settled(call, interaction="create")
    absent = replace(call.conditions, if_none_match="*")
    return settled(call, id=given, conditions=absent)


async def planned(ctx: Context, call: Call) -> Change:
    """The Change of a call that is not conditional any more."""
    if call.interaction == "patch":
        return await plan_patch(ctx, call)
    return PLANS[call.interaction](ctx, call)


async def present(ctx: Context, call: Call, row: Record) -> Result:
    """A conditional create found its resource: 200, and nothing was written."""
    marks = Marks(row["confidentiality"], seals=tuple(row["seals"] or ()))
    about = (row["patient"], row["patients"], row["body"], marks)
    there = Committed(
        row["type"], row["id"], row["version"], row["last_updated"], "unchanged", *about
    )
    masked = await hidden(ctx, [write.row_of(there)])
    answer = write.result(ctx, call, there, masked)
    return replace(answer, location=write.location(ctx, there), is_recorded=False)
