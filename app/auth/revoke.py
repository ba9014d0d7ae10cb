"""Token revocation: the client gives a token back before its time.

https://www.rfc-editor.org/rfc/rfc7009
"""

from app.auth.access_token import verified
from app.auth.authority import Authority
from app.auth.client_authentication import Request, authenticate_client
from app.auth.errors import UnauthorizedClient
from app.auth.token import Answer
from app.fhir.errors import Unauthorized


async def revoke(authority: Authority, request: Request) -> Answer:
    """End a token of the calling client; one that is unknown or expired is already ended.

    Raises OAuthError, also for a token of another client.
    """
    client = await authenticate_client(authority, request)
    token = request.required("token")
    try:
        claims = await verified(authority, token)
    except Unauthorized:
        # RFC 7009 2.2: "invalid tokens do not cause an error response".
        return Answer(client.id, {})
    if claims["client_id"] != client.id:
        raise UnauthorizedClient("the token was issued to another client")
    await authority.revocations.add(claims["jti"], claims["exp"])
    return Answer(client.id, {}, claims["scope"], claims["jti"])
