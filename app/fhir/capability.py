"""The CapabilityStatement: what the switchboard, the operations and the registry add up to.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from app.fhir.context import Resource
from app.fhir.engine import Operation, Policy, Route
from app.fhir.expectations import combinations, expected
from app.fhir.patch.formats import FORMATS
from app.fhir.registry import STORED, SearchParameter, compartment_names, following
from app.fhir.search.parameters.criterion import searchable, targets

VERSION = "0.1.0"
"""Of this software, as in pyproject.toml."""

FHIR_VERSION = "4.0.1"
DATE = "2026-11-22"
"""When what this module says by hand was last changed."""

ON_TYPE = (
    "read",
    "vread",
    "update",
    "patch",
    "delete",
    "history-instance",
    "history-type",
    "create",
    "search-type",
)
"""https://hl7.org/fhir/R4/valueset-type-restful-interaction.html"""

ON_SYSTEM = ("transaction", "batch", "search-system", "history-system")
"""https://hl7.org/fhir/R4/valueset-system-restful-interaction.html"""

READ_ONLY = ("read", "search-type")
SERVER_ONLY = frozenset({"AuditEvent"})
"""Types that only the server writes, once each, and whose references cannot be followed."""

DEFAULT = Policy()

Profiles = tuple[tuple[str, str], ...]
"""Profiles that come with the server: the type and the url of each."""

SMART_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
ENDPOINTS = {
    "authorize": "authorize",
    "token": "token",
    "register": "register",
    "manage": "apps",
    "revoke": "revoke",
    "introspect": "introspect",
}
"""The OAuth endpoints, by their name in OAUTH_URIS: their path under /auth of the issuer."""


def capability_statement(
    routes: Sequence[Route],
    operations: Mapping[str, Operation],
    base_url: str,
    policy: Policy = DEFAULT,
    profiles: Profiles = (),
) -> Resource:
    """What a client may count on, for a server at this base URL; do not change what comes back."""
    return _statement(tuple(routes), tuple(operations.values()), base_url, policy, profiles)


@following
@lru_cache(maxsize=8)
def _statement(
    routes: tuple[Route, ...],
    operations: tuple[Operation, ...],
    base_url: str,
    policy: Policy,
    profiles: Profiles,
) -> Resource:
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{base_url}/metadata",
        "version": VERSION,
        "name": "IndividualizedServicePlanServer",
        "title": "Individualized Service Plan server",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": {"name": "isp-fhir", "version": VERSION},
        "implementation": {"description": "One shared plan per person", "url": base_url},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": list(FORMATS),
        "rest": [_rest(routes, operations, base_url, policy, profiles)],
    }


def _rest(
    routes: tuple[Route, ...],
    operations: tuple[Operation, ...],
    base_url: str,
    policy: Policy,
    profiles: Profiles,
) -> dict[str, Any]:
    served = {route.interaction for route in routes} | {
        f"conditional-{route.interaction}" for route in routes if is_conditional(route)
    }
    on_system = [op for op in operations if "system" in op.levels]
    types = (_resource(type_, served, operations, policy) for type_ in sorted(STORED))
    rest = {
        "mode": "server",
        "security": _security(base_url, issues_tokens=policy.issues_tokens),
        "resource": [_profiled(one, profiles) for one in types],
        "interaction": _codes(ON_SYSTEM, served),
        "searchParam": _of_every_type(served),
        "operation": _operations(on_system),
        "compartment": _compartments(served),
    }
    return {name: value for name, value in rest.items() if value}


def _security(base_url: str, *, issues_tokens: bool) -> dict[str, Any]:
    """https://hl7.org/fhir/smart-app-launch/conformance.html"""
    found = _endpoints(base_url) if issues_tokens else {}
    return found | {
        "cors": True,
        "service": [{"coding": [{"system": SMART_SERVICE, "code": "SMART-on-FHIR"}]}],
        "description": f"OAuth 2.0 with SMART scopes: {base_url}/.well-known/smart-configuration",
    }


