"""Who calls, as the token said; and the callers whose tokens were verified a moment ago."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

from app.auth.scopes import Scope

MAX_CALLERS = 4_096

BELIEVED = 300
"""Seconds a token is believed after it was verified: by then a key that was withdrawn is noticed.
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """What a verified access token says, nothing more; what it may see is composed in admission.

    `organization` and `fhir_user` are references, `patient` is a logical id, `expires` is in
    seconds since 1970, `token_id` is the token's jti, `approval` the id of what a person approved,
    `extra_scopes` are not about resources, `jkt` is of the key the token works with.
    """

    client_id: str
    role: str
    organization: str | None
    user: str | None
    fhir_user: str | None
    patient: str | None
    scopes: tuple[Scope, ...]
    extra_scopes: frozenset[str]
    purpose: str | None
    token_id: str
    expires: int
    approval: str | None = None
    jkt: str | None = None

    def __hash__(self) -> int:
        # What follows from a Caller is looked up with every request, and callers differ in this.
        return hash(self.token_id)


class Callers:
    """Verified callers by the hash of their token, for BELIEVED seconds and until it expires.

    The oldest goes first.
    Every worker has its own and none needs another's: a token that is not here is verified again.
    """

    def __init__(self, size: int = MAX_CALLERS) -> None:
        self._size = size
        self._callers: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()

    def get(self, token: str) -> Caller | None:
        """The caller of a token verified a moment ago and not expired since."""
        key = _key(token)
        caller, until = self._callers.get(key, (None, 0.0))
        if caller is None:
            return None
        if until <= time.time():
            del self._callers[key]
            return None
        self._callers.move_to_end(key)
        return caller

    def put(self, token: str, caller: Caller) -> None:
        """Remember a verified token."""
        self._callers[_key(token)] = caller, min(caller.expires, time.time() + BELIEVED)
        if len(self._callers) > self._size:
            self._callers.popitem(last=False)

    def clear(self) -> None:
        """Forget all: the keys that vouched for them have changed."""
        self._callers.clear()


def _key(token: str) -> bytes:
    return sha256(token.encode()).digest()
