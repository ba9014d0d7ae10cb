"""The entries of a Bundle: from Bundle.entry.request to a Call, and from a Result to the response.

https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from orjson import Fragment

from app.fhir import json
from app.fhir.context import Call, Conditions, Context, Result
from app.fhir.disclose import Entry
from app.fhir.engine import Route
from app.fhir.errors import BadRequest, FHIRError
from app.fhir.instant import to_text
from app.fhir.interactions.conditional import CHANGES
from app.fhir.interactions.rewrite import within
from app.fhir.routing import route, to_call
from app.fhir.shape import parse_query

Planned = tuple[Route, Call]
CONDITIONS = {
    "if_match": "ifMatch",
    "if_none_match": "ifNoneMatch",
    "if_modified_since": "ifModifiedSince",
    "if_none_exist": "ifNoneExist",
}
"""The members of Bundle.entry.request that stand for conditional headers."""


def planned_entry(ctx: Context, call: Call, at: int, entry: Mapping[str, Any]) -> Planned:
    """What entry `at` of the Bundle of a call asks for. Raises BadRequest, NotFound."""
    with within(at, "request"):
        request = entry.get("request")
        if not isinstance(request, dict) or not all(
            isinstance(request.get(name), str) for name in ("method", "url")
        ):
            raise BadRequest("An entry needs request.method and request.url.", code="required")
        path, _, query = request["url"].removeprefix(ctx.base_url).partition("?")
        row, found = route(ctx.engine.routes, request["method"], path)
        if row.path == "":
            raise BadRequest("A Bundle cannot be an entry of a Bundle.")
        conditions = _conditions(request)
        parameters = parse_query(query)
    with within(at):
        media_type, body = _body(row, entry)
    return row, to_call(
        row,
        found,
        query=parameters,
        body=body,
        media_type=media_type,
        conditions=conditions,
        prefer=call.prefer,
    )


def _body(row: Route, entry: Mapping[str, Any]) -> tuple[str, Any]:
    """A patch that is no FHIR resource travels in a Binary.

    https://hl7.org/fhir/R4/http.html#patch
    """
    resource = entry.get("resource")
    is_binary = isinstance(resource, dict) and resource.get("resourceType") == "Binary"
    if row.interaction != "patch" or not isinstance(resource, dict) or not is_binary:
        return "application/fhir+json", resource
    try:
        data = b64decode(str(resource.get("data", "")), validate=True)
    except NotBase64:
        raise BadRequest("data is not base64.", expression=["Binary.data"]) from None
    return str(resource.get("contentType")), json.parse(data)


def _conditions(request: Mapping[str, Any]) -> Conditions:
    given = {field: request.get(name) for field, name in CONDITIONS.items()}
    for field, value in given.items():
        if not isinstance(value, str | None):
            name = CONDITIONS[field]
            raise BadRequest(
                f"{name} is a string.", code="structure", expression=[f"request.{name}"]
            )
    return Conditions(**given)


def answer(ctx: Context, asked: Call, result: Result) -> Entry:
    """The response entry: without a preference, a change is answered without the resource.

    https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.response.outcome
    """
    is_change = asked.interaction in CHANGES
    response: dict[str, Any] = {"status": _status(result.status)}
    if result.location:
        response["location"] = result.location
    if result.version:
        response["etag"] = f'W/"{result.version}"'
    if result.last_modified:
        response["lastModified"] = to_text(result.last_modified)
    if is_change and asked.prefer.returns == "OperationOutcome" and result.body:
        response["outcome"] = Fragment(result.content)
    is_wanted = not is_change or asked.prefer.returns == "representation"
    full_url = f"{ctx.base_url}/{result.type}/{result.id}" if result.type and result.id else None
    return Entry(full_url, result.body if is_wanted else None, response=response)


def failed(error: FHIRError) -> Entry:
    """The response entry of what was refused."""
    return Entry(
        response={"status": _status(error.status), "outcome": error.outcome()},
    )


def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"
