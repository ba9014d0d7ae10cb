"""FHIR transaction: all entries or none — https://hl7.org/fhir/R4/http.html#trules

What depends on the state of the server (criteria, patches) is looked up within the transaction of
the changes, under locks, and anew whenever somebody was faster.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from asyncpg import Record

from app.fhir.change import Change, Committed
from app.fhir.commit import BREATH, commit, commit_planned
from app.fhir.context import Call, Context, Result
from app.fhir.disclose import Entry
from app.fhir.disclose import bundle as disclosed
from app.fhir.errors import BadRequest
from app.fhir.ids import new_id
from app.fhir.interactions.condition import Key, criteria, lock, named, unlock
from app.fhir.interactions.conditional import CHANGES, Resolved, names, planned, present, resolve
from app.fhir.interactions.conditional_reference import places_of
from app.fhir.interactions.entry import Planned, answer, planned_entry
from app.fhir.interactions.rewrite import places, rewritten, within
from app.fhir.interactions.single import result_of
from app.fhir.references import is_mentioned, walk
from app.fhir.routing import authorize, perform, record_answer

ORDER = ("DELETE", "POST", "PUT", "PATCH", "GET")
Entries = Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Plan:
    """The changes of the entries by position, or what an entry found to be there already."""

    changes: dict[int, list[Change]] = field(default_factory=dict)
    found: dict[int, Record] = field(default_factory=dict)

    @property
    def all(self) -> list[Change]:
        """In the order of processing."""
        return [change for changes in self.changes.values() for change in changes]


async def transaction(ctx: Context, call: Call, entries: Entries) -> Result:
    """One commit of all changes; the reads see them, and a read that fails takes them back."""
    asked = [planned_entry(ctx, call, at, entry) for at, entry in enumerate(entries)]
    _check(ctx, asked)
    plan, answers = Plan(), dict[int, Entry]()

    async def decide(inner: Context) -> Sequence[Change]:
        nonlocal plan
        plan = await _plan(inner, entries, asked)
        return plan.all

    async def read(inner: Context) -> None:
        answers.clear()
        for at, (row, each) in enumerate(asked):
            if row.interaction not in CHANGES:
                with within(at):
                    result = await perform(inner, row, each)
                answers[at] = answer(ctx, each, result)

    if any(_looks_up(each) for _, each in asked):
        committed = await commit_planned(ctx, decide, len(asked), read)
    else:
        reads = any(row.interaction not in CHANGES for row, _ in asked)
        committed = await commit(ctx, await decide(ctx), read if reads else None)
    changed, about = await _answer(ctx, asked, plan, committed)
    answers |= changed
    body = disclosed("transaction-response", [answers[at] for at in range(len(asked))])
    return Result(200, body, patients=about, is_recorded=bool(answers))


def _check(ctx: Context, asked: Sequence[Planned]) -> None:
    for at, (row, call) in enumerate(asked):
        with within(at):
            authorize(ctx, row.letter, call.type)
            if row.interaction not in CHANGES and row.method != "GET":
                raise BadRequest(f"{row.interaction} is not possible within a transaction.")


def _looks_up(call: Call) -> bool:
    """Whether its change depends on what is stored."""
    if names(call):
        return True
    is_asking = is_mentioned(call.body, "?")
    return is_asking and any("?" in each["reference"] for each in walk(call.body))


async def _plan(ctx: Context, entries: Entries, asked: Sequence[Planned]) -> Plan:
    wanted = [name for _, call in asked for name in names(call)]
    if ctx.connection is not None:
        await lock(ctx, wanted)
    resolved = await _resolved(ctx, asked)
    homes = {at: _home(each) for at, each in resolved.items()}
    addresses = places(entries, [homes.get(at, "") for at in range(len(asked))])
    if ctx.connection is not None:
        addresses |= await _meant(ctx, asked, resolved, homes)
    plan = Plan(found={at: each.found for at, each in resolved.items() if each.found is not None})
    for number, (at, each) in enumerate(resolved.items(), 1):
        plan.changes[at] = await _changes(ctx, (at, homes[at]), each.calls, entries[at], addresses)
        if number % BREATH == 0:
            await asyncio.sleep(0)
    if ctx.connection is not None:
        await unlock(ctx)
    return plan


async def _resolved(ctx: Context, asked: Sequence[Planned]) -> dict[int, Resolved]:
    """The entries that change something, in the order of processing."""
    positions = [at for at, (row, _) in enumerate(asked) if row.interaction in CHANGES]
    gone: set[Key] = set()
    made: set[str] = set()
    resolved: dict[int, Resolved] = {}
    for at in sorted(positions, key=lambda at: ORDER.index(asked[at][0].method)):
        call = asked[at][1]
        with within(at):
            resolved[at] = await resolve(ctx, call, gone)
            _refuse_same(call, resolved[at], made)
        gone |= _gone(resolved[at])
    return resolved


def _gone(resolved: Resolved) -> set[Key]:
    return {(str(c.type), str(c.id)) for c in resolved.calls if c.interaction == "delete"}


def _refuse_same(call: Call, resolved: Resolved, made: set[str]) -> None:
    """Two entries that would create under the same criteria are one resource twice."""
    asked = criteria(call)
    if asked is None or not any(each.interaction == "create" for each in resolved.calls):
        return
    if str(asked) in made:
        raise BadRequest("Another entry creates what matches the same criteria.", code="duplicate")
    made.add(str(asked))


def _home(resolved: Resolved) -> str:
    if resolved.found is not None:
        return f"{resolved.found['type']}/{resolved.found['id']}"
    if not resolved.calls or resolved.calls[0].interaction == "delete":
        return ""
    call = resolved.calls[0]
    return f"{call.type}/{new_id() if call.interaction == 'create' else call.id}"


async def _meant(
    ctx: Context,
    asked: Sequence[Planned],
    resolved: Mapping[int, Resolved],
    homes: Mapping[int, str],
) -> dict[str, str]:
    """Where the conditional references of all entries lead."""
    made = [(criteria(asked[at][1]), named(asked[at][1].body), homes[at]) for at in resolved]
    gone = [key for each in resolved.values() for key in _gone(each)]
    leading: dict[str, str] = {}
    for at in resolved:
        with within(at):
            leading |= await places_of(ctx, asked[at][1].body, made, gone, leading)
    return leading


async def _changes(
    ctx: Context,
    place: tuple[int, str],
    calls: Sequence[Call],
    entry: Mapping[str, Any],
    addresses: Mapping[str, str],
) -> list[Change]:
    """The changes of the entry at this position; a create gets the id others refer to it by."""
    changes = []
    at, home = place
    with within(at):
        for call in calls:
            body = rewritten(call.body, entry.get("fullUrl"), addresses)
            id_ = home.partition("/")[2] if call.interaction == "create" else call.id
            change = await planned(ctx, replace(call, id=id_, body=body))
            changes.append(replace(change, at=f"Bundle.entry[{at}].resource"))
    return changes


async def _answer(
    ctx: Context,
    asked: Sequence[Planned],
    plan: Plan,
    committed: Sequence[Committed],
) -> tuple[dict[int, Entry], tuple[str, ...]]:
    """The answers to all that changes, and whom they are about."""
    answers, done = dict[int, Entry](), iter(committed)
    about: set[str] = set()
    for at, changes in plan.changes.items():
        call = asked[at][1]
        if at in plan.found:
            result = await present(ctx, call, plan.found[at])
        else:
            result = await result_of(ctx, call, list(islice(done, len(changes))))
        if not result.is_recorded:
            await record_answer(ctx, call, result)
        answers[at] = answer(ctx, call, result)
        about.update(result.patients)
    return answers, tuple(sorted(about))
