"""What an operation of R4 was asked: its parameters by name, from the URL and from the body.

https://hl7.org/fhir/R4/operations.html#request
"""

from collections.abc import Mapping
from typing import Any

from app.fhir.context import Call
from app.fhir.errors import BadRequest
from app.fhir.shape import REPRESENTATION

Kinds = Mapping[str, tuple[str, ...]]
"""By name of a parameter the elements that may hold it: valueUri, resource, …"""


def parameters(call: Call, kinds: Kinds) -> dict[str, Any]:
    """Each parameter that was given, once; of the URL it is text.

    Raises BadRequest for one the operation has not, or that is given twice or otherwise.
    """
    found: dict[str, Any] = {}
    parts = [(name, text) for name, text in call.query if name not in REPRESENTATION]
    for name, value in [*parts, *_of_body(call, kinds)]:
        if name not in kinds:
            known = ", ".join(kinds) or "none"
            raise BadRequest(f"${call.operation} has no parameter {name}; it has: {known}.")
        if name in found:
            raise BadRequest(f"{name}: give it once.", code="structure")
        found[name] = value
    return found


def _of_body(call: Call, kinds: Kinds) -> list[tuple[str, Any]]:
    body: Any = call.body
    if body is None:
        return []
    given = body.get("parameter", []) if isinstance(body, dict) else None
    if not isinstance(given, list) or body.get("resourceType") != "Parameters":
        raise BadRequest("Send Parameters.", code="structure")
    return [_part(part, kinds) for part in given]


def _part(part: Any, kinds: Kinds) -> tuple[str, Any]:
    name = part.get("name") if isinstance(part, dict) else None
    if not isinstance(name, str):
        raise BadRequest("Every parameter needs a name.", code="structure")
    given = [key for key in part if key in kinds.get(name, ())]
    if name in kinds and not given:
        raise BadRequest(f"{name}: give it as {' or '.join(kinds[name])}.", code="value")
    return name, part[given[0]] if given else None


def texts(name: str, value: Any) -> str | None:
    """The value of a parameter that is text. Raises BadRequest for anything else."""
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"{name}: must be text.", code="value")
    return value


def whole(name: str, value: Any, otherwise: int | None = None) -> int | None:
    """The value of a parameter that is a number from 0. Raises BadRequest for anything else."""
    if value is None:
        return otherwise
    text = str(value)
    if isinstance(value, bool) or not text.isdigit() or len(text) > 9:
        raise BadRequest(f"{name}: must be a whole number from 0.", code="value")
    return int(text)


def flag(name: str, value: Any) -> bool:
    """The value of a parameter that is true or false. Raises BadRequest for anything else."""
    if value in (None, False, "false"):
        return False
    if value in (True, "true"):
        return True
    raise BadRequest(f"{name}: must be true or false.", code="value")
