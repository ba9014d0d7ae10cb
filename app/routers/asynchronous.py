"""Prefer: respond-async: a request is kept to be done later, and its requester told where to ask.

https://hl7.org/fhir/R5/async-bundle.html
"""

from dataclasses import asdict

from app.auth.caller import Caller
from app.auth.saved_caller import kept
from app.fhir import json
from app.fhir.context import Call, Context, Result
from app.fhir.errors import TooManyRequests
from app.fhir.ids import new_id
from app.fhir.interactions.asynchronous import RETRY_AFTER, requester, steps
from app.storage.asynchronous import Request, put

MOST = 20
"""Requests of one client, for one person, that may wait at the same time."""


async def accept(
    ctx: Context, caller: Caller, place: tuple[str, str], call: Call, hours: int
) -> Result:
    """202 with the Content-Location to ask at; `place` is the method and the path.

    Raises BadRequest, TooLarge for what is no Bundle to run, TooManyRequests where too many wait.
    """
    count = steps(ctx, call)
    asked = {
        "method": place[0],
        "path": place[1],
        "query": call.query,
        "body": call.body,
        "prefer": asdict(call.prefer),
        "languages": call.languages,
        "caller": kept(caller),
        "request_id": ctx.request_id,
        "address": ctx.agent.address,
        "steps": count,
    }
    text = json.dump(asked).decode()
    request = Request(new_id(), requester(ctx.agent), call.interaction, count, text)
    if not await put(ctx.engine.database, request, hours, MOST):
        raise TooManyRequests(
            f"{MOST} of your requests wait already: ask what became of them first.",
            headers={"Retry-After": RETRY_AFTER},
        )
    headers = {
        "Content-Location": f"{ctx.base_url}/_async/{request.id}",
        "Preference-Applied": "respond-async",
    }
    return Result(202, headers=headers)
