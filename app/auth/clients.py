"""Registered clients: what an organization's software told us about itself, and what it may do.

https://www.rfc-editor.org/rfc/rfc7591#section-2 (names of the metadata)
"""

import json
import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import asyncpg

from app.auth import jose, scopes
from app.auth.passwords import hash_password
from app.auth.roles import check_role
from app.settings import is_loopback
from app.storage.database import Connection, Database

ALGORITHMS = ("RS384", "ES384")
"""How a client may sign its assertions: the two SMART names."""

AUTH_METHODS = ("private_key_jwt", "client_secret_basic", "client_secret_post", "none")

UNSAFE = frozenset({"javascript", "data", "file", "blob", "about", "vbscript", "view-source"})
REDIRECT = re.compile(r"[!$-;=?-Z_a-z~%\[\]]{1,2048}")
"""The characters of a URI, without the fragment's. https://www.rfc-editor.org/rfc/rfc3986#section-2"""

_ORGANIZATION = re.compile(r"Organization/[A-Za-z0-9.-]{1,64}")
CLIENT_ID = re.compile(r"[\x21-\x39\x3B-\x7E]{1,128}\Z")


class InvalidRegistration(ValueError):
    """The client cannot be registered like this; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What a client is registered with.

    `scope` is the most it may ever get, `organization` the reference it acts for, `purpose` a code
    of v3-ActReason; of `jwks` and `jwks_url` one, and only with private_key_jwt. Its secret counts
    for `secret_days`, or until it is rotated.
    """

    name: str
    scope: str
    role: str
    auth_method: str = "private_key_jwt"
    organization: str | None = None
    purpose: str | None = None
    jwks: Any = None
    jwks_url: str | None = None
    redirect_uris: tuple[str, ...] = ()
    client_id: str | None = None
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    secret_days: int | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client; `keys` are the public keys given inline.

    `secret_hash` is of a secret that has not expired, `previous_secret_hash` of the one before,
    while both count. The two flags are metadata of RFC 9126 section 6 and RFC 9449 section 5.2.
    """

    id: str
    name: str
    scope: str
    role: str
    auth_method: str
    organization: str | None = None
    purpose: str | None = None
    secret_hash: str | None = None
    previous_secret_hash: str | None = None
    keys: tuple[jose.Claims, ...] = ()
    jwks_url: str | None = None
    redirect_uris: tuple[str, ...] = ()
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False


async def find_client(database: Database, client_id: str) -> Client | None:
    """The client as it is registered now, so that a change counts from the next request on."""
    if not CLIENT_ID.match(client_id):
        return None
    row = await database.fetchrow(
        "SELECT id, name, scope, role, auth_method, organization, purpose, jwks, jwks_url,"
        " redirect_uris, require_pushed_authorization_requests, dpop_bound_access_tokens,"
        " CASE WHEN t.secret_expires <= now() THEN NULL ELSE secret_hash END AS secret_hash,"
        " CASE WHEN t.previous_expires > now() THEN previous_secret_hash END"
        " AS previous_secret_hash"
        " FROM client LEFT JOIN client_terms AS t ON t.client_id = id WHERE id = $1",
        client_id,
    )
    if row is None:
        return None
    values = dict(row)
    keys = json.loads(values.pop("jwks") or '{"keys": []}')["keys"]
    uris = tuple(values.pop("redirect_uris"))
    return Client(**values, keys=tuple(keys), redirect_uris=uris)


async def list_clients(database: Database) -> list[dict[str, Any]]:
    """What every client is registered with, by client_id; no secrets, no keys."""
    rows = await database.fetch(
        "SELECT id AS client_id, name AS client_name, scope, role, organization, purpose,"
        " auth_method AS token_endpoint_auth_method, jwks_url AS jwks_uri, redirect_uris,"
        " require_pushed_authorization_requests, dpop_bound_access_tokens,"
        " t.secret_expires, CASE WHEN t.previous_expires > now() THEN t.previous_expires END"
        " AS previous_secret_expires, t.requests_per_minute"
        " FROM client LEFT JOIN client_terms AS t ON t.client_id = id ORDER BY id"
    )
    return [dict(row) for row in rows]


async def create_client(database: Database, asked: Registration) -> tuple[Client, str | None]:
    """Register a client; answers it and, for a confidential one with a secret, the secret.

    The secret is shown this once, only its hash is kept. Raises InvalidRegistration.
    """
    check_registration(asked)
    secret = secrets.token_urlsafe(32) if asked.auth_method.startswith("client_secret") else None
    keys = tuple(jose.read_jwks(asked.jwks, ALGORITHMS)) if asked.jwks is not None else ()
    client = Client(
        id=asked.client_id or secrets.token_hex(16),
        name=asked.name,
        scope=" ".join(asked.scope.split()),
        role=asked.role,
        auth_method=asked.auth_method,
        organization=asked.organization,
        purpose=asked.purpose,
        secret_hash=await hash_password(secret) if secret else None,
        keys=keys,
        jwks_url=asked.jwks_url,
        redirect_uris=asked.redirect_uris,
        require_pushed_authorization_requests=asked.require_pushed_authorization_requests,
        dpop_bound_access_tokens=asked.dpop_bound_access_tokens,
    )
    async with database.transaction() as connection:
        await insert_client(connection, client)
        if asked.secret_days is not None:
            await connection.execute(
                "INSERT INTO client_terms (client_id, secret_expires)"
                " VALUES ($1, now() + make_interval(days => $2))",
                client.id,
                asked.secret_days,
            )
    return client, secret


def check_registration(asked: Registration) -> None:
    """Refuse what could not work or would promise too much. Raises InvalidRegistration."""
    try:
        check_role(asked.role)
        if asked.jwks is not None:
            jose.read_jwks(asked.jwks, ALGORITHMS)
    except ValueError as error:
        raise InvalidRegistration(str(error)) from error
    if unknown := scopes.unknown(asked.scope):
        raise InvalidRegistration(f"scopes that mean nothing here: {' '.join(unknown)}")
    if not asked.name.strip() or "\0" in asked.name:
        raise InvalidRegistration("a client needs a name")
    if asked.client_id and not CLIENT_ID.match(asked.client_id):
        raise InvalidRegistration("a client id is 1 to 128 visible ASCII characters without colon")
    if asked.organization and not _ORGANIZATION.fullmatch(asked.organization):
        raise InvalidRegistration("the organization is a reference: Organization/<id>")
    _check_authentication(asked)
    _check_redirects(asked.redirect_uris)


def _check_authentication(asked: Registration) -> None:
    if asked.auth_method not in AUTH_METHODS:
        raise InvalidRegistration(f"the authentication is one of {', '.join(AUTH_METHODS)}")
    key_sets = (asked.jwks is not None) + (asked.jwks_url is not None)
    if key_sets != (asked.auth_method == "private_key_jwt"):
        raise InvalidRegistration(
            "private_key_jwt needs either a key set or its URL; others need none"
        )
    if asked.secret_days is not None and not asked.auth_method.startswith("client_secret"):
        raise InvalidRegistration("there is no secret that could expire")
    url = _parted(asked.jwks_url or "https://absent")
    if url is None or url.scheme not in ("https", "http") or not url.hostname:
        raise InvalidRegistration("the key set's URL must be an absolute https URL")


def _check_redirects(redirect_uris: tuple[str, ...]) -> None:
    """RFC 6749 3.1.2: "an absolute URI", which "MUST NOT include a fragment component"."""
    for uri in redirect_uris:
        parts = _parted(uri) if REDIRECT.fullmatch(uri) else None
        if parts is None or not parts.scheme or parts.scheme in UNSAFE:
            raise InvalidRegistration("a redirect URI is absolute and has no fragment")
        # RFC 9700 2.6: "MUST NOT allow redirection URIs that use the http scheme except for native
        # clients that use loopback interface redirection".
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise InvalidRegistration("a redirect URI of a web app is https")


def _parted(uri: str) -> SplitResult | None:
    """The parts of a URI; None where it has none, such as an address without its bracket."""
    try:
        parts = urlsplit(uri)
        # A port that is no number is found out only here.
        return parts if parts.port is None or parts.port else None
    except ValueError:
        return None


async def insert_client(store: Connection | Database, client: Client) -> None:
    """Write a client down. Raises InvalidRegistration when its id is taken."""
    jwks = json.dumps({"keys": client.keys}) if client.keys else None
    try:
        await store.execute(
            "INSERT INTO client (id, name, scope, role, auth_method, organization, purpose,"
            " secret_hash, jwks, jwks_url, redirect_uris, require_pushed_authorization_requests,"
            " dpop_bound_access_tokens)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            client.id,
            client.name,
            client.scope,
            client.role,
            client.auth_method,
            client.organization,
            client.purpose,
            client.secret_hash,
            jwks,
            client.jwks_url,
            list(client.redirect_uris),
            client.require_pushed_authorization_requests,
            client.dpop_bound_access_tokens,
        )
    except asyncpg.UniqueViolationError as error:
        raise InvalidRegistration(
            "a client with this client_id exists: take another, or remove that one first"
        ) from error
