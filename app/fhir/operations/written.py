"""Reading what an operation changes, and writing the ordinary resources it amounts to at once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from app.fhir import json
from app.fhir.change import Change, Committed
from app.fhir.commit import commit
from app.fhir.context import Agent, Call, Conditions, Context, Resource, Result
from app.fhir.disclose import Entry, bundle, disclose
from app.fhir.errors import Conflict, PreconditionFailed
from app.fhir.hidden import hidden
from app.fhir.ids import new_id
from app.fhir.interactions.read import current
from app.fhir.interactions.write import plan_create, plan_update, row_of
from app.fhir.routing import authorize

ATTEMPTS = 8

Plan = Callable[[Resource], Awaitable[Sequence[Change]]]
"""From a stored resource to the changes; asked again when somebody was faster."""


async def stored(ctx: Context, call: Call) -> Resource:
    """The resource an operation was called on; NotFound and Gone as a read has it.

    Whole, whatever of it the caller may be shown: an operation writes back what it does not change.
    """
    found = await current(ctx, Call("read", call.type, call.id))
    resource: Resource = json.parse(found["body"].encode())
    return resource


async def write(ctx: Context, call: Call, plan: Plan) -> list[Committed]:
    """Commit what `plan` makes of the current version, which nobody else changes meanwhile.

    Raises PreconditionFailed where If-Match names another version; without it, the plan is made
    anew of what others wrote.
    """
    for _ in range(ATTEMPTS):
        changes = await plan(await stored(ctx, call))
        try:
            return await commit(ctx, changes)
        except PreconditionFailed:
            if call.conditions.if_match not in (None, "*"):
                raise
    raise Conflict("Others keep changing the same resource at the same time; try again.")


def updated(ctx: Context, call: Call, resource: Resource) -> Change:
    """The Change of the resource the operation was called on, from the version it was read at."""
    authorize(ctx, "u", call.type)
    wanted = Call(
        "update", call.type, call.id, body=resource, conditions=Conditions(call.conditions.if_match)
    )
    change, version = plan_update(ctx, wanted), str(resource["meta"]["versionId"])
    if change.if_match is not None and not change.if_match & {version, "*"}:
        raise PreconditionFailed(
            f"The current version is {version}; If-Match names another: read it again.",
            expression=[str(call.type)],
        )
    return replace(change, if_match=frozenset({version}), keeps=True)


def created(ctx: Context, resource: Resource) -> Change:
    """The Change of a new resource, which needs the scope letter `c` for its type."""
    type_ = resource["resourceType"]
    authorize(ctx, "c", type_)
    made = {**resource, "id": resource.get("id") or new_id()}
    return plan_create(ctx, Call("create", type_, made["id"], body=made))


def author(agent: Agent, *types: str) -> dict[str, str] | None:
    """Who acts, as a Reference: the person if their type is among these, or their organization."""
    for one in (agent.fhir_user, agent.organization):
        if one is not None and one.partition("/")[0] in types:
            return {"reference": one}
    return None


async def answer(ctx: Context, call: Call, done: Sequence[Committed], status: int = 200) -> Result:
    """A Bundle of what was written; status, ETag and audit are about the first of it."""
    first = done[0]
    masked = await hidden(ctx, map(row_of, done))
    entries = (
        Entry(f"{ctx.base_url}/{one.type}/{one.id}", disclose(ctx, row_of(one), masked))
        for one in done
        if one.body is not None
    )
    is_wanted = call.prefer.returns in (None, "representation")
    return Result(
        status=status,
        body=bundle("collection", entries) if is_wanted else None,
        version=str(first.version),
        last_modified=first.last_updated,
        type=first.type,
        id=first.id,
        patients=first.about,
        is_recorded=True,
    )
