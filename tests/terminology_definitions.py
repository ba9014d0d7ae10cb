"""The generated definitions of terminology and of element texts; see tests/definitions.py.

Value sets with lists of codes whose owner is not HL7 (SNOMED CT, LOINC, DICOM) are left out, but
for short lists of units.
"""

from collections.abc import Iterator
from typing import Any

from app.fhir import guides
from app.fhir.registry import TYPES
from tests.official import package

Json = dict[str, Any]
UCUM, SHORT = "http://unitsofmeasure.org", 50
NOT_OURS = frozenset({"http://dicom.nema.org/resources/ontology/DCM"})
ABSTRACT = "notSelectable"


def is_supported(definition: Json) -> bool:
    if definition.get("derivation") == "constraint" or definition["kind"] == "logical":
        return False
    types = (*TYPES, "Resource", "DomainResource")
    return bool(definition["kind"] == "complex-type" or definition["type"] in types)


def rows() -> Iterator[Json]:
    """The elements of the supported types, each where it is first defined."""
    for one in sorted(package("StructureDefinition").values(), key=lambda d: d["type"]):
        if one["kind"] == "primitive-type" or not is_supported(one):
            continue
        for element in one["snapshot"]["element"]:
            if element["base"]["path"].partition(".")[0] == one["type"]:
                yield element


def elements() -> Json:
    """By path: what the element is for, its binding, why it modifies, whether a summary has it."""
    return {each["path"]: element(each) for each in rows()}


def element(one: Json) -> Json:
    row: Json = {"short": one["short"]}
    binding = one.get("binding", {})
    if "valueSet" in binding:
        row["binding"] = [binding["strength"], binding["valueSet"]]
    if one.get("isModifier"):
        row["modifies"] = one["isModifierReason"]
    return row | ({"summary": True} if one.get("isSummary") else {})


def summaries() -> Json:
    """By type: the elements that are mandatory, that a summary has, and what it lacks in those."""
    definitions = {
        one["type"]: one
        for one in package("StructureDefinition").values()
        if one.get("derivation") != "constraint"
    }
    return {type_: _summary(definitions[type_]) for type_ in sorted(TYPES)}


def _summary(definition: Json) -> Json:
    found = {one["path"].partition(".")[2]: one for one in definition["snapshot"]["element"]}
    top = {path: one for path, one in found.items() if path and "." not in path}
    shown = [path for path, one in top.items() if one.get("isSummary")]
    cut = [
        path
        for path, one in found.items()
        if path.partition(".")[0] in shown
        and "." in path
        and not one.get("isSummary")
        and path.rpartition(".")[2] not in ("id", "extension", "modifierExtension")
    ]
    row: Json = {"mandatory": [path for path, one in top.items() if one["min"]], "summary": shown}
    return row | ({"cut": cut} if cut else {})


def bound() -> Iterator[str]:
    """The value sets that elements, and the profiles and extensions held, are bound to."""
    others = [one for one in guides.definitions().values() if "differential" in one]
    for one in (*extensions().values(), *others):
        for element in one["differential"]["element"]:
            yield element.get("binding", {}).get("valueSet", "").partition("|")[0]
    for one in rows():
        if "valueSet" in one.get("binding", {}):
            yield one["binding"]["valueSet"].partition("|")[0]


def value_sets() -> Json:
    """By url: the value sets that elements are bound to, and what they import."""
    found: Json = {}
    left = list(bound())
    while left:
        url = left.pop()
        one = package("ValueSet").get(url, {})
        parts = [*one.get("compose", {}).get("include", []), *excluded(one)]
        if url in found or not parts or not all(is_held(part) for part in parts):
            continue
        found[url] = {"id": one["id"], "name": one["name"], "version": one["version"]}
        found[url] |= {"title": one.get("title", one["name"]), "compose": compose(one["compose"])}
        left += [imported for part in parts for imported in part.get("valueSet", [])]
    return dict(sorted(found.items()))


