"""What R4 defines, as frozen look-ups: the supported types, their search parameters, compartments.

Read from definitions/*.json, which tests/definitions.py makes from the official package.
https://hl7.org/fhir/R4/searchparameter-registry.html, https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

import orjson

DEFINITIONS = Path(__file__).parent / "definitions"

F = TypeVar("F", bound=Callable[..., Any])

CORE = (
    "Patient",
    "RelatedPerson",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "CareTeam",
    "CarePlan",
    "Goal",
    "Condition",
    "Observation",
    "ServiceRequest",
    "Consent",
)
"""What a plan is made of."""

PROCESS = (
    "Task",
    "QuestionnaireResponse",
    "Questionnaire",
    "RiskAssessment",
    "DocumentReference",
    "Binary",
    "Provenance",
    "AuditEvent",
    "Encounter",
    "EpisodeOfCare",
    "Coverage",
    "Subscription",
)
"""How a plan comes about, is proved and is shared."""

BREADTH = (
    "Group",
    "Location",
    "HealthcareService",
    "NutritionOrder",
    "MedicationRequest",
    "AllergyIntolerance",
    "Procedure",
    "Communication",
    "CommunicationRequest",
    "Appointment",
    "Contract",
    "Claim",
    "Composition",
    "Bundle",
    "List",
    "Flag",
    "Device",
    "DeviceRequest",
    "PlanDefinition",
    "ClinicalImpression",
)
"""What a plan refers to."""

CONFORMANCE = (
    "CapabilityStatement",
    "StructureDefinition",
    "ValueSet",
    "CodeSystem",
    "SearchParameter",
    "OperationDefinition",
    "CompartmentDefinition",
    "Measure",
)
"""What describes the server and its content."""

TRANSIENT = ("Parameters", "OperationOutcome")
"""What travels in requests and answers and is never stored."""

TYPES = CORE + PROCESS + BREADTH + CONFORMANCE + TRANSIENT
"""Every supported resource type."""

STORED = frozenset(TYPES) - frozenset(TRANSIENT)
"""The types with a REST endpoint."""

PRIMITIVE_PARENT = {
    **dict.fromkeys(("code", "id", "markdown"), "string"),
    **dict.fromkeys(("url", "canonical", "uuid", "oid"), "uri"),
    **dict.fromkeys(("positiveInt", "unsignedInt"), "integer"),
}
"""Which primitive types specialise which. https://hl7.org/fhir/R4/datatypes.html"""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a composite parameter; the expression is relative to the composite's."""

    code: str
    type: str
    expression: str


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """A search parameter of one resource type (`base`).

    `type` is number, date, string, token, reference, composite, quantity or uri; `expression` is
    FHIRPath starting at `base` (or at Resource); `target` names the supported types a reference may
    point to, empty for the other kinds. `state` is "" for what R4 defines; for what an operator
    registered it is "indexing" until every resource was looked at, then "ready".
    https://hl7.org/fhir/R4/searchparameter.html
    """

    base: str
    code: str
    type: str
    expression: str
    url: str
    documentation: str = ""
    target: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    state: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """The search parameters that operators registered, by type; `stamp` names this set of them.

    It is "" where there never was any. What is in the database counts: app/fhir/registration.py.
    """

    stamp: str = ""
    parameters: Mapping[str, tuple[SearchParameter, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ElementDefinition:
    """What R4 says of one element: the JSON names it can have, each with its type.

    `names` has one entry per type of a choice: {"onsetAge": "Age", …}. `targets` are the types a
    Reference may point to, empty for any. `codes` names a value set bound as required.
    https://hl7.org/fhir/R4/elementdefinition.html
    """

    names: Mapping[str, str]
    required: bool
    many: bool
    targets: tuple[str, ...] = ()
    codes: str = ""


def is_type(name: str) -> bool:
    """Whether the server stores resources of this type."""
    return name in STORED


_registered = [Registered()]
_following: list[Any] = []


def following(function: F) -> F:
    """Cache what follows from the search parameters of types, until others are registered.

    A function that is cached already, as with a bound, is cached as it is.
    """
    cached: Any = function if hasattr(function, "cache_clear") else cache(function)
    _following.append(cached)
    return cast(F, cached)


def registered() -> Registered:
    """What this process knows of the parameters that operators registered."""
    return _registered[0]


def adopt(found: Registered) -> None:
    """From now on these are the parameters that operators registered."""
    _registered[0] = found
    for cached in _following:
        cached.cache_clear()


@following
def parameters(type_: str) -> Mapping[str, SearchParameter]:
    """The search parameters of a type by code, the common ones (_id, _lastUpdated, …) included.

    Raises KeyError for a type that is not supported. A parameter with more than one official
    definition does not exist in R4, and R4 goes before what operators registered.
    """
    own = {each.code: each for each in registered().parameters.get(type_, ())}
    return MappingProxyType({**own, **official(type_)})


@cache
def official(type_: str) -> Mapping[str, SearchParameter]:
    """The search parameters that R4 defines for a type, and US Core's. Raises KeyError as above."""
    rows = _search_parameters()["Resource"] | _search_parameters()[type_]
    rows |= read("us-core-search-parameters").get(type_, {})
    return MappingProxyType({code: _parameter(type_, code, row) for code, row in rows.items()})


def _parameter(base: str, code: str, row: dict[str, Any]) -> SearchParameter:
    components = tuple(Component(**part) for part in row.get("component", ()))
    kept = {key: row[key] for key in ("type", "expression", "url", "documentation")}
    target = tuple(row.get("target", ()))
    return SearchParameter(base=base, code=code, target=target, components=components, **kept)


def compartment(name: str, type_: str) -> tuple[str, ...]:
    """The reference parameters by which a resource of this type is in a compartment; () if never.

    `name` is Patient, Encounter, RelatedPerson, Practitioner or Device; KeyError for another. A
    resource is also in its own compartment, which R4 writes as `{def}`; that is left to the caller.
    """
    return tuple(code for code in _compartments()[name].get(type_, ()) if code != "{def}")


@cache
def compartment_names() -> tuple[str, ...]:
    """The compartments R4 defines."""
    return tuple(_compartments())


@cache
def structure(type_: str) -> Mapping[str, ElementDefinition]:
    """The elements of a type by name ("onset", without [x]), inherited ones included.

    Backbone elements are types of their own, named by their path ("CarePlan.activity"). Raises
    KeyError for what is no resource, complex or backbone type of R4.
    """
    rows = dict(_structures()["types"][type_])
    base = rows.pop("specializes")
    inherited = structure(base) if base else {}
    own = {name.removesuffix("[x]"): _element(name, row) for name, row in rows.items()}
    return MappingProxyType({**inherited, **own})


def _element(name: str, row: dict[str, Any]) -> ElementDefinition:
    stem = name.removesuffix("[x]")
    types: str | list[str] = row["type"]
    if isinstance(types, str):
        names = {stem: types}
    else:
        names = {stem + type_[0].upper() + type_[1:]: type_ for type_ in types}
    targets, codes = tuple(row.get("targets", ())), row.get("codes", "")
    return ElementDefinition(names, "min" in row, "max" in row, targets, codes)


@cache
def parent(type_: str) -> str:
    """The type that this type specialises, "" for none: Age is a Quantity, a code is a string."""
    if type_ in PRIMITIVE_PARENT:
        return PRIMITIVE_PARENT[type_]
    return str(_structures()["types"].get(type_, {}).get("specializes", ""))


def value_set(name: str) -> Mapping[str, tuple[str, ...]]:
    """The codes per code system of a value set that some element is bound to as required."""
    return {system: tuple(codes) for system, codes in _structures()["codes"][name].items()}


def is_resource(type_: str) -> bool:
    """Whether R4 has a concrete resource type of this name, supported here or not."""
    base = _structures()["types"].get(type_, {}).get("specializes")
    return type_ != "DomainResource" and base in ("Resource", "DomainResource")


@cache
def _structures() -> dict[str, dict[str, dict[str, Any]]]:
    return read("structures")


@cache
def _search_parameters() -> dict[str, dict[str, dict[str, Any]]]:
    return read("search-parameters")


@cache
def _compartments() -> dict[str, dict[str, list[str]]]:
    return read("compartments")


def read(name: str) -> dict[str, Any]:
    """The content of a file in definitions/."""
    found: dict[str, Any] = orjson.loads((DEFINITIONS / f"{name}.json").read_bytes())
    return found
