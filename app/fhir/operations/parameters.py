"""What an operation was asked: its parameters by name, from the URL and from the body.

https://hl7.org/fhir/R4/operations.html#request
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.fhir.context import Call
from app.fhir.errors import BadRequest
from app.fhir.shape import REPRESENTATION
from app.fhir.validation.structure import validate

Kinds = Mapping[str, tuple[str, ...]]
"""By name of a parameter the elements that may hold it, such as valueString."""


def parameters_of(
    call: Call, kinds: Kinds, many: str = "", *, is_checked: bool = True
) -> dict[str, Any]:
    """The value of each parameter that was given, once, and in an element that may hold it.

    A parameter of the URL is text; that named `many` may be repeated, and is a list. Raises
    BadRequest for anything else. Unless `is_checked`, a resource in it may be as wrong as it is:
    the operation is there to judge it.
    """
    parts = [(name, text) for name, text in call.query if name not in REPRESENTATION]
    parts += [_part(part, kinds) for part in _parts(call, is_checked=is_checked)]
    found: dict[str, Any] = {}
    for name, value in parts:
        if name not in kinds:
            known = ", ".join(kinds) or "none"
            said = f"${call.operation} has no parameter {name}; it has: {known}."
            raise BadRequest(said, code="not-supported")
        if name == many:
            found.setdefault(name, []).append(value)
            continue
        if name in found:
            raise BadRequest(f"{name}: give it once.", code="structure")
        found[name] = value
    return found


def posted_parameters_of(call: Call, kinds: Kinds, many: str = "") -> dict[str, Any]:
    """As `parameters_of`, for what changes something: by POST, and everything in the body."""
    if call.body is None or any(name not in REPRESENTATION for name, _ in call.query):
        raise BadRequest("This changes something: send Parameters in the body, by POST.")
    return parameters_of(call, kinds, many)


def _parts(call: Call, *, is_checked: bool) -> list[Any]:
    body: Any = call.body
    if body is None:
        return []
    given = body.get("parameter", []) if isinstance(body, dict) else None
    if not isinstance(given, list) or body.get("resourceType") != "Parameters":
        raise BadRequest("Send Parameters.", code="structure")
    found = validate(body, "Parameters") if is_checked else []
    if issues := [one for one in found if one.severity == "error"]:
        raise BadRequest("The Parameters are not valid.", issues=issues)
    return given


def _part(part: Any, kinds: Kinds) -> tuple[str, Any]:
    name = part.get("name") if isinstance(part, dict) else None
    if not isinstance(name, str):
        raise BadRequest("Every parameter needs a name.", code="structure")
    given = [key for key in part if key in kinds.get(name, ())]
    if name in kinds and not given:
        raise BadRequest(f"{name}: give it as {' or '.join(kinds[name])}.", code="value")
    return name, part[given[0]] if given else None


def required(given: Mapping[str, Any], name: str) -> Any:
    """The value of a parameter that must be given, and be more than blanks."""
    value = given.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise BadRequest(f"Say {name}.", code="required")
    return value


def day_of(given: Mapping[str, Any], name: str, otherwise: date) -> date:
    """The day that a parameter gives, as 2026-11-22."""
    if name not in given:
        return otherwise
    try:
        return date.fromisoformat(str(given[name]))
    except ValueError:
        raise BadRequest(f"{name}: write a day as 2026-11-22.", code="value") from None


def text_of(name: str, value: Any) -> str | None:
    """The value of a parameter that is text. Raises BadRequest for anything else."""
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"{name}: must be text.", code="value")
    return value


def number_of(name: str, value: Any, otherwise: int | None = None) -> int | None:
    """The value of a parameter that is a number from 0. Raises BadRequest for anything else."""
    if value is None:
        return otherwise
    text = str(value)
    if isinstance(value, bool) or not text.isdigit() or len(text) > 9:
        raise BadRequest(f"{name}: must be a whole number from 0.", code="value")
    return int(text)


def flag_of(name: str, value: Any) -> bool:
    """The value of a parameter that is true or false. Raises BadRequest for anything else."""
    if value in (None, False, "false"):
        return False
    if value in (True, "true"):
        return True
    raise BadRequest(f"{name}: must be true or false.", code="value")
