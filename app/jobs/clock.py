"""The clock: reviews and renewals are scheduled, what is overdue or unanswered is marked.

What it writes are ordinary Tasks, through the same door as everybody; to run it twice, or by two
processes at once, changes nothing more.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import asyncpg

from app.admission import admit
from app.auth.caller import Caller
from app.auth.scopes import parse
from app.fhir import json
from app.fhir.change import Change
from app.fhir.commit import commit
from app.fhir.context import Call, Conditions, Context, Resource
from app.fhir.engine import Engine
from app.fhir.errors import FHIRError
from app.fhir.ids import new_id
from app.fhir.interactions.write import plan_create, plan_update
from app.isp.codes import ISP, PLAN, RENEWAL, REVIEW
from app.isp.element import codes, name, names
from app.isp.lifecycle import is_isp
from app.isp.rules.profiles import DEFAULT, profile
from app.isp.schedule import due_day, marked, missing
from app.isp.searching import pages
from app.settings import Settings
from app.storage.alone import alone
from app.storage.database import DatabaseAway

log = logging.getLogger(__name__)

LOCK = (1_230_192_205, 5)
PLANS = 100
"""Plans looked at together."""

CLOCK = Caller(
    client_id="isp-clock",
    role="operator",
    organization=None,
    user=None,
    fhir_user=None,
    patient=None,
    scopes=parse("system/CarePlan.rs system/Task.cruds"),
    extra_scopes=frozenset(),
    purpose=None,
    token_id="",
    expires=0,
)


@dataclass(slots=True)
class Ticked:
    """What one round did: Tasks made and marked, and plans that others kept it from."""

    made: int = 0
    marked: int = 0
    left: int = 0


async def tick(engine: Engine, now: datetime | None = None) -> Ticked:
    """Go once through all plans in force, on this day. Raises DatabaseAway."""
    done = Ticked()
    ctx = replace(admit(engine, CLOCK, new_id()), now=now or datetime.now(UTC))
    async for plans in _plans(ctx):
        tasks = await _tasks(ctx, plans)
        for plan in plans:
            await _kept(ctx, plan, tasks.get(name(plan), []), done)
    return done


async def _plans(ctx: Context) -> AsyncIterator[Sequence[Resource]]:
    wanted = [("category", f"{ISP}|{PLAN}"), ("status", "active")]
    async for rows in pages(ctx, "CarePlan", wanted, PLANS):
        found: list[Resource] = [json.parse(row["body"].encode()) for row in rows]
        yield [one for one in found if is_isp(one)]


async def _tasks(ctx: Context, plans: Sequence[Resource]) -> dict[str, list[Resource]]:
    """The review and renewal Tasks of these plans, by the plan."""
    found: dict[str, list[Resource]] = {}
    if not plans:
        return found
    kinds = ",".join(f"{ISP}|{kind}" for kind in (REVIEW, RENEWAL))
    wanted = [("code", kinds), ("focus", ",".join(map(name, plans)))]
    async for rows in pages(ctx, "Task", wanted):
        for row in rows:
            task: Resource = json.parse(row["body"].encode())
            focus = task["focus"]
            focus["reference"] = focus["reference"].removeprefix(f"{ctx.engine.base_url}/")
            for own in names(focus):
                found.setdefault(own, []).append(task)
    return found


async def _kept(ctx: Context, plan: Resource, tasks: list[Resource], done: Ticked) -> None:
    """Write what one plan still needs; what somebody else writes meanwhile waits for next time."""
    limits = profile(DEFAULT).limits
    new = [_identified(plan, one) for one in missing(plan, tasks, limits, ctx.now)]
    late = [one for one in (marked(t, limits, ctx.now.date()) for t in [*tasks, *new]) if one]
    fresh = {one["id"]: one for one in new} | {one["id"]: one for one in late if _is_new(one)}
    again = [one for one in late if not _is_new(one)]
    if not fresh and not again:
        return
    try:
        changes = [
            *(_create(ctx, one) for one in fresh.values()),
            *(_update(ctx, o) for o in again),
        ]
        await commit(replace(ctx, request_id=new_id()), changes)
    except FHIRError as error:
        done.left += 1
        log.info("a plan is left for the next round: %s %s", error.status, error.code)
        return
    done.made += len(fresh)
    done.marked += len(late)


def _is_new(task: Resource) -> bool:
    return "meta" not in task


def _identified(plan: Resource, task: Resource) -> Resource:
    """Two clocks make the same Task, of which one is refused."""
    kind = "".join(sorted(codes(task["code"])))
    return {**task, "id": str(uuid5(NAMESPACE_URL, f"{name(plan)} {kind} {due_day(task)}"))}


def _create(ctx: Context, task: Resource) -> Change:
    return plan_create(ctx, Call("create", "Task", task["id"], body=task))


def _update(ctx: Context, task: Resource) -> Change:
    seen = Conditions(if_match=f'W/"{task["meta"]["versionId"]}"')
    return plan_update(ctx, Call("update", "Task", task["id"], body=task, conditions=seen))


async def keep(settings: Settings, engine: Engine) -> None:
    """Let one process of all that serve this database look at the clock, again and again."""
    pause = settings.clock_minutes * 60
    while pause:
        # Not at once: whoever starts, starts to answer requests first.
        await asyncio.sleep(min(pause, 60))
        try:
            async with alone(settings.database_url, LOCK) as holder:
                while holder is not None and not holder.is_closed():
                    done = await tick(engine)
                    log.info(
                        "clock: %s made, %s marked, %s left", done.made, done.marked, done.left
                    )
                    await asyncio.sleep(pause)
        except (OSError, asyncpg.PostgresError, DatabaseAway) as error:
            log.warning("the clock waits for the database: %s", type(error).__name__)
        await asyncio.sleep(min(pause, 60))
