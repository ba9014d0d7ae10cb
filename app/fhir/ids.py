"""Logical ids for resources that come without one."""

import secrets
import time


def new_id() -> str:
    """A logical id: a UUID that begins with the time, so that neighbours are stored together.

    https://www.rfc-editor.org/rfc/rfc9562#section-5.7
    """
    value = int(time.time() * 1000) << 80 | 7 << 76 | secrets.randbits(76)
    text = f"{value & ~(3 << 62) | 2 << 62:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
