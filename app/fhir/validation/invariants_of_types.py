"""Further invariants of R4: of data types and of what surrounds a plan.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Callable, Mapping
from typing import Any

from app.fhir.validation.combinators import (
    each,
    has,
    has_code,
    is_distinct,
    must,
    names,
    not_both,
    one_of,
    requires,
    unless,
)
from app.fhir.validation.problem import Rule

Json = Mapping[str, Any]
UCUM = "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem"


def in_ucum(value: Json) -> bool:
    """Whether a value has a code, and the system is UCUM."""
    is_coded = has(value, "code") or not has(value, "value")
    return is_coded and value.get("system", UCUM) == UCUM


def _age(value: Json) -> bool:
    return in_ucum(value) and value.get("value", 1) > 0


def _count(value: Json) -> bool:
    whole = "." not in str(value.get("value", ""))
    return in_ucum(value) and value.get("code", "1") == "1" and whole


def _duration(value: Json) -> bool:
    return not has(value, "code") or (value.get("system") == UCUM and has(value, "value"))


def _percent(value: Json) -> bool:
    ends = (each_ for each_ in (value.get("low"), value.get("high")) if each_)
    return all(one.get("code") == "%" and one.get("system") == UCUM for one in ends)


def _risk(value: Json) -> bool:
    return _percent(value.get("probabilityRange", {}))


def _stratifier(value: Json) -> bool:
    return any(has(value, name) for name in ("code", "description", "criteria")) != has(
        value, "component"
    )


def _in_error(value: Json) -> bool:
    system = f"{HL7}/allergyintolerance-verification"
    return has_code(value.get("verificationStatus"), system, "entered-in-error")


def _observed(value: Json) -> bool:
    """obs-7: a value stands beside no component of the same code."""
    if names("Observation", "value").isdisjoint(value):
        return True
    own = value.get("code", {}).get("coding", ())
    parts = [one for part in each(value, "component") for one in part["code"].get("coding", ())]
    return not any(one in own for one in parts)


def _member(value: Json) -> bool:
    """ctm-1, as far as the reference says what it points to."""
    if not has(value, "onBehalfOf"):
        return True
    type_ = value.get("member", {}).get("reference", "").rpartition("/")[0].rpartition("/")[2]
    return type_ in ("", "Practitioner")


def _entries(element: str, *types: str) -> Callable[[Json], bool]:
    """Every entry of a Bundle of these types has the element, and no entry of another."""

    def test(value: Json) -> bool:
        wanted = value.get("type") in types
        return all(has(one, element) is wanted for one in each(value, "entry"))

    return test


def _full_urls(value: Json) -> bool:
    if value.get("type") == "history":
        return True
    found = (
        (one["fullUrl"], one.get("resource", {}).get("meta", {}).get("versionId", ""))
        for one in each(value, "entry")
        if "fullUrl" in one
    )
    return is_distinct(found)


def _first(type_: str, first: str) -> Callable[[Json], bool]:
    def test(value: Json) -> bool:
        entries = each(value, "entry")
        kind = entries[0].get("resource", {}).get("resourceType") if entries else None
        return value.get("type") != type_ or kind == first

    return test


def _document(value: Json) -> bool:
    identified = value.get("identifier", {})
    whole = has(identified, "system") and has(identified, "value")
    return value.get("type") != "document" or whole


def _trigger(value: Json) -> bool:
    type_ = value.get("type", "")
    if type_ == "named-event":
        return has(value, "name")
    if type_ == "periodic":
        return not names("TriggerDefinition", "timing").isdisjoint(value)
    return not type_.startswith("data-") or has(value, "data")


def _offset(value: Json) -> bool:
    meals = ("C", "CM", "CD", "CV")
    when = value.get("when", [])
    return not has(value, "offset") or (bool(when) and not (len(when) == 1 and when[0] in meals))


def _holds_one(value: Json) -> bool:
    is_valued = not names("Parameters.parameter", "value").isdisjoint(value)
    return is_valued + has(value, "resource") + has(value, "part") == 1


MORE: Mapping[str, tuple[Rule, ...]] = {
    "Age": (must("age-1", "needs a UCUM code, and to be more than 0", _age),),
    "Count": (must("cnt-3", "needs to be a whole number with the code 1", _count),),
    "Distance": (must("dis-1", "needs a UCUM code", in_ucum),),
    "Duration": (must("drt-1", "a code needs the system UCUM and a value", _duration),),
    "Timing.repeat": (must("tim-9", "offset needs a when that is no meal", _offset),),
    "Expression": (one_of("exp-1", "Expression", "expression", "reference"),),
    "DataRequirement.codeFilter": (
        one_of("drq-1", "DataRequirement.codeFilter", "path", "searchParam"),
        not_both("drq-1", "DataRequirement.codeFilter", "path", "searchParam"),
    ),
    "DataRequirement.dateFilter": (
        one_of("drq-2", "DataRequirement.dateFilter", "path", "searchParam"),
        not_both("drq-2", "DataRequirement.dateFilter", "path", "searchParam"),
    ),
    "TriggerDefinition": (
        not_both("trd-1", "TriggerDefinition", "data", "timing"),
        requires("trd-2", "TriggerDefinition", "condition", "data"),
        must("trd-3", "needs the name, timing or data that its type asks for", _trigger),
    ),
    "AllergyIntolerance": (
        must(
            "ait-1",
            "needs clinicalStatus unless entered in error",
            lambda value: _in_error(value) or has(value, "clinicalStatus"),
        ),
        must(
            "ait-2",
            "entered-in-error excludes clinicalStatus",
            lambda value: not (_in_error(value) and has(value, "clinicalStatus")),
        ),
    ),
    "Appointment": (
        must("app-2", "needs both start and end, or neither",
             lambda value: has(value, "start") is has(value, "end")),
        must("app-3", "needs start and end, unless proposed, cancelled or on a waitlist",
             lambda value: value.get("status") in ("proposed", "cancelled", "waitlist")
             or (has(value, "start") and has(value, "end"))),
        must("app-4", "cancelationReason is for what was cancelled or not kept",
             unless("cancelationReason", "noshow", "cancelled", within="status")),
    ),
    "Appointment.participant": (one_of("app-1", "Appointment.participant", "type", "actor"),),
    "Bundle": (
        must("bdl-1", "total is for searchset and history",
             unless("total", "searchset", "history")),
        must("bdl-2", "search is for searchset", lambda value: value.get("type") == "searchset"
             or not any(has(one, "search") for one in each(value, "entry"))),
        must("bdl-3", "entry.request is for batch, transaction and history, and needed there",
             _entries("request", "batch", "transaction", "history")),
        must("bdl-4", "entry.response is for the answers and history, and needed there",
             _entries("response", "batch-response", "transaction-response", "history")),
        must("bdl-7", "fullUrl must be unique, or the versions differ", _full_urls),
        must("bdl-9", "a document needs an identifier with system and value", _document),
        must("bdl-10", "a document needs timestamp",
             lambda value: value.get("type") != "document" or "timestamp" in value),
        must("bdl-11", "a document begins with a Composition", _first("document", "Composition")),
        must("bdl-12", "a message begins with a MessageHeader", _first("message", "MessageHeader")),
    ),
    "Bundle.entry": (
        one_of("bdl-5", "Bundle.entry", "resource", "request", "response"),
        must("bdl-8", "fullUrl names no version",
             lambda value: "/_history/" not in value.get("fullUrl", "")),
    ),
    "CareTeam.participant": (must("ctm-1", "onBehalfOf is for a Practitioner", _member),),
    "Composition.section": (
        one_of("cmp-1", "Composition.section", "text", "entry", "section"),
        not_both("cmp-2", "Composition.section", "emptyReason", "entry"),
    ),
    "Group": (
        must("grp-1", "members are for an actual group",
             lambda value: not has(value, "member") or value.get("actual") is True),
    ),
    "List": (
        not_both("lst-1", "List", "emptyReason", "entry"),
        must("lst-2", "entry.deleted is for mode changes", lambda value: value.get("mode")
             == "changes" or not any(has(one, "deleted") for one in each(value, "entry"))),
        must("lst-3", "entry.date is for mode working", lambda value: value.get("mode")
             == "working" or not any(has(one, "date") for one in each(value, "entry"))),
    ),
    "Measure.group.stratifier": (
        must("mea-1", "is a single criteria, or a set of components", _stratifier),
    ),
    "Observation": (must("obs-7", "a component has another code than the whole", _observed),),
    "Parameters.parameter": (
        must("inv-1", "holds a value, a resource or parts", _holds_one),
    ),
    "RiskAssessment.prediction": (must("ras-1", "a range is in percent (UCUM %)", _risk),),
}  # fmt: skip
"""The rules of each type, beside those of invariants.py."""
