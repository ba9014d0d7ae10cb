"""A caller whose request is done later: kept as JSON, and asked again whether they still may."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.auth.caller import Caller
from app.auth.scopes import Scope
from app.storage.database import Database


def kept(caller: Caller) -> dict[str, Any]:
    """A caller as JSON; `restored` makes the same of it."""
    return {**asdict(caller), "extra_scopes": sorted(caller.extra_scopes)}


def restored(saved: Mapping[str, Any]) -> Caller:
    """The caller of whom this is the JSON."""
    scopes = tuple(
        Scope(**{**each, "query": tuple((name, value) for name, value in each["query"])})
        for each in saved["scopes"]
    )
    return Caller(**{**saved, "scopes": scopes, "extra_scopes": frozenset(saved["extra_scopes"])})


async def stands(database: Database, caller: Caller) -> bool:
    """Whether what let the caller in still does: the token, what a person approved, the account.

    A token that has expired since was good when the request came; its client must still be one.
    """
    return bool(
        await database.fetchval(
            "SELECT (to_timestamp($4::bigint) > now()"
            "        OR EXISTS (SELECT FROM client WHERE id = $1))"
            " AND NOT EXISTS (SELECT FROM revoked_token WHERE jti = $2 OR jti = $3)"
            " AND ($3::text IS NULL"
            "      OR EXISTS (SELECT FROM approval WHERE id = $3 AND ended IS NULL))"
            " AND NOT EXISTS (SELECT FROM account_state WHERE subject = $5 AND locked IS NOT NULL)",
            *(caller.client_id, caller.token_id, caller.approval, caller.expires, caller.user),
        )
    )
