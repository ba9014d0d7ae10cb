"""Page links: where a page ended, sealed so that it serves only the same caller and the same query.

A cursor holds a position, never a permission: access is judged anew for every page.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import orjson

from app.fhir.context import Call, Context
from app.fhir.errors import BadRequest

PARAMETER = "_page"
SEAL = 16


def seal(ctx: Context, call: Call, position: list[Any]) -> str:
    """The value of _page that leads to `position` (JSON values) of this query."""
    content = orjson.dumps(position)
    return urlsafe_b64encode(_tag(ctx, call, content) + content).rstrip(b"=").decode()


def unseal(ctx: Context, call: Call) -> list[Any] | None:
    """The position that _page of the call leads to; None without one.

    Raises BadRequest when the link was changed, or was made for another caller or query.
    """
    text = dict(call.query).get(PARAMETER)
    if text is None:
        return None
    try:
        sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise _invalid() from None
    tag, content = sealed[:SEAL], sealed[SEAL:]
    if not hmac.compare_digest(tag, _tag(ctx, call, content)):
        raise _invalid()
    position: list[Any] = orjson.loads(content)
    return position


def link(ctx: Context, call: Call, page: str | None = None) -> str:
    """The absolute URL of the call, of another page of it with `page`."""
    query = [pair for pair in call.query if pair[0] != PARAMETER]
    if page is not None:
        query.append((PARAMETER, page))
    suffix = f"?{urlencode(query)}" if query else ""
    return f"{ctx.base_url}/{_path(call)}{suffix}"


def _path(call: Call) -> str:
    parts = [*(call.compartment or ()), call.type, call.id]
    if call.interaction.startswith("history"):
        parts.append("_history")
    return "/".join(part for part in parts if part)


def _tag(ctx: Context, call: Call, content: bytes) -> bytes:
    bound = (ctx.agent.client, ctx.agent.user or "", link(ctx, call), call.interaction)
    message = b"\0".join([*(part.encode() for part in bound), content])
    return hmac.digest(ctx.engine.paging_key, message, sha256)[:SEAL]


def _invalid() -> BadRequest:
    return BadRequest(
        "This page link is not valid for you or for this query; start again without _page.",
        code="value",
    )
