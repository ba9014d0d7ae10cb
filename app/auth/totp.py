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
_SECRET = re.compile(r"[A-Z2-7]{32}")


def new_secret() -> str:
    """A secret to show: it travels with the form of this one page, and is kept once it is used."""
    return pyotp.random_base32()


def is_secret(text: str) -> bool:
    """Whether it could be a secret that was shown."""
    return _SECRET.fullmatch(text) is not None


def address(secret: str, username: str, issuer: str) -> str:
    """What the app reads from the picture.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    """
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


async def set_up(database: Database, subject: str, secret: str, code: str) -> bool:
    """Keep the secret if this is a code of it and the account has none; whether it is kept."""
    step = _step(secret, code) if is_secret(secret) else None
    if step is None:
        return False
    row = await database.fetchrow(
        "INSERT INTO totp (subject, secret, last_step) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING RETURNING subject",
        subject,
        secret,
        step,
    )
    return row is not None


async def is_code(database: Database, subject: str, code: str) -> bool:
    """Whether this is a code of the account's app, to the first who gives it."""
    secret = await database.fetchval("SELECT secret FROM totp WHERE subject = $1", subject)
    step = _step(secret, code) if secret else None
    if step is None:
        return False
    # RFC 6238 5.2: "MUST NOT accept the second attempt of the OTP".
    row = await database.fetchrow(
        "UPDATE totp SET last_step = $2 WHERE subject = $1 AND secret = $3 AND last_step < $2"
        " RETURNING subject",
        subject,
        step,
        secret,
    )
    return row is not None


def _step(secret: str, code: str) -> int | None:
    """The step a code belongs to: this one, or those next to it, as clocks differ."""
    code = re.sub(r"\s", "", code)
    if not _CODE.fullmatch(code):
        return None
    totp, now = pyotp.TOTP(secret), int(time.time()) // STEP
    good = [s for s in (now - 1, now, now + 1) if hmac.compare_digest(totp.generate_otp(s), code)]
    return good[-1] if good else None
