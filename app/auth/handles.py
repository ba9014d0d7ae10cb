"""What is given out once and works once: unguessable, and kept only as its hash."""

import hashlib
import re
import secrets


def new_handle() -> str:
    """256 random bits, fit for URLs, cookies and headers."""
    return secrets.token_urlsafe(32)


def is_handle(text: str) -> bool:
    """Whether this could be a handle at all."""
    return re.fullmatch(r"[A-Za-z0-9_-]{43}", text) is not None


def digest(handle: str) -> str:
    """What the database keeps of a handle. Unsalted, because a handle cannot be guessed."""
    return hashlib.sha256(handle.encode("utf-8", "surrogatepass")).hexdigest()
