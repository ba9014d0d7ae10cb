"""Regenerate app/fhir/definitions/ from the official R4 package: `python -m tests.definitions`.

A test compares the committed files with what this makes, so that what the registry and the
validator say stays what HL7 published. The form: docs/decisions/0003-structure-definitions.md.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from app.fhir.registry import TYPES
from tests import terminology_definitions as terminology
from tests.official import package

Json = dict[str, Any]
TARGET = Path(__file__).parents[1] / "app" / "fhir" / "definitions"
CORE = "http://hl7.org/fhir/StructureDefinition/"
FHIR_TYPE = CORE + "structuredefinition-fhir-type"


def search_parameters() -> Json:
    """Per supported type (and `Resource`), the official parameters with that type's expression."""
    official = [one for one in package("SearchParameter").values() if is_basic(one)]
    urls = {one["url"]: one for one in official}
    found: Json = {}
    for type_ in ("Resource", *TYPES):
        own = sorted((one for one in official if type_ in one["base"]), key=lambda p: p["code"])
        found[type_] = {one["code"]: compact(one, type_, urls) for one in own}
    return found


def is_basic(parameter: Json) -> bool:
    """Whether R4 itself defines it: not an example, not on an extension, and with an expression."""
    if parameter["id"].startswith("example") or "-extensions-" in parameter["id"]:
        return False
    return bool(parameter.get("expression")) and "xtension(" not in parameter["expression"]


def compact(parameter: Json, type_: str, urls: Json) -> Json:
    row: Json = {"url": parameter["url"], "type": parameter["type"]}
    row["expression"] = own_expression(parameter["expression"], type_)
    if targets := [t for t in TYPES if t in parameter.get("target", ())]:
        row["target"] = targets
    if parameter["type"] == "composite":
        row["component"] = [component(part, urls) for part in parameter["component"]]
    return row | {"documentation": documentation(parameter["description"], type_)}


def component(part: Json, urls: Json) -> Json:
    definition = urls[part["definition"]]
    row = {"code": definition["code"], "type": definition["type"]}
    return row | {"expression": part["expression"]}


def own_expression(expression: str, type_: str) -> str:
    """The arms of a union that start at this type; an expression on Resource is everybody's."""
    arms = [arm for arm in union(expression) if re.match(rf"\(*{type_}\b", arm)]
    return " | ".join(arms)


def union(expression: str) -> Iterator[str]:
    """Split at `|` outside parentheses."""
    depth, start = 0, 0
    for at, char in enumerate(expression):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "|" and depth == 0:
            yield expression[start:at].strip()
            start = at + 1
    yield expression[start:].strip()


def documentation(description: str, type_: str) -> str:
    """What the official description says for this type."""
    own = re.search(rf"^\* \[{type_}\]\([^)]*\): (.*)$", description, re.MULTILINE)
    return (own[1] if own else description).strip()


def compartments() -> Json:
    """Per compartment, per supported type, the codes of the parameters that put it there."""
    found: Json = {}
    for one in package("CompartmentDefinition").values():
        if one["id"] == "example":
            continue
        rows = {row["code"]: row.get("param", []) for row in one["resource"]}
        found[one["code"]] = {t: rows[t] for t in TYPES if rows.get(t)}
    return dict(sorted(found.items()))


def structures() -> Json:
    """Every R4 type, backbone elements as types of their own, and the codes of required sets."""
    official = [one for one in package("StructureDefinition").values() if is_type(one)]
    found: Json = {}
    bound: set[str] = set()
    for one in sorted(official, key=lambda d: d["type"]):
        found |= types_of(one, bound)
    return {"codes": dict(sorted(codes(bound).items())), "types": found}


def is_type(definition: Json) -> bool:
    if definition.get("derivation") == "constraint" or definition["kind"] == "logical":
        return False
    return bool(definition["kind"] != "primitive-type")


