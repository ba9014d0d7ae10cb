"""Whether a code is in a value set, told as far as it can be known.

https://hl7.org/fhir/R4/terminology-service.html#validation
"""

from collections.abc import Iterable, Mapping
from typing import Any

from app.fhir.context import Resource
from app.fhir.terminology.filters import filtered
from app.fhir.terminology.held import Held

Json = Mapping[str, Any]


def has(value_set: Resource, system: str | None, code: str, held: Held) -> bool | None:
    """Whether the value set has the code; None where what would tell is not held.

    Without a system, any system of the value set will do: elements of type code have none.
    """
    return _has(value_set, system, code, held, ())


def _has(
    value_set: Resource, system: str | None, code: str, held: Held, within: tuple[str, ...]
) -> bool | None:
    url = str(value_set.get("url", ""))
    if url and url in within:
        return False
    if "compose" not in value_set:
        return _expanded(value_set.get("expansion", {}).get("contains"), system, code)
    inner, compose = (*within, url), value_set["compose"]
    included = any_of(_part(one, system, code, held, inner) for one in compose.get("include", ()))
    if included is False:
        return False
    excluded = any_of(_part(one, system, code, held, inner) for one in compose.get("exclude", ()))
    return all_of([included, None if excluded is None else not excluded])


def _expanded(contains: Any, system: str | None, code: str) -> bool | None:
    if contains is None:
        return None
    return any(
        (one.get("code") == code and system in (None, one.get("system")))
        or _expanded(one.get("contains", ()), system, code)
        for one in contains
    )


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """True if one is, None if one is unknown, otherwise False."""
    found = set(answers)
    return True if True in found else None if None in found else False


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """False if one is, None if one is unknown, otherwise True."""
    found = set(answers)
    return False if False in found else None if None in found else True


def _part(
    part: Json, system: str | None, code: str, held: Held, within: tuple[str, ...]
) -> bool | None:
    answers = [_in_system(part, system, code, held)] if "system" in part else []
    for canonical in part.get("valueSet", ()):
        imported = held.value_set(canonical)
        answers.append(_has(imported, system, code, held, within) if imported else None)
    return all_of(answers) if answers else False


def _in_system(part: Json, system: str | None, code: str, held: Held) -> bool | None:
    if system not in (None, part["system"]):
        return False
    if "concept" in part:
        return any(one["code"] == code for one in part["concept"])
    known = held.code_system(part["system"])
    if known is None or not (known.is_complete or known.find(code)):
        return None
    found = known.find(code)
    return found is not None and found in filtered(known, part.get("filter", ()))
