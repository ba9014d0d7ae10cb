"""The OpenAPI document: every row of the switchboard for every type it applies to.

For people and generators of clients; what a resource holds is said by its StructureDefinition.
https://spec.openapis.org/oas/v3.1.0
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.fhir import json
from app.fhir.capability import READ_ONLY, SERVER_ONLY, VERSION, applies, is_conditional
from app.fhir.engine import Operation, Route
from app.fhir.interactions.asynchronous import OPERATIONS as LATER
from app.fhir.openapi_parts import (
    ANSWERS,
    PARAMETERS,
    RESPONSES,
    SCHEMAS,
    SUMMARIES,
    Summary,
    ref,
)
from app.fhir.patch.formats import FORMATS
from app.fhir.registry import STORED, SearchParameter, compartment, compartment_names
from app.fhir.search.parameters import searchable

FHIR_JSON = "application/fhir+json"
FHIR_XML = "application/fhir+xml"
FORM = "application/x-www-form-urlencoded"
PUBLIC = frozenset({"capabilities"})
Item = dict[str, Any]


def openapi_json(routes: Sequence[Route], operations: Mapping[str, Operation]) -> str:
    """openapi/openapi.json."""
    return json.indent(json.dump(openapi_document(routes, operations))).decode() + "\n"


def openapi_document(routes: Sequence[Route], operations: Mapping[str, Operation]) -> Item:
    """The OpenAPI 3.1 document of a server with these routes, its URLs relative to the host."""
    paths: dict[str, Item] = {}
    for route in routes:
        for path, item in _expanded(route, tuple(operations.values())):
            paths.setdefault(path, {}).setdefault(route.method.lower(), item)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "isp-fhir",
            "version": VERSION,
            "summary": "A FHIR R4 server for one shared Individualized Service Plan",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/fhir"}],
        "security": [{"smart": []}],
        "tags": [{"name": name} for name in ("system", *sorted(STORED))],
        "paths": dict(sorted(paths.items())),
        "components": _components(),
    }


def _components() -> Item:
    types = {type_: _resource_schema(type_) for type_ in sorted(STORED)}
    flow = {"tokenUrl": "/auth/token", "scopes": _scopes()}
    return {
        "schemas": {**SCHEMAS, **types},
        "parameters": PARAMETERS,
        "responses": RESPONSES,
        "requestBodies": {name: _fhir(name) for name in sorted({*STORED, "Parameters"})},
        "securitySchemes": {"smart": {"type": "oauth2", "flows": {"clientCredentials": flow}}},
    }


def _resource_schema(type_: str) -> Item:
    own = {"properties": {"resourceType": {"const": type_}}}
    docs = {"url": f"https://hl7.org/fhir/R4/{type_.lower()}.html"}
    return {"allOf": [ref("schemas", "Resource"), own], "externalDocs": docs}


def _scopes() -> dict[str, str]:
    letters = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}
    return {
        f"system/{type_}.{letter}": f"{verb} {type_}"
        for type_ in ("*", *sorted(STORED))
        for letter, verb in letters.items()
    }


def _expanded(route: Route, operations: Sequence[Operation]) -> Iterator[tuple[str, Item]]:
    """The paths of one row, each with what OpenAPI calls an operation."""
    if route.interaction == "operation":
        yield from _operations(route, operations)
    elif route.path.startswith("[compartment]"):
        yield from _compartments(route)
    elif route.path.startswith("[type]"):
        for type_ in sorted(STORED):
            if type_ not in SERVER_ONLY or route.interaction in READ_ONLY:
                yield _path(route.path, type_), _on_type(route, type_)
    else:
        yield _path(route.path, ""), _on_system(route)


def _path(shape: str, type_: str) -> str:
    named = shape.replace("[type]", type_, 1).replace("[id]", "{id}").replace("[vid]", "{vid}")
    return f"/{named}"


def _on_system(route: Route) -> Item:
    item = _item(route, _name(route), "system", _named(route))
    if route.path.endswith("_search"):
        item |= {"requestBody": _form(())}
    elif route.method == "POST":
        item |= {"requestBody": _body("Bundle")}
    return item | ({"security": [{}]} if route.interaction in PUBLIC else {})


def _on_type(route: Route, type_: str) -> Item:
    item = _item(route, f"{_name(route)}-{type_}", type_, _named(route))
    item["security"] = [{"smart": [f"system/{type_}.{route.letter}"]}]
    if route.path.endswith("_search"):
        item["requestBody"] = _form(searchable(type_))
    elif route.interaction == "search-type":
        item["parameters"] += [_search_parameter(found) for found in searchable(type_)]
    elif route.method == "PATCH":
        item["requestBody"] = _patches()
    elif route.method in ("POST", "PUT"):
        item["requestBody"] = _body(type_)
    return item


def _patches() -> Item:
    resources = (FHIR_JSON, FHIR_XML)
    kinds = {
        kind: {"schema": ref("schemas", "Parameters" if kind in resources else "Patch")}
        for kind in (*FORMATS, FHIR_XML)
    }
    return {"required": True, "content": kinds}


def _compartments(route: Route) -> Iterator[tuple[str, Item]]:
    """Only what to search for, not by what: that is said where the type itself is searched."""
    names = [name for name in compartment_names() if name in STORED]
    if "[type]" not in route.path:
        yield from (_whole_compartment(route, name) for name in names)
        return
    for name in names:
        for type_ in sorted(STORED):
            if not compartment(name, type_):
                continue
            path = route.path.replace("[compartment]", name).replace("[type]", type_)
            item = _item(route, f"{_name(route)}-{name}-{type_}", type_, [*_named(route), "any"])
            item["security"] = [{"smart": [f"system/{type_}.{route.letter}"]}]
            if route.method == "POST":
                item["requestBody"] = _form(())
            yield _path(path, type_), item


def _whole_compartment(route: Route, name: str) -> tuple[str, Item]:
    item = _item(route, f"{_name(route)}-{name}", name, [*_named(route), "any"])
    item["parameters"].append(ref("parameters", "_type"))
    if route.method == "POST":
        item["requestBody"] = _form(())
    path = _path(route.path.replace("[compartment]", name), name)
    return path, item


def _operations(route: Route, operations: Sequence[Operation]) -> Iterator[tuple[str, Item]]:
    level = "instance" if "[id]" in route.path else "type" if "[type]" in route.path else "system"
    for operation in operations:
        if level not in operation.levels:
            continue
        types = [t for t in sorted(STORED) if applies(operation, t)] if level != "system" else [""]
        for type_ in types:
            path = _path(route.path.replace("[operation]", operation.name), type_)
            name = f"{operation.name}-{level}-{type_ or 'system'}-{route.method.lower()}"
            item = _item(route, name, type_ or "system", _named(route))
            item["summary"] = f"${operation.name}"
            item["externalDocs"] = {"url": operation.definition}
            if route.method == "POST":
                item["requestBody"] = _body("Parameters", type_ or "Parameters")
            if operation.name in LATER:
                item["responses"]["202"] = ref("responses", "Accepted")
            for kind in operation.media_types:
                item["responses"]["200"]["content"][kind] = {"schema": {"type": "string"}}
            yield path, item


def _name(route: Route) -> str:
    if is_conditional(route):
        return f"conditional-{route.interaction}"
    return f"{route.interaction}-post" if route.path.endswith("_search") else route.interaction


def _named(route: Route) -> list[str]:
    """The names in PARAMETERS of what the path and the interaction take."""
    in_path = [name for name in ("id", "vid") if f"[{name}]" in route.path]
    return [*in_path, *_summary(route).parameters]


def _summary(route: Route) -> Summary:
    return SUMMARIES.get(_name(route)) or SUMMARIES[route.interaction]


def _item(route: Route, id_: str, tag: str, names: Iterable[str]) -> Item:
    told = _summary(route)
    content = _as_both(ref("schemas", told.answer or tag))
    answer: Item = {"description": told.summary}
    if told.answer != "none":
        answer["content"] = content
    failed = {status: ref("responses", name) for status, name in ANSWERS.items()}
    return {
        "operationId": id_,
        "tags": [tag],
        "summary": told.summary,
        "externalDocs": {"url": f"https://hl7.org/fhir/R4/http.html#{told.anchor}"},
        "parameters": [ref("parameters", name) for name in names],
        "responses": {told.status: answer}
        | {status: failed[status] for status in sorted({*told.failures, "400", "503"})},
    }


def _body(*types: str) -> Item:
    names = list(dict.fromkeys(types))
    return ref("requestBodies", names[0]) if len(names) == 1 else _fhir(*names)


def _fhir(*types: str) -> Item:
    """A body that is a resource of one of these types, as JSON or as XML."""
    names = [ref("schemas", name) for name in types]
    schema = names[0] if len(names) == 1 else {"anyOf": names}
    return {"required": True, "content": _as_both(schema)}


def _as_both(schema: Item) -> Item:
    """https://hl7.org/fhir/R4/http.html#mime-type"""
    return {FHIR_JSON: {"schema": schema}, FHIR_XML: {"schema": schema}}


def _form(known: Iterable[SearchParameter]) -> Item:
    fields = {found.code: ref("schemas", found.type) for found in known}
    schema = {"type": "object", "properties": fields, "additionalProperties": {"type": "string"}}
    return {"content": {FORM: {"schema": schema}}}


def _search_parameter(found: SearchParameter) -> Item:
    return {
        "name": found.code,
        "in": "query",
        "description": found.documentation or found.url,
        "schema": ref("schemas", found.type),
    }