def types_of(definition: Json, bound: set[str]) -> Json:
    name = definition["type"]
    found: Json = {name: {"specializes": definition.get("baseDefinition", "").removeprefix(CORE)}}
    for element in definition["snapshot"]["element"][1:]:
        owner, _, leaf = element["path"].rpartition(".")
        if element["base"]["path"].partition(".")[0] != name:
            continue
        row = element_row(element, bound)
        if row["type"] in ("BackboneElement", "Element") and "contentReference" not in element:
            found[element["path"]] = {"specializes": row["type"]}
            row["type"] = element["path"]
        found[owner][leaf] = row
    return found


def element_row(element: Json, bound: set[str]) -> Json:
    """Type, cardinality where it is not 0..1, reference targets and required code set."""
    row: Json = {}
    if "contentReference" in element:
        row["type"] = element["contentReference"].removeprefix("#")
    else:
        names = [type_name(one) for one in element["type"]]
        row["type"] = names if element["path"].endswith("[x]") else names[0]
    if element["path"] == "Resource.id":
        row["type"] = "id"
    row |= {"min": 1} if element["min"] else {}
    row |= {"max": "*"} if element["max"] == "*" else {}
    row |= {"targets": targets} if (targets := reference_targets(element)) else {}
    binding = element.get("binding", {})
    if binding.get("strength") == "required" and (url := value_set(binding)):
        bound.add(url)
        row["codes"] = url.rpartition("/")[2]
    return row


def type_name(one: Json) -> str:
    for extension in one.get("extension", ()):
        if extension["url"] == FHIR_TYPE:
            return str(extension["valueUrl"])
    return str(one["code"])


def reference_targets(element: Json) -> list[str]:
    """The types a Reference may point to; none listed when any will do."""
    profiles = [
        profile.removeprefix(CORE)
        for one in element.get("type", ())
        if one["code"] == "Reference"
        for profile in one.get("targetProfile", ())
    ]
    return [] if "Resource" in profiles else sorted(profiles)


def value_set(binding: Json) -> str | None:
    """The url of the bound value set, if the package can enumerate it (BCP 47, 13 and UCUM: no)."""
    url = str(binding["valueSet"]).partition("|")[0]
    return url if expand(url) else None


def codes(urls: Iterable[str]) -> Json:
    return {url.rpartition("/")[2]: expand(url) for url in urls}


def expand(url: str) -> dict[str, list[str]] | None:
    """The codes of a value set per code system; None when the package does not hold them."""
    found: dict[str, list[str]] = {}
    for include in package("ValueSet").get(url, {}).get("compose", {}).get("include", ()):
        listed = include.get("concept") or concepts(include["system"])
        if not listed:
            return None
        found.setdefault(include["system"], []).extend(sorted(flat(listed)))
    return found or None


def concepts(system: str) -> list[Json]:
    definition = package("CodeSystem").get(system, {})
    whole = definition.get("content") == "complete"
    return definition.get("concept", []) if whole else []


def flat(listed: list[Json]) -> Iterator[str]:
    for one in listed:
        yield one["code"]
        yield from flat(one.get("concept", []))


def render(value: Any, depth: int) -> str:
    """JSON with one line per entry at this depth, so that a change is a readable diff."""
    if depth == 0:
        return json.dumps(value, ensure_ascii=False)
    rows = [f"{json.dumps(key)}: {render(one, depth - 1)}" for key, one in value.items()]
    return "{\n" + ",\n".join(rows) + "\n}"


def generated() -> dict[str, str]:
    """The text of every generated file, by its name."""
    return {
        "search-parameters.json": render(search_parameters(), 2),
        "compartments.json": render(compartments(), 2),
        "structures.json": render(structures(), 3),
        "elements.json": render(terminology.elements(), 1),
        "extensions.json": render(terminology.extensions(), 1),
        "summary.json": render(terminology.summaries(), 1),
        "operations.json": render(terminology.operations(), 1),
        "value-sets.json": render(terminology.value_sets(), 1),
        "code-systems.json": render(terminology.code_systems(), 1),
    }


if __name__ == "__main__":
    for name, text in generated().items():
        (TARGET / name).write_text(text + "\n")
