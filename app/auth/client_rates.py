"""How often a client may ask: counted for all workers together, by the client's own limit."""

from app.auth.access_token import authenticate
from app.auth.authority import Authority
from app.auth.caller import Caller
from app.auth.dpop import Presented
from app.fhir.errors import TooManyRequests


async def authenticate_within_rate(
    authority: Authority, authorization: str | None, presented: Presented | None = None
) -> Caller:
    """`authenticate`, for clients that have not asked too often. Raises TooManyRequests too."""
    caller = await authenticate(authority, authorization, presented)
    wait = await authority.budgets.take(caller.client_id)
    if wait is not None:
        raise TooManyRequests(
            "this client may make no more requests just now; Retry-After says when",
            headers={"Retry-After": str(wait)},
        )
    return caller
