"""The web view as a client: an app of this server, which registers itself.

docs/web.md
"""

from app.auth.authority import Authority

CLIENT_ID = "isp-web"
NAME = "Shared plan"
SCOPE = "user/*.rs user/Goal.u user/Observation.c user/Task.cu user/Provenance.c"
"""To read what the person may read; to write progress, answers, requests, signatures."""

_STALE = (
    "DELETE FROM client WHERE id = $1 AND (name, scope, role, auth_method, redirect_uris)"
    " IS DISTINCT FROM ($2, $3, 'partner-system', 'none', $4::text[])"
)
_MISSING = (
    "INSERT INTO client (id, name, scope, role, auth_method, redirect_uris)"
    " VALUES ($1, $2, $3, 'partner-system', 'none', $4) ON CONFLICT DO NOTHING"
)


async def register_web_client(authority: Authority, redirect_uri: str) -> None:
    """Have the web view registered with this address to return to, whatever was there before."""
    async with authority.database.transaction() as connection:
        for statement in (_STALE, _MISSING):
            await connection.execute(statement, CLIENT_ID, NAME, SCOPE, [redirect_uri])