def excluded(value_set: Json) -> list[Json]:
    found: list[Json] = value_set.get("compose", {}).get("exclude", [])
    return found


def compose(given: Json) -> Json:
    """The parts without the extensions that only concern the publisher."""
    kept = ("system", "version", "concept", "filter", "valueSet")
    return {
        name: [{key: part[key] for key in kept if key in part} for part in given[name]]
        for name in ("include", "exclude")
        if name in given
    }


def is_held(part: Json) -> bool:
    is_list_of_units = part.get("system") == UCUM and 0 < len(part.get("concept", ())) < SHORT
    return "system" not in part or is_list_of_units or part["system"] in held()


def held() -> Json:
    return {
        url: one
        for url, one in package("CodeSystem").items()
        if one["content"] == "complete" and url not in NOT_OURS
    }


def code_systems() -> Json:
    """By url: the code systems of those value sets, with displays and hierarchy."""
    used = {
        part["system"]
        for one in value_sets().values()
        for side in one["compose"].values()
        for part in side
        if part.get("system", UCUM) != UCUM
    }
    return {url: code_system(held()[url]) for url in sorted(used)}


def code_system(one: Json) -> Json:
    kept = ("id", "version", "name", "title", "hierarchyMeaning", "caseSensitive", "content")
    found = {key: one[key] for key in kept if key in one}
    return found | {"concept": [concept(each) for each in one.get("concept", [])]}


def concept(one: Json) -> Json:
    found = {"code": one["code"].strip()}
    found |= {"display": one["display"].strip()} if one.get("display") else {}
    is_abstract = any(
        each["code"] == ABSTRACT and each.get("valueBoolean") for each in one.get("property", [])
    )
    found |= {"property": [{"code": ABSTRACT, "valueBoolean": True}]} if is_abstract else {}
    below = [concept(each) for each in one.get("concept", [])]
    return found | ({"concept": below} if below else {})


EXTENSIONS = (
    *("goal-", "resource-", "request-", "event-", "task-", "careplan-", "patient-", "data-"),
    *("condition-", "questionnaireresponse-"),
)
PROFILES = ("vitalsigns", "SimpleQuantity", "MoneyQuantity", "ordinalValue", "display")
SAID = ("id", "path", "sliceName", "slicing", "short", "min", "max", "type", "binding")


def extensions() -> Json:
    """By url: the profiles of R4 that others build on, as differentials: most are extensions."""
    return {
        url: extension(one)
        for url, one in sorted(package("StructureDefinition").items())
        if one["id"] in PROFILES
        or (one["type"] == "Extension" and one["id"].startswith(EXTENSIONS))
    }


def extension(one: Json) -> Json:
    kept = ("id", "name", "title", "context", "type", "baseDefinition", "derivation", "kind")
    found = {key: one[key] for key in kept if key in one} | {"abstract": False}
    return found | {"differential": {"element": [row(e) for e in one["differential"]["element"]]}}


def row(element: Json) -> Json:
    found = {key: element[key] for key in SAID if key in element}
    found |= {key: one for key, one in element.items() if key.startswith(("fixed", "pattern"))}
    found |= {"constraint": own} if (own := constraints(element)) else {}
    if "binding" in found:
        found["binding"] = {k: v for k, v in found["binding"].items() if k in BOUND}
    return found


def constraints(element: Json) -> list[Json]:
    kept = ("key", "severity", "human", "expression", "source")
    return [{key: one[key] for key in kept if key in one} for one in element.get("constraint", [])]


BOUND = ("strength", "valueSet")


def operations() -> Json:
    """By url: the operations that R4 defines."""
    kept = ("text", "contact", "extension", "meta", "publisher")
    return {
        url: {key: value for key, value in one.items() if key not in kept}
        for url, one in sorted(package("OperationDefinition").items())
        if not one["id"].startswith("example")
    }
