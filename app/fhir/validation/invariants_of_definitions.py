"""The invariants of StructureDefinition. https://hl7.org/fhir/R4/structuredefinition.html#invs"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.fhir.validation.combinators import must, one_of
from app.fhir.validation.problem import Rule

Json = Mapping[str, Any]
OURS = "http://hl7.org/fhir/StructureDefinition"
SYSTEM = r"http://hl7\.org/fhirpath/System\.[A-Z][A-Za-z]+"
SAID = re.compile(rf"[a-zA-Z0-9]+|{SYSTEM}").fullmatch
WHOLE = re.compile(rf"[a-zA-Z0-9.]+|{SYSTEM}").fullmatch


def elements(value: Json, side: str) -> list[Json]:
    found: list[Json] = value.get(side, {}).get("element", [])
    return found


def sides(test: Callable[[Json, Sequence[Json]], bool]) -> Callable[[Json], bool]:
    """The test is passed by the elements of the snapshot, and by those of the differential."""
    return lambda value: all(
        test(value, found) for side in SIDES if (found := elements(value, side))
    )


SIDES = ("snapshot", "differential")


def roots(found: Sequence[Json]) -> list[Json]:
    return [one for one in found if "." not in one.get("path", ".")]


def _identified(_: Json, found: Sequence[Json]) -> bool:
    ids = [one.get("id") for one in found]
    return None not in ids and len(set(ids)) == len(ids)


def _plain_roots(_: Json, found: Sequence[Json]) -> bool:
    return not any(
        name in one for one in roots(found) for name in ("label", "code", "requirements")
    )


def _whole_roots(_: Json, found: Sequence[Json]) -> bool:
    return not any("sliceName" in one for one in roots(found))


def _typeless(value: Json) -> bool:
    if value.get("kind") == "logical":
        return True
    firsts = elements(value, "snapshot")[:1] + roots(elements(value, "differential")[:1])
    return not any("type" in one for one in firsts)


def _contained(value: Json) -> bool:
    """sdf-8, sdf-8a, sdf-11: every path is below the type."""
    type_, is_logical = value.get("type", ""), value.get("kind") == "logical"
    for side in SIDES:
        paths = [str(one.get("path", "")) for one in elements(value, side)]
        if not paths:
            continue
        first = paths[0] if side == "snapshot" else paths[0].partition(".")[0]
        if not is_logical and not (paths[0] == type_ or _is_inner(side, paths[0], type_)):
            return False
        if not all(path.startswith(f"{first}.") for path in paths[1:]):
            return False
    return True


def _is_inner(side: str, path: str, type_: str) -> bool:
    return side == "differential" and path.startswith(type_)


def _defaults(value: Json) -> bool:
    found = elements(value, "differential")
    has_any = any(key.startswith("defaultValue") for one in found for key in one)
    return not has_any or value.get("derivation") == "specialization"


def _official(value: Json) -> bool:
    """sdf-19, sdf-22: what HL7 publishes uses its own types, and no defaults."""
    if not str(value.get("url", "")).startswith(OURS):
        return True
    for side, match in (("differential", SAID), ("snapshot", WHOLE)):
        for one in elements(value, side):
            if any(key.startswith("defaultValue") for key in one):
                return False
            if not all(match(each.get("code", "x")) for each in one.get("type", ())):
                return False
    return True


def _distinct(value: Json) -> bool:
    paths = [one.get("path") for one in elements(value, "snapshot")]
    return value.get("derivation") == "constraint" or len(set(paths)) == len(paths)


def _defined(value: Json) -> bool:
    needed = ("definition", "min", "max", "base")
    return all(name in one for one in value.get("element", ()) for name in needed)


def _bound(value: Json) -> bool:
    bindings = (one["binding"] for one in value.get("element", ()) if "binding" in one)
    return all("valueSet" in one or "description" in one for one in bindings)


def _unsliced(value: Json) -> bool:
    return not any("slicing" in one for one in roots(value.get("element", ())))


DEFINITIONS: Mapping[str, tuple[Rule, ...]] = {
    "StructureDefinition": (
        must("sdf-1", "a path occurs once in a snapshot", _distinct),
        must("sdf-4", "needs baseDefinition unless abstract",
             lambda value: value.get("abstract") is True or "baseDefinition" in value),
        must("sdf-5", "an extension needs context", lambda value: value.get("type") != "Extension"
             or value.get("derivation") == "specialization" or "context" in value),
        one_of("sdf-6", "StructureDefinition", "snapshot", "differential"),
        must("sdf-8, sdf-8a, sdf-11", "paths begin with the type, and are below it", _contained),
        must("sdf-9", "the first element has no label, code or requirements", sides(_plain_roots)),
        must("sdf-14, sdf-16, sdf-17", "every element needs an id of its own", sides(_identified)),
        must("sdf-15, sdf-15a", "the first element has no type", _typeless),
        must("sdf-18", "contextInvariant is for extensions",
             lambda value: "contextInvariant" not in value or value.get("type") == "Extension"),
        must("sdf-19, sdf-22", "definitions of HL7 use their own types and no defaults", _official),
        must("sdf-21", "default values are for specializations", _defaults),
        must("sdf-23", "the first element has no sliceName", sides(_whole_roots)),
    ),
    "StructureDefinition.mapping": (
        one_of("sdf-2", "StructureDefinition.mapping", "name", "uri"),
    ),
    "StructureDefinition.snapshot": (
        must("sdf-3, sdf-8b", "every element needs definition, min, max and base", _defined),
        must("sdf-10", "a binding needs valueSet or description", _bound),
    ),
    "StructureDefinition.differential": (
        must("sdf-20", "the first element is not sliced", _unsliced),
    ),
}  # fmt: skip
"""The rules of each type."""
