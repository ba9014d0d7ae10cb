"""User Access Brands: whom people know this server by, for apps that list where to connect.

https://hl7.org/fhir/smart-app-launch/brands.html
"""

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from fastapi import Request as HTTPRequest

from app.admission import admit_publishing
from app.fhir.context import Call
from app.fhir.engine import Engine
from app.fhir.errors import NotFound
from app.fhir.faults import translated
from app.fhir.ids import new_id
from app.fhir.routing import perform
from app.routers.discovery import ANY_ORIGIN, PREFLIGHT
from app.settings import Settings

Json = dict[str, Any]
PROFILE = "http://hl7.org/fhir/smart-app-launch/StructureDefinition/user-access-"
FHIR_VERSION = "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/endpoint-"
ENDPOINT = "isp-fhir"
"""The logical id of this server's Endpoint within the Bundle."""

MEDIA_TYPE = "application/fhir+json"


def brands_router(engine: Engine, settings: Settings) -> APIRouter:
    """`brands` under the issuer, for anybody from anywhere."""
    router = APIRouter(include_in_schema=False)
    path = f"{urlsplit(settings.issuer).path}/brands"
    tokens = tuple(settings.brands.split())

    @router.get(path)
    async def get(request: HTTPRequest) -> Response:
        request_id = new_id()
        try:
            content = json.dumps(await bundle(engine, tokens, request_id)).encode()
        except Exception as error:
            told = translated(error, request_id)
            outcome = json.dumps(told.outcome())
            return Response(outcome, told.status, ANY_ORIGIN, MEDIA_TYPE)
        etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {**ANY_ORIGIN, "ETag": etag}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, 200, headers, MEDIA_TYPE)

    @router.options(path)
    async def preflight() -> Response:
        return Response(status_code=204, headers=PREFLIGHT)

    return router


async def bundle(engine: Engine, tokens: tuple[str, ...], request_id: str) -> Json:
    """The Bundle of brands, the primary one first, and of the Endpoint of this server.

    Raises NotFound unless exactly one Organization is the primary brand.
    """
    found = await _organizations(engine, tokens, request_id)
    primary = [each for each in found if _has(each, tokens[0])]
    if len(primary) != 1:
        raise NotFound("No Organization, or more than one, has the first identifier of ISP_BRANDS.")
    ordered = primary + [each for each in found if each is not primary[0]]
    resources = [_endpoint(engine, primary[0]), *map(_brand, ordered)]
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [f"{PROFILE}brands-bundle"]},
        "type": "collection",
        "timestamp": max(each["meta"]["lastUpdated"] for each in found),
        "entry": [
            {"fullUrl": f"{engine.base_url}/{each['resourceType']}/{each['id']}", "resource": each}
            for each in resources
        ],
    }


async def _organizations(engine: Engine, tokens: tuple[str, ...], request_id: str) -> list[Json]:
    ctx = admit_publishing(engine, tokens, request_id)
    row = next(each for each in engine.routes if each.interaction == "search-type")
    query = (("active:not", "false"), ("_count", str(engine.policy.max_page_size)))
    result = await perform(ctx, row, Call("search-type", "Organization", query=query))
    found = json.loads(result.content or b"{}").get("entry", [])
    return [entry["resource"] for entry in found]


def _has(organization: Json, token: str) -> bool:
    pairs = (f"{i.get('system', '')}|{i.get('value')}" for i in organization["identifier"])
    return token in pairs


def _brand(organization: Json) -> Json:
    """An Organization as it is stored, at this server's Endpoint and no other."""
    profiles = [*organization["meta"].get("profile", []), f"{PROFILE}brand"]
    meta = organization["meta"] | {"profile": list(dict.fromkeys(profiles))}
    return organization | {"meta": meta, "endpoint": [{"reference": f"Endpoint/{ENDPOINT}"}]}


def _endpoint(engine: Engine, primary: Json) -> Json:
    sites = [each for each in primary.get("telecom", []) if each.get("system") == "url"]
    none = {"coding": [{"system": f"{TERMINOLOGY}payload-type", "code": "none"}]}
    return {
        "resourceType": "Endpoint",
        "id": ENDPOINT,
        "meta": {"profile": [f"{PROFILE}endpoint"]},
        "extension": [{"url": FHIR_VERSION, "valueCode": "4.0.1"}],
        "status": "active",
        "connectionType": {"system": f"{TERMINOLOGY}connection-type", "code": "hl7-fhir-rest"},
        "name": primary["name"],
        "contact": sites[:1] or [{"system": "url", "value": engine.base_url}],
        "payloadType": [none],
        "address": engine.base_url,
    }
