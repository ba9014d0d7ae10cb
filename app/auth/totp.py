"""Codes of an authenticator app: made from a secret and the time, each good once.

https://www.rfc-editor.org/rfc/rfc6238#section-5.2
"""

import hmac
import re
import time

import pyotp

from app.storage.database import Database

STEP = 30
"""Seconds between two codes."""

_CODE = re.compile(r"[0-9]{6}")


async def offered_secret(database: Database, subject: str) -> str | None:
    """The secret an account may set up: the same until it does; None when it has done so."""
    await database.execute(
        "INSERT INTO totp (subject, secret) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        subject,
        pyotp.random_base32(),
    )
    secret: str | None = await database.fetchval(
        "SELECT secret FROM totp WHERE subject = $1 AND NOT confirmed", subject
    )
    return secret


async def take_back(database: Database, subject: str) -> None:
    """Let a secret that was offered and not set up be none: whoever saw it has it no more."""
    await database.execute("DELETE FROM totp WHERE subject = $1 AND NOT confirmed", subject)


def address(secret: str, username: str, issuer: str) -> str:
    """What the app reads from the picture.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    """
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


async def confirm(database: Database, subject: str, code: str) -> bool:
    """Turn the codes on with the first of them; whether it was right."""
    return await _use_up(database, subject, code, is_confirmed=False)


async def is_code(database: Database, subject: str, code: str) -> bool:
    """Whether this is a code of the account's app, to the first who gives it."""
    return await _use_up(database, subject, code, is_confirmed=True)


async def _use_up(database: Database, subject: str, code: str, *, is_confirmed: bool) -> bool:
    sql = "SELECT secret FROM totp WHERE subject = $1 AND confirmed = $2"
    secret = await database.fetchval(sql, subject, is_confirmed)
    step = _step(secret, re.sub(r"\s", "", code)) if secret else None
    if step is None:
        return False
    # RFC 6238 5.2: "MUST NOT accept the second attempt of the OTP".
    row = await database.fetchrow(
        "UPDATE totp SET confirmed = true, last_step = $3 WHERE subject = $1 AND secret = $4"
        " AND confirmed = $2 AND last_step < $3 RETURNING subject",
        subject,
        is_confirmed,
        step,
        secret,
    )
    return row is not None


def _step(secret: str, code: str) -> int | None:
    """The step a code belongs to: this one, or those next to it, as clocks differ."""
    if not _CODE.fullmatch(code):
        return None
    totp, now = pyotp.TOTP(secret), int(time.time()) // STEP
    good = [s for s in (now - 1, now, now + 1) if hmac.compare_digest(totp.generate_otp(s), code)]
    return good[-1] if good else None
