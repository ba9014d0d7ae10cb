"""Contained resources: what only the resource that holds them can judge.

https://hl7.org/fhir/R4/references.html#contained
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.fhir.validation.problem import FRAGMENT, MENTION, Problem, Problems, problem, under

Json = Mapping[str, Any]
INTERNAL = (FRAGMENT, MENTION)


def settle(resource: Json, found: Problems) -> Problems:
    """Judge the references to contained resources (ref-1) and the contained resources themselves.

    `found` holds those references as problems of code `fragment` and `mention`; they are taken out.
    """
    contained = resource.get("contained", ())
    if not found and not contained:
        return found
    held = (
        [one for one in contained if isinstance(one, dict)] if isinstance(contained, list) else []
    )
    ids = [one.get("id") for one in held]
    kept = [one for one in found if one.code not in INTERNAL]
    named = [one for one in found if one.code in INTERNAL]
    said = "ref-1: must name the id of a contained resource"
    kept += [
        Problem(one.path, "invariant", said)
        for one in named
        if one.code == FRAGMENT and one.diagnostics != "#" and one.diagnostics[1:] not in ids
    ]
    for at, one in enumerate(held):
        kept += under(f".contained[{at}]", _contained(one, f".contained[{at}]", ids, named))
    return kept


def _contained(one: Json, path: str, ids: Sequence[Any], named: Sequence[Problem]) -> list[Problem]:
    found: list[Problem] = []
    id_ = one.get("id")
    if id_ is None or ids.count(id_) > 1:
        found += problem("invariant", "dom-3: needs an id that is unique within the resource")
    elif not _is_used(f"#{id_}", path, named):
        found += problem("invariant", "dom-3: must be referred to from the rest of the resource")
    if "contained" in one:
        found += problem("invariant", "dom-2: must not itself contain resources")
    meta = one.get("meta")
    if isinstance(meta, dict) and not meta.keys().isdisjoint(("versionId", "lastUpdated")):
        found += problem("invariant", "dom-4: must not have a version or an update time", ".meta")
    if isinstance(meta, dict) and "security" in meta:
        found += problem("invariant", "dom-5: must not have a security label", ".meta")
    return found


def _is_used(name: str, path: str, named: Sequence[Problem]) -> bool:
    """Whether somebody names it, or it refers to what contains it."""
    return any(
        one.diagnostics == name or (one.diagnostics == "#" and one.path.startswith(path))
        for one in named
    )
