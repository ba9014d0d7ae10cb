"""Further invariants of R4: of forms, codes, and what describes the server.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.fhir.validation.combinators import (
    each,
    has,
    is_distinct,
    must,
    names,
    not_both,
    one_of,
    only_for,
    requires,
    unless,
)
from app.fhir.validation.problem import Rule

Json = Mapping[str, Any]
ITEM, PARAMETER, ELEMENT = (
    "Questionnaire.item",
    "OperationDefinition.parameter",
    "ElementDefinition",
)
INCLUDE, CONTAINS = "ValueSet.compose.include", "ValueSet.expansion.contains"
CODED = frozenset({"code", "Coding", "CodeableConcept", "Quantity", "string", "uri"})
ANSWERED = frozenset(
    {
        "choice",
        "open-choice",
        "decimal",
        "integer",
        "date",
        "dateTime",
        "time",
        "string",
        "quantity",
    }
)
LONG = frozenset({"boolean", "decimal", "integer", "string", "text", "url", "open-choice"})
SLICE_NAME = re.compile(r"[a-zA-Z0-9/\-_\[\]@]+").fullmatch
_PATH = r"[^\s.,:;'\"/|?!@#$%&*()\[\]{}]{1,64}"
PATH = re.compile(rf"{_PATH}(\.{_PATH}(\[x\])?(:[^\s.]+)?)*").search
FREE = ("type", "defaultValue", "fixed", "pattern", "example", "minValue", "maxValue")


def _codes(concepts: Iterable[Json]) -> Iterator[str]:
    for one in concepts:
        if "code" in one:
            yield one["code"]
        yield from _codes(each(one, "concept"))


def _link_ids(items: Iterable[Json]) -> Iterator[str]:
    for one in items:
        if "linkId" in one:
            yield one["linkId"]
        yield from _link_ids(each(one, "item"))


def _span(value: Json) -> bool:
    high = value.get("max", "*")
    return high == "*" or bool(high.isdigit() and value.get("min", 0) <= int(high))


def _highest(value: Json) -> bool:
    high = value.get("max", "*")
    return high == "*" or bool(high.isdigit())


def _bound(value: Json) -> bool:
    types = {one.get("code") for one in each(value, "type")}
    return not has(value, "binding") or not types or not CODED.isdisjoint(types)


def _kind(value: Json) -> bool:
    kind, is_built = value.get("kind"), has(value, "software")
    if kind == "instance":
        return has(value, "implementation")
    is_run = has(value, "implementation")
    return not is_run and is_built is (kind == "capability")


def _group(value: Json) -> bool:
    type_ = value.get("type")
    return has(value, "item") if type_ == "group" else type_ != "display" or not has(value, "item")


CONFORMANCE: Mapping[str, tuple[Rule, ...]] = {
    "CapabilityStatement": (
        one_of("cpb-1", "CapabilityStatement", "rest", "messaging", "document"),
        one_of("cpb-2", "CapabilityStatement", "description", "software", "implementation"),
        must("cpb-3", "messaging.endpoint is for kind instance",
             lambda value: value.get("kind") == "instance"
             or not any(has(one, "endpoint") for one in each(value, "messaging"))),
        must("cpb-7", "documents differ in profile and mode", lambda value: is_distinct(
            (one.get("profile"), one.get("mode")) for one in each(value, "document"))),
        must("cpb-14, cpb-15, cpb-16", "an instance needs implementation, a capability software"
             " and no implementation, requirements neither", _kind),
    ),
    "CapabilityStatement.rest": (
        must("cpb-9", "a type occurs once",
             lambda value: is_distinct(one.get("type") for one in each(value, "resource"))),
    ),
    "CapabilityStatement.rest.resource": (
        must("cpb-12", "a search parameter occurs once",
             lambda value: is_distinct(one.get("name") for one in each(value, "searchParam"))),
    ),
    "CodeSystem": (
        must("csd-1", "a code occurs once",
             lambda value: is_distinct(_codes(each(value, "concept")))),
    ),
    "SearchParameter": (
        requires("spd-1", "SearchParameter", "xpath", "xpathUsage"),
        must("spd-2", "chain is for references", unless("chain", "reference")),
    ),
    PARAMETER: (
        one_of("opd-1", PARAMETER, "type", "part"),
        must("opd-2", "searchType is for type string", unless("searchType", "string")),
        must("opd-3", "targetProfile is for references and canonicals",
             unless("targetProfile", "Reference", "canonical")),
    ),
    "Questionnaire": (
        must("que-2", "a linkId occurs once",
             lambda value: is_distinct(_link_ids(each(value, "item")))),
    ),
    ITEM: (
        must("que-1", "a group needs items, a display has none", _group),
        must("que-3", "a display has no code", only_for("code", not_on=("display",))),
        not_both("que-4", ITEM, "answerOption", "answerValueSet"),
        must("que-5", "the type has no choice of answers", lambda value: value.get("type")
             in ANSWERED or not has(value, "answerOption", "answerValueSet")),
        must("que-6", "a display is not required and does not repeat",
             only_for("required", "repeats", not_on=("display",))),
        must("que-8", "groups and displays have no initial",
             only_for("initial", not_on=("group", "display"))),
        must("que-9", "a display is not readOnly", only_for("readOnly", not_on=("display",))),
        must("que-10", "the type has no maxLength", unless("maxLength", *sorted(LONG))),
        not_both("que-11", ITEM, "answerOption", "initial"),
        must("que-12", "more than two enableWhen need enableBehavior",
             lambda value: len(value.get("enableWhen", ())) < 3 or has(value, "enableBehavior")),
        must("que-13", "several initial values need repeats",
             lambda value: value.get("repeats") is True or len(value.get("initial", ())) < 2),
    ),
    "Questionnaire.item.enableWhen": (
        must("que-7", "exists is asked with answerBoolean", lambda value: value.get("operator")
             != "exists" or has(value, "answerBoolean")),
    ),
    INCLUDE: (
        one_of("vsd-1", INCLUDE, "valueSet", "system"),
        requires("vsd-2", INCLUDE, "concept", "system"),
        requires("vsd-2", INCLUDE, "filter", "system"),
        not_both("vsd-3", INCLUDE, "concept", "filter"),
    ),
    CONTAINS: (
        one_of("vsd-6", CONTAINS, "code", "display"),
        must("vsd-9", "needs a code unless abstract",
             lambda value: has(value, "code") or value.get("abstract") is True),
        requires("vsd-10", CONTAINS, "code", "system"),
    ),
    ELEMENT: (
        must("eld-2", "min is not more than max", _span),
        must("eld-3", "max is a number or *", _highest),
        *(not_both("eld-5", ELEMENT, "contentReference", one) for one in
          (*FREE, "maxLength", "binding")),
        must("eld-6, eld-7", "fixed and pattern are for one type", lambda value: len(
            value.get("type", ())) < 2 or names(ELEMENT, "fixed", "pattern").isdisjoint(value)),
        not_both("eld-8", ELEMENT, "pattern", "fixed"),
        must("eld-11", "binding is for what is coded", _bound),
        must("eld-13", "a type occurs once",
             lambda value: is_distinct(one.get("code") for one in each(value, "type"))),
        must("eld-14", "a constraint key occurs once",
             lambda value: is_distinct(one.get("key") for one in each(value, "constraint"))),
        not_both("eld-15", ELEMENT, "defaultValue", "meaningWhenMissing"),
        must("eld-16", "sliceName has only letters, digits, / - _ [ ] and @",
             lambda value: SLICE_NAME(value.get("sliceName", "x")) is not None),
        must("eld-18", "isModifier needs isModifierReason",
             lambda value: not value.get("isModifier") or has(value, "isModifierReason")),
        must("eld-19", "path must be made of names",
             lambda value: PATH(value.get("path", "x")) is not None),
        requires("eld-22", ELEMENT, "sliceIsConstraining", "sliceName"),
    ),
    "ElementDefinition.slicing": (
        one_of("eld-1", "ElementDefinition.slicing", "discriminator", "description"),
    ),
    "ElementDefinition.type": (
        must("eld-4", "aggregation is for references",
             unless("aggregation", "Reference", "canonical", within="code")),
        must("eld-17", "targetProfile is for references",
             unless("targetProfile", "Reference", "canonical", within="code")),
    ),
    "ElementDefinition.binding": (
        must("eld-12", "valueSet begins with http:, https: or urn:", lambda value: value.get(
            "valueSet", "urn:").startswith(("http:", "https", "urn:"))),
    ),
}  # fmt: skip
"""The rules of each type."""
