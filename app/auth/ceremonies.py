"""The two ceremonies of passkeys: a browser makes one, and proves one.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations

Imported where a ceremony begins: the library takes ten megabytes of each worker.
"""

import json
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.auth.account_state import NOT_LOCKED
from app.auth.accounts import Account
from app.auth.authority import Authority
from app.auth.handles import digest, new_handle
from app.auth.passkeys import InvalidPasskey, passkeys_of
from app.storage.database import Database

LIFETIME = 600
"""Seconds a challenge waits for its answer."""

MOST, MAX_NAME, MAX_RESPONSE = 20, 100, 32_768


async def registration_options(authority: Authority, account: Account, browser: str) -> str:
    """What the browser is asked to make, as JSON; `browser` is the cookie that must answer."""
    kept = await passkeys_of(authority.database, account.subject)
    options = webauthn.generate_registration_options(
        rp_id=_rp_id(authority),
        rp_name="isp-fhir",
        user_id=account.subject.encode(),
        user_name=account.username,
        challenge=await _challenge(authority.database, browser),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.id)) for one in kept
        ],
        timeout=LIFETIME * 1000,
    )
    return webauthn.options_to_json(options)


async def sign_in_options(authority: Authority, browser: str) -> str:
    """What the browser is asked to sign, as JSON: with any passkey it has for this server."""
    options = webauthn.generate_authentication_options(
        rp_id=_rp_id(authority),
        challenge=await _challenge(authority.database, browser),
        user_verification=UserVerificationRequirement.REQUIRED,
        timeout=LIFETIME * 1000,
    )
    return webauthn.options_to_json(options)


async def register_passkey(
    authority: Authority, account: Account, browser: str, answer: str, name: str
) -> None:
    """Keep the passkey that the browser made. Raises InvalidPasskey."""
    found = _read(answer)
    challenge = await _use_up(authority.database, browser, found)
    try:
        made = webauthn.verify_registration_response(
            credential=found,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(authority),
            expected_origin=_origin(authority),
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise InvalidPasskey(type(error).__name__) from error
    row = await authority.database.fetchrow(
        "INSERT INTO passkey (id, subject, public_key, sign_count, name)"
        " SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM passkey WHERE subject = $2) < $6"
        " ON CONFLICT DO NOTHING RETURNING id",
        bytes_to_base64url(made.credential_id),
        account.subject,
        made.credential_public_key,
        made.sign_count,
        name[:MAX_NAME].strip() or "Passkey",
        MOST,
    )
    if row is None:
        raise InvalidPasskey("it is registered already, or there are too many")


async def account_of_passkey(authority: Authority, browser: str, answer: str) -> Account:
    """The account whose passkey signed the challenge of this browser. Raises InvalidPasskey."""
    found = _read(answer)
    challenge = await _use_up(authority.database, browser, found)
    row = await authority.database.fetchrow(
        "SELECT k.id, k.public_key, k.sign_count, a.username, a.fhir_user, a.role, a.subject,"
        " a.organization FROM passkey AS k JOIN account AS a ON a.subject = k.subject"
        f" WHERE k.id = $1 AND {NOT_LOCKED}",
        str(found.get("id")),
    )
    if row is None:
        raise InvalidPasskey("unknown")
    try:
        proved = webauthn.verify_authentication_response(
            credential=found,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(authority),
            expected_origin=_origin(authority),
            credential_public_key=row["public_key"],
            credential_current_sign_count=row["sign_count"],
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise InvalidPasskey(type(error).__name__) from error
    await _count(authority.database, row["id"], row["sign_count"], proved.new_sign_count)
    names = ("username", "fhir_user", "role", "subject", "organization")
    return Account(**{name: row[name] for name in names})


async def _count(database: Database, id_: str, before: int, now: int) -> None:
    """A counter that another sign-in moved meanwhile may be that of a copied key."""
    row = await database.fetchrow(
        "UPDATE passkey SET sign_count = $3, last_used = now() WHERE id = $1 AND sign_count = $2"
        " RETURNING id",
        id_,
        before,
        now,
    )
    if row is None:
        raise InvalidPasskey("its counter moved")


async def _challenge(database: Database, browser: str) -> bytes:
    """A new challenge: only this browser may answer it, and once."""
    handle = new_handle()
    await database.execute(
        "INSERT INTO passkey_challenge (id, expires)"
        " VALUES ($1, now() + make_interval(secs => $2))",
        digest(f"{browser} {handle}"),
        LIFETIME,
    )
    return base64url_to_bytes(handle)


async def _use_up(database: Database, browser: str, answer: dict[str, Any]) -> bytes:
    """The challenge an answer claims to be for, if this browser was given it and has not used it.

    Raises InvalidPasskey.
    """
    try:
        data = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
        handle = str(data["challenge"])
        challenge = base64url_to_bytes(handle)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InvalidPasskey("no challenge") from error
    row = await database.fetchrow(
        "DELETE FROM passkey_challenge WHERE id = $1 AND expires > now() RETURNING id",
        digest(f"{browser} {handle}"),
    )
    if row is None:
        raise InvalidPasskey("the challenge is unknown, was used, or has expired")
    return challenge


def _read(answer: str) -> dict[str, Any]:
    try:
        found = json.loads(answer) if len(answer) <= MAX_RESPONSE else None
    except (ValueError, RecursionError) as error:
        raise InvalidPasskey("no JSON") from error
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise InvalidPasskey("no credential")
    if not found["id"].isascii() or not found["id"].isprintable():
        raise InvalidPasskey("no credential")
    return found


def _rp_id(authority: Authority) -> str:
    return urlsplit(authority.issuer).hostname or ""


def _origin(authority: Authority) -> str:
    parts = urlsplit(authority.issuer)
    return f"{parts.scheme}://{parts.netloc}"
