"""FHIR batch and transaction — https://hl7.org/fhir/R4/http.html#transaction"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from orjson import Fragment

from app.fhir.change import Change
from app.fhir.commit import BREATH, commit
from app.fhir.context import Call, Conditions, Context, Result
from app.fhir.disclose import Entry
from app.fhir.disclose import bundle as disclosed
from app.fhir.engine import Route
from app.fhir.errors import BadRequest, FHIRError, TooLarge, Unavailable
from app.fhir.hidden import hidden
from app.fhir.instant import to_text
from app.fhir.interactions import write
from app.fhir.interactions.rewrite import address, rewrite, within
from app.fhir.routing import authorize, perform, record_refusal, route
from app.fhir.routing import call as to_call
from app.fhir.shape import check_none, parse_query
from app.storage.database import DatabaseAway

Planned = tuple[Route, Call]
PLANS = {
    "create": write.plan_create,
    "update": write.plan_update,
    "delete": write.plan_delete,
}
ORDER = ("DELETE", "POST", "PUT", "PATCH", "GET")
CONDITIONS = {
    "if_match": "ifMatch",
    "if_none_match": "ifNoneMatch",
    "if_modified_since": "ifModifiedSince",
    "if_none_exist": "ifNoneExist",
}
"""The members of Bundle.entry.request that stand for conditional headers."""


async def bundle(ctx: Context, call: Call) -> Result:
    """Perform the entries of a batch each for itself, those of a transaction all or none."""
    check_none(call.query)
    entries = _entries(ctx, call)
    if call.interaction == "batch":
        return await _batch(ctx, call, entries)
    return await _transaction(ctx, call, entries)


def _entries(ctx: Context, call: Call) -> Sequence[Mapping[str, Any]]:
    body = call.body if isinstance(call.body, dict) else {}
    if body.get("resourceType") != "Bundle" or body.get("type") not in ("batch", "transaction"):
        raise BadRequest("Post a Bundle of type batch or transaction.", expression=["Bundle.type"])
    entries = body.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadRequest("entry must be a list of objects.", expression=["Bundle.entry"])
    most = ctx.engine.policy.max_entries
    if len(entries) > most:
        raise TooLarge(f"A Bundle holds at most {most} entries.", expression=["Bundle.entry"])
    return entries


async def _batch(ctx: Context, call: Call, entries: Sequence[Mapping[str, Any]]) -> Result:
    answers: list[Entry] = []
    for at, entry in enumerate(entries):
        try:
            answers.append(await _alone(ctx, call, at, entry))
        except DatabaseAway:
            # What was done before is told; nothing done is told like any other request.
            if not answers:
                raise
            answers.append(_failed(Unavailable("The database was lost before this was done.")))
    return Result(200, disclosed("batch-response", answers), is_recorded=True)


async def _alone(ctx: Context, call: Call, at: int, entry: Mapping[str, Any]) -> Entry:
    try:
        row, asked = _planned(ctx, call, at, entry, entry.get("resource"))
    except FHIRError as error:
        await record_refusal(ctx, Call("unknown"), error)
        return _failed(error)
    try:
        return _answer(ctx, asked, await perform(ctx, row, asked))
    except FHIRError as error:
        return _failed(error)


async def _transaction(ctx: Context, call: Call, entries: Sequence[Mapping[str, Any]]) -> Result:
    """One commit of all changes; the reads see them, and a read that fails takes them back."""
    planned = _addressed(ctx, call, entries)
    changes = await _changes(ctx, planned)
    answers: dict[int, Entry] = {}

    async def read(within_commit: Context) -> None:
        for at, (row, asked) in enumerate(planned):
            if at not in changes:
                with within(at):
                    result = await perform(within_commit, row, asked)
                answers[at] = _answer(ctx, asked, result)

    committed = await commit(ctx, list(changes.values()), read)
    masked = await hidden(ctx, map(write.row_of, committed))
    for at, done in zip(changes, committed, strict=True):
        asked = planned[at][1]
        answers[at] = _answer(ctx, asked, write.result(ctx, asked, done, masked))
    about = {patient for done in committed for patient in done.about}
    body = disclosed("transaction-response", [answers[at] for at in range(len(planned))])
    return Result(200, body, patients=tuple(sorted(about)), is_recorded=True)


def _addressed(ctx: Context, call: Call, entries: Sequence[Mapping[str, Any]]) -> list[Planned]:
    """Plan every entry, its references leading to where the other entries will live."""
    addresses = address(entries, ctx.base_url)
    planned = []
    for at, entry in enumerate(entries):
        resource = rewrite(entry, at, addresses.places)
        row, asked = _planned(ctx, call, at, entry, resource)
        planned.append((row, replace(asked, id=addresses.ids.get(at, asked.id))))
    return planned


async def _changes(ctx: Context, planned: Sequence[Planned]) -> dict[int, Change]:
    """The changes of a transaction by position, in the order of processing."""
    changes: dict[int, Change] = {}
    for at in sorted(range(len(planned)), key=lambda at: ORDER.index(planned[at][0].method)):
        row, asked = planned[at]
        with within(at):
            authorize(ctx, row.letter, asked.type)
            if row.interaction in PLANS:
                change = PLANS[row.interaction](ctx, asked)
                changes[at] = replace(change, at=f"Bundle.entry[{at}].resource")
            elif row.method != "GET":
                raise BadRequest(f"{row.interaction} is not possible within a transaction.")
        if at % BREATH == BREATH - 1:
            await asyncio.sleep(0)
    return changes


def _planned(ctx: Context, call: Call, at: int, entry: Mapping[str, Any], resource: Any) -> Planned:
    with within(at, "request"):
        request = entry.get("request")
        if not isinstance(request, dict) or not all(
            isinstance(request.get(name), str) for name in ("method", "url")
        ):
            raise BadRequest("An entry needs request.method and request.url.", code="required")
        path, _, query = request["url"].removeprefix(ctx.base_url).partition("?")
        row, found = route(ctx.engine.routes, request["method"], path)
        if row.path == "":
            raise BadRequest("A Bundle cannot be an entry of a Bundle.")
        conditions = _conditions(request)
        parameters = parse_query(query)
    return row, to_call(
        row,
        found,
        query=parameters,
        body=resource,
        conditions=conditions,
        prefer=call.prefer,
    )


def _conditions(request: Mapping[str, Any]) -> Conditions:
    given = {field: request.get(name) for field, name in CONDITIONS.items()}
    for field, value in given.items():
        if not isinstance(value, str | None):
            name = CONDITIONS[field]
            raise BadRequest(
                f"{name} is a string.", code="structure", expression=[f"request.{name}"]
            )
    return Conditions(**given)


def _answer(ctx: Context, asked: Call, result: Result) -> Entry:
    """Without a preference, a change is answered without the resource.

    https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.response.outcome
    """
    is_change = asked.interaction in PLANS
    response: dict[str, Any] = {"status": _status(result.status)}
    if result.location:
        response["location"] = result.location
    if result.version:
        response["etag"] = f'W/"{result.version}"'
    if result.last_modified:
        response["lastModified"] = to_text(result.last_modified)
    if is_change and asked.prefer.returns == "OperationOutcome" and result.body:
        response["outcome"] = Fragment(result.body)
    is_wanted = not is_change or asked.prefer.returns == "representation"
    full_url = f"{ctx.base_url}/{result.type}/{result.id}" if result.type and result.id else None
    return Entry(full_url, result.body if is_wanted else None, response=response)


def _failed(error: FHIRError) -> Entry:
    return Entry(
        response={"status": _status(error.status), "outcome": error.outcome()},
    )


def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"
