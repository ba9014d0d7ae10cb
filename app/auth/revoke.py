"""Token revocation: the client gives a token back before its time.

https://www.rfc-editor.org/rfc/rfc7009
"""

from app.auth.access_token import verified
from app.auth.approvals import end_approval
from app.auth.authority import Authority
from app.auth.client_authentication import Request, authenticate_client
from app.auth.errors import UnauthorizedClient
from app.auth.refresh import family_of
from app.auth.token import Answer
from app.fhir.errors import Unauthorized


async def revoke(authority: Authority, request: Request) -> Answer:
    """End a token of the calling client; one that is unknown or expired is already ended.

    A refresh token ends with all its family. Raises OAuthError, also for a token of another client.
    """
    client = await authenticate_client(authority, request)
    token = request.required("token")
    if family := await family_of(authority.database, token):
        _check_owner(family[1], client.id)
        await end_approval(authority, family[0])
        return Answer(client.id, {})
    try:
        claims = await verified(authority, token)
    except Unauthorized:
        # RFC 7009 2.2: "invalid tokens do not cause an error response".
        return Answer(client.id, {})
    _check_owner(claims["client_id"], client.id)
    await authority.revocations.add(claims["jti"], claims["exp"])
    return Answer(client.id, {}, claims["scope"], claims["jti"])


def _check_owner(owner: str, client_id: str) -> None:
    if owner != client_id:
        raise UnauthorizedClient("the token was issued to another client")
