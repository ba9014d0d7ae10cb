"""Page links: where a page ended, sealed so that it serves only the same caller and the same query.

A cursor holds a position, never a permission: access is judged anew for every page. It is
encrypted, since the position in an order by name is a name.
https://www.rfc-editor.org/rfc/rfc5297 (AES-SIV)
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.fhir.context import Call, Context
from app.fhir.errors import BadRequest

PARAMETER = "_page"
PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
"""What needs no escape. https://www.rfc-editor.org/rfc/rfc3986#section-2.3"""


def seal(ctx: Context, call: Call, position: list[Any]) -> str:
    """The value of _page that leads to `position` (JSON values) of this query."""
    sealed = AESSIV(ctx.engine.paging_key).encrypt(orjson.dumps(position), _bound(ctx, call))
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(ctx: Context, call: Call) -> list[Any] | None:
    """The position that _page of the call leads to; None without one.

    Raises BadRequest when the link was changed, or was made for another caller or query.
    """
    text = dict(call.query).get(PARAMETER)
    if text is None:
        return None
    try:
        sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        content = AESSIV(ctx.engine.paging_key).decrypt(sealed, _bound(ctx, call))
    except (ValueError, InvalidTag):
        raise BadRequest(
            "This page link is not valid for you or for this query; start again without _page.",
            code="value",
        ) from None
    position: list[Any] = orjson.loads(content)
    return position


def link(ctx: Context, call: Call, page: str | None = None) -> str:
    """The absolute URL of the call, of another page of it with `page`."""
    query = tuple(pair for pair in call.query if pair[0] != PARAMETER)
    if page is not None:
        query += ((PARAMETER, page),)
    suffix = f"?{_encoded(query)}" if query else ""
    return f"{ctx.base_url}/{_path(call)}{suffix}"


# A page names itself several times.
@lru_cache(maxsize=64)
def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in query])


def _quoted(text: str) -> str:
    """As `urlencode` writes it, which takes long for what is nearly always as it should be."""
    return text if PLAIN.fullmatch(text) else quote_plus(text)


def _path(call: Call) -> str:
    every = "*" if call.compartment and not call.type else None
    parts = [*(call.compartment or ()), every, call.type, call.id]
    if call.interaction.startswith("history"):
        parts.append("_history")
    if call.operation:
        parts.append(f"${call.operation}")
    return "/".join(part for part in parts if part)


def _bound(ctx: Context, call: Call) -> list[bytes]:
    """What a cursor is good for: this client, this user, this query."""
    parts = (ctx.agent.client, ctx.agent.user or "", link(ctx, call), call.interaction)
    return [part.encode() for part in parts]
