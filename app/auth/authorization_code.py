"""The grant type authorization_code: a code, once, for whoever knows the verifier.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3, https://www.rfc-editor.org/rfc/rfc7636#section-4.6
"""

import base64
import hashlib
import hmac
import re
from dataclasses import replace

from asyncpg import Record

from app.auth.access_token import Issued
from app.auth.app_token import issue_app_token
from app.auth.approvals import CODE_LIFETIME, STANDING, approval_of, end_approval
from app.auth.authority import Authority
from app.auth.client_authentication import Request
from app.auth.clients import Client
from app.auth.errors import InvalidGrant, InvalidRequest
from app.auth.handles import digest
from app.auth.id_token import id_token

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
INVALID = "the code is unknown, expired, was used, or is not this client's"


async def authorization_code(authority: Authority, client: Client, request: Request) -> Issued:
    """The tokens a code stands for. Raises InvalidGrant; a second use ends what the first opened.

    The code is used up before it is judged: a guess at the verifier costs it.
    """
    code, verifier = request.required("code"), request.required("code_verifier")
    redirect_uri = request.required("redirect_uri")
    if not VERIFIER.fullmatch(verifier):
        raise InvalidRequest("code_verifier has 43 to 128 unreserved characters")
    row = await _use_up(authority, code)
    approval = approval_of(row) if row["id"] else None
    if (
        approval is None
        or not row["is_fresh"]
        or approval.client_id != client.id
        or row["redirect_uri"] != redirect_uri
        or row["code_jkt"] not in (None, request.jkt)
        or not _is_verifier(verifier, row["code_challenge"])
    ):
        await end_approval(authority, row["approval"])
        raise InvalidGrant(INVALID)
    issued = await issue_app_token(authority, client, approval, approval.scope, request.jkt)
    if "openid" not in approval.scope.split():
        return issued
    signed = await id_token(authority, approval, row["nonce"])
    return replace(issued, more={**issued.more, "id_token": signed})


# With the approval in the same statement: who comes second ends it, and may not come between.
_USE_UP = f"""
WITH code AS (
    UPDATE authorization_code SET used = now() WHERE id = $1 AND used IS NULL
    RETURNING approval, redirect_uri, code_challenge, nonce, dpop_jkt AS code_jkt,
        created > now() - make_interval(secs => $2) AS is_fresh)
SELECT code.*, found.* FROM code LEFT JOIN ({STANDING}) AS found ON found.id = code.approval
"""


async def _use_up(authority: Authority, code: str) -> Record:
    row = await authority.database.fetchrow(_USE_UP, digest(code), CODE_LIFETIME)
    if row is not None:
        return row
    sql = "SELECT approval FROM authorization_code WHERE id = $1"
    # RFC 6749 4.1.2: "SHOULD revoke (when possible) all tokens previously issued".
    if approval := await authority.database.fetchval(sql, digest(code)):
        await end_approval(authority, approval)
    raise InvalidGrant(INVALID)


def _is_verifier(verifier: str, challenge: str) -> bool:
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    return hmac.compare_digest(hashed.rstrip(b"=").decode(), challenge)
