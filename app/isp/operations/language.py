"""The parameter `language` of the operations that answer in words."""

from collections.abc import Mapping
from typing import Any

from app.fhir.errors import BadRequest
from app.isp.words import LANGUAGES


def language(given: Mapping[str, Any]) -> str | None:
    """The language that was asked for, None without. Raises BadRequest for any other."""
    asked = given.get("language")
    if asked is None:
        return None
    if str(asked).lower().partition("-")[0] not in LANGUAGES:
        raise BadRequest(f"language: one of {', '.join(LANGUAGES)}.", code="value")
    return str(asked)
