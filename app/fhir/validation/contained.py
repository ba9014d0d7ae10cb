"""Contained resources: what only the resource that holds them can judge.

https://hl7.org/fhir/R4/references.html#contained
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from typing import Any

from app.fhir.validation.problem import FRAGMENT, MENTION, Problem, Problems, problem, under

Json = Mapping[str, Any]
NAMING = (FRAGMENT, MENTION)


def settle(resource: Json, found: Problems) -> Problems:
    """Judge the references to contained resources (ref-1) and the contained resources themselves.

    `found` holds those references as problems of code `fragment` and `mention`; they are taken out.
    """
    held = resource.get("contained")
    if not found and not held:
        return found
    contained = held if isinstance(held, list) else []
    ids = Counter(str(one.get("id", "")) for one in contained if isinstance(one, dict))
    named = [one for one in found if one.code in NAMING]
    kept = [one for one in found if one.code not in NAMING]
    kept += (_dangling(one) for one in named if one.code == FRAGMENT and not _leads(one, ids))
    used = {one.diagnostics for one in named} | {_holder(one.path) for one in named if is_up(one)}
    for at, one in enumerate(contained):
        if isinstance(one, dict):
            kept += under(f".contained[{at}]", _contained(one, at, ids, used))
    return kept


def is_up(one: Problem) -> bool:
    """Whether this is a reference from a contained resource to what contains it."""
    return one.diagnostics == "#"


def _leads(one: Problem, ids: Mapping[Any, int]) -> bool:
    return one.diagnostics[1:] in ids or (is_up(one) and _holder(one.path) != "")


def _holder(path: str) -> str:
    found = re.match(r"\.contained\[\d+\]", path)
    return found[0] if found else ""


def _dangling(one: Problem) -> Problem:
    return Problem(one.path, "invariant", "ref-1: must name the id of a contained resource")


def _contained(one: Json, at: int, ids: Mapping[Any, int], used: Set[str]) -> Iterator[Problem]:
    id_, meta = str(one.get("id", "")), one.get("meta")
    if not id_ or ids[id_] > 1:
        yield from problem("invariant", "dom-3: needs an id that is unique within the resource")
    elif used.isdisjoint((f"#{id_}", f".contained[{at}]")):
        yield from problem("invariant", "dom-3: must be referred to from the rest of the resource")
    if "contained" in one:
        yield from problem("invariant", "dom-2: must not itself contain resources")
    if isinstance(meta, dict) and not meta.keys().isdisjoint(("versionId", "lastUpdated")):
        yield from problem("invariant", "dom-4: must not have a version or update time", ".meta")
    if isinstance(meta, dict) and "security" in meta:
        yield from problem("invariant", "dom-5: must not have a security label", ".meta")
