"""$isp-activate, $isp-suspend, $isp-revoke. docs/operations/isp-activate.md"""

from collections.abc import Sequence
from functools import partial
from hashlib import blake2b

from app.fhir.change import Change
from app.fhir.commit import commit
from app.fhir.context import Call, Conditions, Context, Resource, Result
from app.fhir.engine import Operation
from app.fhir.errors import BadRequest, Forbidden
from app.fhir.search.closure import closure
from app.isp.codes import DEFINITION
from app.isp.lifecycle import (
    ACTIVATE,
    REVOKE,
    SUSPEND,
    Move,
    check_active,
    moved,
    replaced,
    witness,
)
from app.isp.operations.asked import needed, sent
from app.isp.operations.written import answer, author, created, stored, updated
from app.isp.plan import Plan, assemble
from app.isp.resources import of_bodies
from app.isp.rules.profiles import DEFAULT, profile
from app.isp.rules.rule import Clock

KINDS = {"reason": ("valueString", "valueMarkdown")}
ACTORS = ("Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization")


async def run(move: Move, ctx: Context, call: Call) -> Result:
    """Move the plan, and write who did it, at once: 200.

    Raises BadRequest without If-Match or a reason where one is needed, PreconditionFailed when it
    names another version, Unprocessable where the move does not lead from the state of the plan, or
    the plan lacks what an active one must have.
    """
    given = sent(call, KINDS)
    if call.conditions.if_match is None:
        raise BadRequest("Say in If-Match which version of the plan you saw.", code="required")
    is_needed = move is not ACTIVATE or "reason" in given
    reason = str(needed(given, "reason")) if is_needed else None
    care_plan = await stored(ctx, call)
    changes = [updated(ctx, call, moved(care_plan, move)), _witness(ctx, care_plan, move, reason)]
    if move is not ACTIVATE:
        return await answer(ctx, call, await commit(ctx, changes))
    plan = await _plan(ctx, call)
    check_active(plan, _clock(ctx))
    changes += await _completed(ctx, plan)
    return await answer(ctx, call, await commit(ctx, changes, partial(_still_alone, call)))


async def _plan(ctx: Context, call: Call) -> Plan:
    rows = await closure(ctx, "CarePlan", str(call.id))
    bodies = (row["body"] for row in rows if not row["deleted"])
    return assemble(of_bodies(bodies, ctx.engine.base_url), str(call.id))


def _clock(ctx: Context) -> Clock:
    return Clock(ctx.now.date(), profile(DEFAULT).limits)


async def _completed(ctx: Context, plan: Plan) -> Sequence[Change]:
    """What the plan replaces ends when it begins."""
    changes = []
    for id_ in replaced(plan):
        call = Call("update", "CarePlan", id_, conditions=Conditions())
        old = await stored(ctx, call)
        changes.append(updated(ctx, call, {**old, "status": "completed"}))
    return changes


async def _still_alone(call: Call, ctx: Context) -> None:
    """Judge again within the transaction, one activation for a person at a time."""
    whose = (await stored(ctx, call)).get("subject", {}).get("reference", "")
    key = int.from_bytes(blake2b(whose.encode(), digest_size=8).digest(), signed=True)
    await ctx.store.fetchval("SELECT pg_advisory_xact_lock($1)", key)
    plan = await _plan(ctx, call)
    check_active(plan, _clock(ctx))


def _witness(ctx: Context, care_plan: Resource, move: Move, reason: str | None) -> Change:
    who = author(ctx.agent, *ACTORS)
    if who is None:
        raise Forbidden("The token stands for nobody who could answer for this.")
    is_resumed = move is ACTIVATE and care_plan["status"] == "on-hold"
    activity = "resume" if is_resumed else move.name
    return created(ctx, witness(care_plan, activity, who, reason, ctx.now))


ALL = [
    Operation(
        name=f"isp-{move.name}",
        definition=f"{DEFINITION}/CarePlan-isp-{move.name}",
        levels=frozenset({"instance"}),
        types=frozenset({"CarePlan"}),
        letter="u",
        run=partial(run, move),
    )
    for move in (ACTIVATE, SUSPEND, REVOKE)
]
