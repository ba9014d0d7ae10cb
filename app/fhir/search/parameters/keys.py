"""Search keys: the hashes under which values and parameters stand in `resource.keys` and `index_*`.

A key is a signed 64-bit hash of what one search criterion asks for, so "does this row match" is
"does its array hold this number", for every match form of a value at once.
"""

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

SEPARATOR = "\x1f"


@lru_cache(maxsize=65536)
def key(*parts: str) -> int:
    """The signed 64-bit key of these parts. Raises UnicodeEncodeError on lone surrogates."""
    digest = blake2b(SEPARATOR.join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def keys_after(*parts: str) -> Callable[[str], int]:
    """The `key` of these parts and one more, for values that hardly come twice: none is kept."""
    begun = blake2b(SEPARATOR.join([*parts, ""]).encode(), digest_size=8)

    def key_of(last: str) -> int:
        hashed = begun.copy()
        hashed.update(last.encode())
        return int.from_bytes(hashed.digest(), "big", signed=True)

    return key_of


@lru_cache(maxsize=4096)
def param(type_: str, code: str) -> int:
    """The number of a type's search parameter in the `index_*` tables: 31 bits, never negative."""
    digest = blake2b(f"{type_}.{code}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & 0x7FFFFFFF


@lru_cache(maxsize=4096)
def presence(type_: str, code: str) -> int:
    """The key that says: this resource has a value for the parameter (:missing asks for it)."""
    return key(f"{type_}.{code}", "present")


@lru_cache(maxsize=4096)
def failure(type_: str, code: str) -> int:
    """The key that says: the parameter's expression could not be evaluated on this resource."""
    return key(f"{type_}.{code}", "failed")
