"""Requests answered later: Prefer: respond-async.

https://hl7.org/fhir/R4/async.html, https://hl7.org/fhir/R5/async-bundle.html,
docs/decisions/0021-asynchronous.md
"""

import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from app.fhir.context import Agent, Call, Context, Result
from app.fhir.disclose import Entry, packed
from app.fhir.disclose import bundle as disclosed
from app.fhir.engine import Route
from app.fhir.errors import BadRequest, FHIRError, NotFound
from app.fhir.faults import translated
from app.fhir.instant import to_http_date
from app.fhir.interactions.bundle import alone, entries_of
from app.fhir.interactions.entry import answer, failed
from app.fhir.interactions.open_still import Left, left
from app.fhir.routing import known_operation, perform, record_refusal
from app.fhir.shape import check_none
from app.storage import asynchronous
from app.storage.asynchronous import Answer, Requester, Status
from app.storage.database import DatabaseAway

LATER = frozenset(
    {"transaction", "batch", "search-type", "search-compartment", "search-system"}
    | {"history-instance", "history-type", "history-system"}
)
"""The interactions that may be answered later; of operations those of OPERATIONS."""

OPERATIONS = frozenset({"everything"})
PIECE = 1.0
"""Seconds after which what was done of a batch is kept, and the rest is another piece."""

RETRY_AFTER = "2"


def is_for_later(call: Call) -> bool:
    """Whether the call asks to be answered later and may be; what may not is answered at once.

    https://www.rfc-editor.org/rfc/rfc7240#section-4.1
    """
    is_possible = call.interaction in LATER or call.operation in OPERATIONS
    return call.prefer.is_asynchronous and is_possible and not _is_count(call)


def _is_count(call: Call) -> bool:
    """Whether the answer is how many there are, and none of them."""
    return any(
        (name == "_summary" and value == "count") or (name == "_count" and not value.strip("0"))
        for name, value in call.query
    )


def _check(ctx: Context, call: Call) -> None:
    """Refuse what tells of many records without naming them: nothing could be cut from it later.

    Raises BadRequest.
    """
    operation = known_operation(ctx.engine.operations, call.type, call.operation)
    if _is_count(call) or (operation is not None and operation.letter == "s"):
        raise BadRequest(
            "Counts are not kept: what a Consent closes in between could not be taken out of them."
            " Ask for this without Prefer: respond-async.",
            code="not-supported",
        )


def steps(ctx: Context, call: Call) -> int:
    """How many answers there will be. Raises BadRequest, TooLarge for what is no Bundle to run."""
    if call.interaction not in ("batch", "transaction"):
        return 1
    check_none(call.query)
    entries = entries_of(ctx, call)
    return len(entries) if call.interaction == "batch" else 1


async def piece(ctx: Context, row: Route, call: Call, done: int) -> list[Answer]:
    """The next answers after those that are done: of a batch for a second, of others the one.

    An entry that writes is the last of its piece: what it locks would be held while others lock in
    another order. Raises DatabaseAway.
    """
    if call.interaction != "batch":
        return [_kept(await _whole(ctx, row, call))]
    begun, answers = time.monotonic(), list[Answer]()
    entries = entries_of(ctx, call)
    for at in range(done, len(entries)):
        answers.append(_kept(await alone(ctx, call, at, entries[at], _check)))
        if _may_write(entries[at]) or time.monotonic() - begun > PIECE:
            break
    return answers


def _may_write(entry: Mapping[str, Any]) -> bool:
    request = entry.get("request")
    return isinstance(request, dict) and request.get("method") not in ("GET", "HEAD")


def refused(error: FHIRError) -> Answer:
    """What is answered when nothing was done."""
    return _kept(failed(error))


def _kept(entry: Entry) -> Answer:
    return packed(entry).decode(), entry.resource.level if entry.resource else None


async def _whole(ctx: Context, row: Route, call: Call) -> Entry:
    """The answer to a call that is none of a batch, whatever becomes of it."""
    try:
        return answer(ctx, call, await perform(ctx, row, call))
    except FHIRError as error:
        return failed(error)
    except DatabaseAway:
        raise
    except Exception as error:
        told = translated(error, ctx.request_id)
        await record_refusal(ctx, call, told)
        return failed(told)


def requester(agent: Agent) -> Requester:
    """Who alone may ask what became of a request."""
    return Requester(agent.client, agent.user, agent.organization)


async def status(ctx: Context, call: Call) -> Result:
    """202 while it is not done; then 200 and a batch-response of one entry: what came of it.

    What has been hidden from the requester since is not in it. Raises NotFound for a request that
    is not theirs, was cancelled, or has expired.
    """
    check_none(call.query)
    assert call.id
    by = requester(ctx.agent)
    found = await asynchronous.status(ctx.engine.database, call.id, by)
    if found is None:
        raise _unknown()
    if found.completed is None:
        headers = {"X-Progress": _progress(found), "Retry-After": RETRY_AFTER}
        return Result(202, headers=headers, is_recorded=True)
    kept = await left(ctx, await asynchronous.answers(ctx.engine.database, call.id))
    entry = _told(found, kept)
    return Result(
        status=200,
        body=disclosed("batch-response", [entry]),
        patients=kept.patients,
        headers={"Expires": to_http_date(found.expires)},
    )


def _told(found: Status, kept: Left) -> Entry:
    if found.interaction != "batch":
        return kept.entries[0]._replace(full_url=None)
    inner = disclosed("batch-response", kept.entries)
    return Entry(resource=inner, response={"status": f"200 {HTTPStatus(200).phrase}"})


def _progress(found: Status) -> str:
    if not found.is_begun:
        return "waiting"
    if found.interaction == "batch":
        return f"{found.done} of {found.steps} entries done"
    return "in progress"


async def cancel(ctx: Context, call: Call) -> Result:
    """202; nothing is told of it any more, and what is not done yet will not be.

    Raises NotFound as `status`.
    """
    check_none(call.query)
    assert call.id
    if not await asynchronous.cancel(ctx.engine.database, call.id, requester(ctx.agent)):
        raise _unknown()
    return Result(202)


def _unknown() -> NotFound:
    return NotFound(
        "There is no such request: it was cancelled, has expired, or is not one of yours."
    )


def filled(answers: Sequence[Answer], done: int, steps: int) -> list[Answer]:
    """As many answers as are missing, each like the first of these."""
    return [answers[0]] * max(steps - done, 1)
