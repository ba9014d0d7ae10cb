"""Dynamic client registration: software asks, an operator approves, only then there is a client.

https://www.rfc-editor.org/rfc/rfc7591, https://www.rfc-editor.org/rfc/rfc7592
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from asyncpg import Record

from app.auth import jose
from app.auth.approvals import end_with_client
from app.auth.authority import Authority
from app.auth.clients import (
    ALGORITHMS,
    Client,
    InvalidRegistration,
    Registration,
    check_registration,
    insert_client,
)
from app.auth.errors import OAuthError
from app.auth.handles import digest, new_handle
from app.auth.passwords import hash_password
from app.storage.database import Database

GRANTS = ("authorization_code", "refresh_token", "client_credentials")
TEXTS = ("client_name", "scope", "token_endpoint_auth_method", "jwks_uri")
FLAGS = ("require_pushed_authorization_requests", "dpop_bound_access_tokens")
SHOWN = ("client_uri", "logo_uri", "tos_uri", "policy_uri", "software_id", "software_version")
MAX_TEXT = 4_096
ROLE = "partner-system"
"""The role of a client until its operator names another; people act in their own."""


class InvalidClientMetadata(OAuthError):
    """https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2"""

    error: ClassVar[str] = "invalid_client_metadata"


class InvalidRedirectURI(OAuthError):
    error: ClassVar[str] = "invalid_redirect_uri"


class InvalidRegistrationToken(OAuthError):
    """RFC 7592 2: a client that is gone and a token that is wrong are told alike."""

    status: ClassVar[int] = 401
    error: ClassVar[str] = "invalid_token"
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@dataclass(frozen=True, slots=True)
class Pending:
    """A registration as an operator sees it before approving; `metadata` is what was asked for."""

    client_id: str
    metadata: dict[str, Any]
    requested: datetime
    approved: datetime | None

    @property
    def digest(self) -> str:
        """What tells whether it was changed since somebody saw it."""
        return digest(json.dumps(self.metadata, sort_keys=True))


async def register(authority: Authority, asked: Any) -> dict[str, Any]:
    """Keep what software asks to be registered as; the response, with secrets shown this once.

    Raises InvalidClientMetadata, InvalidRedirectURI.
    """
    metadata = read_metadata(asked)
    client_id, token = secrets.token_hex(16), new_handle()
    secret = None
    if metadata["token_endpoint_auth_method"].startswith("client_secret"):
        secret = secrets.token_urlsafe(32)
    await authority.database.execute(
        "INSERT INTO client_registration (client_id, token_hash, secret_hash, metadata)"
        " VALUES ($1, $2, $3, $4)",
        client_id,
        digest(token),
        await hash_password(secret) if secret else None,
        json.dumps(metadata),
    )
    secrets_shown = {"client_secret": secret, "client_secret_expires_at": 0} if secret else {}
    shown = _shown(authority, client_id, metadata, is_approved=False)
    return shown | secrets_shown | {"registration_access_token": token}


async def read(authority: Authority, client_id: str, token: str) -> dict[str, Any]:
    """What a client asked for. Raises InvalidRegistrationToken."""
    row = await _row(authority.database, client_id, token)
    is_approved = row["approved"] is not None
    return _shown(authority, client_id, json.loads(row["metadata"]), is_approved=is_approved)


async def update(authority: Authority, client_id: str, token: str, asked: Any) -> dict[str, Any]:
    """Ask for something else; until it is approved the client stays as it is.

    Raises InvalidRegistrationToken, InvalidClientMetadata, InvalidRedirectURI.
    """
    row = await _row(authority.database, client_id, token)
    metadata = read_metadata(asked)
    method = "token_endpoint_auth_method"
    if metadata[method] != json.loads(row["metadata"])[method]:
        raise InvalidClientMetadata(f"{method} cannot be changed; register again")
    await authority.database.execute(
        "UPDATE client_registration SET metadata = $2, approved = NULL, requested = now()"
        " WHERE client_id = $1",
        client_id,
        json.dumps(metadata),
    )
    return _shown(authority, client_id, metadata, is_approved=False)


async def delete(authority: Authority, client_id: str, token: str) -> None:
    """End a registration and its client. Raises InvalidRegistrationToken."""
    await _row(authority.database, client_id, token)
    await remove_client(authority, client_id)


async def remove_client(authority: Authority, client_id: str) -> None:
    """End a client, its registration and what people approved for it.

    Raises LookupError where there is neither.
    """
    async with authority.database.transaction() as connection:
        gone = [
            await connection.fetchval(sql, client_id)
            for sql in (
                "DELETE FROM client_registration WHERE client_id = $1 RETURNING client_id",
                "DELETE FROM client WHERE id = $1 RETURNING id",
            )
        ]
        await connection.execute("DELETE FROM client_terms WHERE client_id = $1", client_id)
    if gone == [None, None]:
        raise LookupError("no client has this client_id")
    await end_with_client(authority, client_id)


async def pending(database: Database) -> list[Pending]:
    """What waits for approval, the oldest first."""
    rows = await database.fetch(
        "SELECT client_id, metadata, requested, approved FROM client_registration"
        " WHERE approved IS NULL ORDER BY requested, client_id"
    )
    return [Pending(**{**row, "metadata": json.loads(row["metadata"])}) for row in rows]


async def approve_client(
    database: Database, client_id: str, shown: str | None = None, **changed: str | None
) -> Client:
    """Make a client of a registration, or bring it up to date; `changed` goes before the request.

    `shown` is the digest of what was looked at before. Raises LookupError for an unknown
    registration, InvalidRegistration, also where it was changed since.
    """
    async with database.transaction() as connection:
        row = await connection.fetchrow(
            "UPDATE client_registration SET approved = now() WHERE client_id = $1"
            " RETURNING client_id, metadata, requested, approved, secret_hash",
            client_id,
        )
        if row is None:
            raise LookupError("no registration has this client_id")
        metadata = json.loads(row["metadata"])
        asked_for = Pending(client_id, metadata, row["requested"], row["approved"])
        if shown not in (None, asked_for.digest):
            raise InvalidRegistration("it was changed since: look at `isp client pending` again")
        given = {name: value for name, value in changed.items() if value is not None}
        asked = replace(_registration(metadata), client_id=client_id, **given)  # type: ignore[arg-type]
        check_registration(asked)
        # A secret that was rotated meanwhile goes before the one of the registration.
        secret = await connection.fetchval(
            "DELETE FROM client WHERE id = $1 RETURNING secret_hash", client_id
        )
        client = _client(asked, client_id, secret or row["secret_hash"])
        await insert_client(connection, client)
    return client


async def refuse_client(database: Database, client_id: str, shown: str) -> None:
    """Forget a registration that waits; a client that was approved before stays as it is.

    Raises LookupError for an unknown registration, InvalidRegistration where it was changed since.
    """
    async with database.transaction() as connection:
        row = await connection.fetchrow(
            "DELETE FROM client_registration WHERE client_id = $1 AND approved IS NULL"
            " RETURNING client_id, metadata, requested, approved",
            client_id,
        )
        if row is None:
            raise LookupError("nothing with this client_id waits")
        if shown != Pending(**{**row, "metadata": json.loads(row["metadata"])}).digest:
            raise InvalidRegistration("it was changed since: look at it again")


def _client(asked: Registration, client_id: str, secret_hash: str | None) -> Client:
    keys = tuple(jose.read_jwks(asked.jwks, ALGORITHMS)) if asked.jwks is not None else ()
    return Client(
        id=client_id,
        name=asked.name,
        scope=asked.scope,
        role=asked.role,
        auth_method=asked.auth_method,
        organization=asked.organization,
        purpose=asked.purpose,
        secret_hash=secret_hash,
        keys=keys,
        jwks_url=asked.jwks_url,
        redirect_uris=asked.redirect_uris,
        require_pushed_authorization_requests=asked.require_pushed_authorization_requests,
        dpop_bound_access_tokens=asked.dpop_bound_access_tokens,
    )


def read_metadata(asked: Any) -> dict[str, Any]:
    """The metadata of a request, with its defaults.

    Raises InvalidClientMetadata, InvalidRedirectURI.
    """
    if not isinstance(asked, dict):
        raise InvalidClientMetadata("client metadata is a JSON object")
    if "\\u0000" in (written := json.dumps(asked, ensure_ascii=False)) or not written.isprintable():
        raise InvalidClientMetadata("a text has characters that cannot be printed")
    for name in (*TEXTS, *SHOWN):
        value = asked.get(name, "")
        if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
            raise InvalidClientMetadata(f"{name} is a text")
    if not all(isinstance(asked.get(name, False), bool) for name in FLAGS):
        raise InvalidClientMetadata(f"{' and '.join(FLAGS)} are true or false")
    metadata = {name: asked[name] for name in (*TEXTS, *SHOWN, *FLAGS, "jwks") if name in asked}
    metadata.setdefault("token_endpoint_auth_method", "client_secret_basic")
    metadata["grant_types"] = _texts(asked, "grant_types", ["authorization_code"])
    metadata["redirect_uris"] = _texts(asked, "redirect_uris", [])
    if set(metadata["grant_types"]) - set(GRANTS):
        raise InvalidClientMetadata(f"grant_types are of {', '.join(GRANTS)}")
    if "authorization_code" in metadata["grant_types"] and not metadata["redirect_uris"]:
        raise InvalidRedirectURI("an app that people open needs redirect_uris")
    try:
        check_registration(_registration(metadata))
    except InvalidRegistration as error:
        kind = InvalidRedirectURI if "redirect URI" in str(error) else InvalidClientMetadata
        raise kind(str(error)) from error
    return metadata


def _texts(asked: dict[str, Any], name: str, default: list[str]) -> list[str]:
    value = asked.get(name, default)
    if not isinstance(value, list) or len(value) > 50 or any(not isinstance(v, str) for v in value):
        raise InvalidClientMetadata(f"{name} is an array of texts")
    return value


def _registration(metadata: dict[str, Any]) -> Registration:
    return Registration(
        name=metadata.get("client_name", ""),
        scope=" ".join(metadata.get("scope", "").split()),
        role=ROLE,
        auth_method=metadata["token_endpoint_auth_method"],
        jwks=metadata.get("jwks"),
        jwks_url=metadata.get("jwks_uri"),
        redirect_uris=tuple(metadata["redirect_uris"]),
        **{name: metadata[name] for name in FLAGS if name in metadata},
    )


def _shown(
    authority: Authority, client_id: str, metadata: dict[str, Any], *, is_approved: bool
) -> dict[str, Any]:
    """RFC 7591 3.2.1, and whether an operator has approved it."""
    return {
        "client_id": client_id,
        "registration_client_uri": f"{authority.issuer}/auth/register/{client_id}",
        "approved": is_approved,
        "response_types": ["code"] if "authorization_code" in metadata["grant_types"] else [],
        **metadata,
    }


async def _row(database: Database, client_id: str, token: str) -> Record:
    sql = "SELECT token_hash, metadata, approved FROM client_registration WHERE client_id = $1"
    row = await database.fetchrow(sql, client_id) if client_id.isprintable() else None
    if row is None or not hmac.compare_digest(row["token_hash"], digest(token)):
        raise InvalidRegistrationToken("the registration access token is not good for this client")
    return row
