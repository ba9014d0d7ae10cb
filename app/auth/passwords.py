"""Passwords and client secrets: judged, and hashed with argon2id, off the event loop.

Parameters: OWASP's second choice (19 MiB, 2 passes), because the memory counts for every worker.
https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
"""

import asyncio
import hmac
import secrets
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

GUESSES = 1_000_000
"""So many take three years, at the pace that app/auth/throttle.py allows."""

ESTIMATED = 72
"""Characters that are looked at; the time grows with them."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Two threads bound what a flood of wrong passwords may take of the machine.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def hash_password(password: str) -> str:
    """The argon2id hash of a password, salt and parameters included."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, password)


async def is_password(password: str, hash_: str | None) -> bool:
    """Whether the hash is this password's; without a hash it takes as long, and it is not."""
    verdict = await asyncio.get_running_loop().run_in_executor(_THREADS, _verify, hash_, password)
    return verdict and hash_ is not None


async def is_guessable(password: str, username: str) -> bool:
    """Whether a password is one of the first million that somebody would try.

    Words and passwords in common use, names, sequences, repetition, and the user name.
    https://pages.nist.gov/800-63-3/sp800-63b.html#memsecretver
    """
    return await asyncio.get_running_loop().run_in_executor(
        _THREADS, _is_guessable, password[:ESTIMATED], username
    )


def _is_guessable(password: str, username: str) -> bool:
    # Imported here: its lists take thirteen megabytes, and few workers ever judge a password.
    from zxcvbn import zxcvbn

    return int(zxcvbn(password, [username])["guesses"]) < GUESSES


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe())


def _verify(hash_: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(hash_ or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False


class ProvenSecrets:
    """Secrets that matched their hash before, so that a client is not made to pay argon2 each time.

    An entry holds for one stored hash only: a rotated secret has another hash and a removed client
    none, so either takes effect at once. Kept as HMAC under a key that dies with the process.
    """

    def __init__(self, size: int = 1_024) -> None:
        self._size = size
        self._key = secrets.token_bytes(32)
        self._proven: OrderedDict[bytes, None] = OrderedDict()

    async def is_secret(self, secret: str, hash_: str | None) -> bool:
        """Whether the hash is this secret's."""
        seal = hmac.digest(self._key, f"{hash_}\0{secret}".encode(), "sha256")
        if hash_ is not None and seal in self._proven:
            self._proven.move_to_end(seal)
            return True
        if not await is_password(secret, hash_):
            return False
        self._proven[seal] = None
        if len(self._proven) > self._size:
            self._proven.popitem(last=False)
        return True