def _endpoints(base_url: str) -> dict[str, Any]:
    issuer = base_url.removesuffix("/fhir")
    uris = [{"url": name, "valueUri": f"{issuer}/auth/{path}"} for name, path in ENDPOINTS.items()]
    return {"extension": [{"url": OAUTH_URIS, "extension": uris}]}


def _resource(
    type_: str, served: set[str], operations: Iterable[Operation], policy: Policy
) -> dict[str, Any]:
    is_written = type_ not in SERVER_ONLY
    codes = {found.code for found in searchable(type_)}
    resource = {
        "extension": list(combinations(type_, codes)),
        "type": type_,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{type_}",
        "interaction": _codes(ON_TYPE if is_written else READ_ONLY, served),
        "versioning": "versioned" if is_written else "no-version",
        "readHistory": is_written and "vread" in served,
        "updateCreate": is_written and policy.update_as_create,
        "conditionalCreate": is_written and "create" in served,
        "conditionalRead": "full-support",
        "conditionalUpdate": is_written and "conditional-update" in served,
        "conditionalDelete": policy.conditional_delete if is_written else "not-supported",
        "referencePolicy": ["literal", "logical", "local"],
        "searchInclude": includes(type_),
        "searchRevInclude": reverse_includes(type_),
        "searchParam": [_parameter(type_, found) for found in searchable(type_)],
        "operation": _operations((op for op in operations if applies(op, type_)), type_),
    }
    return {name: value for name, value in resource.items() if value not in ([], ())}


def is_conditional(route: Route) -> bool:
    """Whether a row changes what criteria in the URL say."""
    return route.path == "[type]" and route.method in ("PUT", "PATCH", "DELETE")


def _of_every_type(served: set[str]) -> list[dict[str, str]]:
    """The parameters that no type has for itself."""
    if "search-system" not in served:
        return []
    official = "http://hl7.org/fhir/SearchParameter"
    return [
        {"name": "_content", "type": "string", "definition": f"{official}/Resource-content"},
        {"name": "_filter", "type": "special", "definition": f"{official}/filter"},
        {"name": "_list", "type": "special", "documentation": "The items of a List, by its id"},
        {"name": "_text", "type": "string", "definition": f"{official}/DomainResource-text"},
        {"name": "_type", "type": "special", "documentation": "The types to search"},
    ]


def _codes(known: Iterable[str], served: set[str]) -> list[dict[str, str]]:
    return [{"code": code} for code in known if code in served]


def _parameter(type_: str, found: SearchParameter) -> dict[str, Any]:
    told = {"name": found.code, "definition": found.url, "type": found.type}
    return expected(type_, found.code) | told


def includes(type_: str) -> list[str]:
    """The values of _include for a type."""
    if type_ in SERVER_ONLY:
        return []
    return [f"{type_}:{found.code}" for found in searchable(type_) if found.type == "reference"]


@following
def reverse_includes(type_: str) -> list[str]:
    """The values of _revinclude for a type."""
    return [
        f"{source}:{found.code}"
        for source in sorted(STORED - SERVER_ONLY)
        for found in searchable(source)
        if found.type == "reference" and type_ in targets(found)
    ]


def applies(operation: Operation, type_: str) -> bool:
    """Whether the operation may be called on this type or its instances."""
    is_below = bool(operation.levels & {"type", "instance"})
    return is_below and (not operation.types or type_ in operation.types)


def _profiled(resource: dict[str, Any], profiles: Profiles) -> dict[str, Any]:
    """The same with the profiles of its type that come with the server and are checked."""
    own = [url for type_, url in profiles if type_ == resource["type"]]
    head = {key: resource[key] for key in ("type", "profile")}
    return {**head, **({"supportedProfile": own} if own else {}), **resource}


def _operations(operations: Iterable[Operation], type_: str | None = None) -> list[dict[str, str]]:
    told = ((op, {"documentation": op.documentation}) for op in operations)
    return [
        {"name": op.name, "definition": op.defined(type_)} | (more if op.documentation else {})
        for op, more in told
    ]


def _compartments(served: set[str]) -> list[str]:
    if "search-compartment" not in served:
        return []
    url = "http://hl7.org/fhir/CompartmentDefinition"
    return [f"{url}/{name.lower()}" for name in compartment_names()]
