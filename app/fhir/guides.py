"""The profiles and codes of implementation guides by others, made of tables of their constraints.

A folder of definitions/guides is a guide: guide.json names it and lists its codes, each other file
is a profile. An element is named by its id without the type (the type alone for the root) and has
the fields of an ElementDefinition, shorter: `slicing` is a list of "type path", `binding` is
"strength value-set", `type` maps a type to its profiles or targets, where ! is for what must be
supported, `constraint` names what `invariant` holds. A name that is no URL is one of the guide, or
a type of R4. https://hl7.org/fhir/R4/elementdefinition.html, docs/profiles.md
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from app.fhir.context import Resource
from app.fhir.registry import DEFINITIONS
from app.fhir.validation.constraint import CORE

Json = dict[str, Any]
FOLDER = DEFINITIONS / "guides"
PUBLISHER = "isp-fhir"
"""Of all that is made here: what a publisher of a guide has stored says another name."""

MUST_SUPPORT = {
    "url": "http://hl7.org/fhir/StructureDefinition/elementdefinition-type-must-support",
    "valueBoolean": True,
}


@cache
def definitions() -> Mapping[str, Resource]:
    """Every definition of every guide by url; profiles without snapshot."""
    return {one["url"]: one for each in _guides().items() for one in _of_guide(*each)}


def origin(url: str) -> Mapping[str, str]:
    """The version and publisher of what has this url, if it is of a guide."""
    found = (one for one in _guides().values() if url.startswith(f"{one['canonical']}/"))
    return next(({"version": one["version"], "publisher": PUBLISHER} for one in found), {})


@cache
def _guides() -> Mapping[Path, Json]:
    found = sorted(FOLDER.glob("*/guide.json"))
    return {path: orjson.loads(path.read_bytes()) for path in found}


def is_ours(resource: Resource) -> bool:
    """Whether a stored definition was made here, rather than loaded from the guide itself."""
    return resource.get("publisher") == PUBLISHER


def _of_guide(path: Path, guide: Json) -> Iterator[Resource]:
    for id_, row in guide["codeSystem"].items():
        yield _code_system(guide, id_, row)
    for id_, row in guide["valueSet"].items():
        yield _value_set(guide, id_, row)
    for each in sorted(path.parent.glob("*.json")):
        if each != path:
            yield _structure(guide, orjson.loads(each.read_bytes()))


def _head(guide: Json, kind: str, id_: str) -> Json:
    about = f"What {guide['name']} {guide['version']} says, put down again without its texts."
    return {
        "resourceType": kind,
        "id": id_,
        "url": f"{guide['canonical']}/{kind}/{id_}",
        "version": guide["version"],
        "status": "active",
        "experimental": False,
        "date": guide["date"],
        "publisher": PUBLISHER,
        "description": about,
    }


def _code_system(guide: Json, id_: str, row: Json) -> Resource:
    concepts = [{"code": code, "display": display} for code, display in row["concept"].items()]
    return {
        **_head(guide, "CodeSystem", id_),
        "name": row["name"],
        "title": row["title"],
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "concept": concepts,
    }


def _value_set(guide: Json, id_: str, row: Json) -> Resource:
    sides = {
        side: [_part(one) for one in row[side]] for side in ("include", "exclude") if side in row
    }
    head = _head(guide, "ValueSet", id_)
    return {**head, "name": row["name"], "title": row["title"], "compose": sides}


def _part(part: Json) -> Json:
    concepts = (
        {"concept": [{"code": code} for code in part["concept"]]} if "concept" in part else {}
    )
    return part | concepts


def _structure(guide: Json, row: Json) -> Resource:
    type_ = row["type"]
    is_extension = type_ == "Extension"
    contexts = [{"type": "element", "expression": one} for one in row.get("context", ())]
    elements = [_element(guide, row, name, said) for name, said in row["element"].items()]
    if next(iter(row["element"]), None) != type_:
        elements.insert(0, {"id": type_, "path": type_})
    return {
        **_head(guide, "StructureDefinition", row["id"]),
        "name": row["name"],
        "title": row["title"],
        "fhirVersion": "4.0.1",
        "kind": "complex-type" if is_extension else "resource",
        "abstract": False,
        **({"context": contexts} if contexts else {}),
        "type": type_,
        "baseDefinition": _profile(guide, row.get("base") or type_),
        "derivation": "constraint",
        "differential": {"element": elements},
    }


def _profile(guide: Json, name: str) -> str:
    """The url of a profile by its short name."""
    if ":" in name:
        return name
    folder = (
        CORE
        if name.isalpha() and name[0].isupper()
        else f"{guide['canonical']}/StructureDefinition/"
    )
    return folder + name


def _element(guide: Json, row: Json, name: str, said: Json) -> Json:
    type_ = row["type"]
    id_ = type_ if name == type_ else f"{type_}.{name}"
    path = ".".join(step.partition(":")[0] for step in id_.split("."))
    slice_ = id_.rpartition(".")[2].partition(":")[2]
    made = {"id": id_, "path": path, **({"sliceName": slice_} if slice_ else {})}
    return made | {key: _said(guide, row, key, value) for key, value in said.items()}


def _said(guide: Json, row: Json, key: str, value: Any) -> Any:
    """One field of an element, in full."""
    match key:
        case "slicing":
            by = [dict(zip(("type", "path"), one.split(" "), strict=True)) for one in value]
            return {"discriminator": by, "rules": "open"}
        case "binding":
            strength, _, name = value.partition(" ")
            url = name if ":" in name else f"{guide['canonical']}/ValueSet/{name}"
            return {"strength": strength, "valueSet": url}
        case "type":
            return [_type(guide, code, profiles) for code, profiles in value.items()]
        case "constraint":
            source = f"{guide['canonical']}/StructureDefinition/{row['id']}"
            return [{"key": one, **row["invariant"][one], "source": source} for one in value]
    return value


def _type(guide: Json, code: str, profiles: list[str]) -> Json:
    key = "targetProfile" if code.removesuffix("!") in ("Reference", "canonical") else "profile"
    made: Json = {"extension": [MUST_SUPPORT]} if code.endswith("!") else {}
    made["code"] = code.removesuffix("!")
    if profiles:
        made[key] = [_profile(guide, one.removesuffix("!")) for one in profiles]
    if any(one.endswith("!") for one in profiles):
        flags = ({"extension": [MUST_SUPPORT]} if one.endswith("!") else None for one in profiles)
        made[f"_{key}"] = list(flags)
    return made
