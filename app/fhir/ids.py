"""Logical ids for resources that come without one."""

import time
from os import urandom

VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The digit that begins with the bits 10, by one that was drawn."""


def new_id() -> str:
    """A logical id: a UUID that begins with the time, so that neighbours are stored together.

    https://www.rfc-editor.org/rfc/rfc9562#section-5.7
    """
    began, drawn = f"{time.time_ns() // 1_000_000:012x}", urandom(10).hex()
    variant = VARIANT[drawn[3]]
    return f"{began[:8]}-{began[8:]}-7{drawn[:3]}-{variant}{drawn[4:7]}-{drawn[8:]}"
