"""The content of a request: bytes, of which its Content-Type says what they are.

https://hl7.org/fhir/R4/http.html#mime-type
"""

from typing import Any

from starlette.types import Receive

from app.fhir import json, xml
from app.fhir.context import FHIR_JSON
from app.fhir.errors import BadRequest, TooLarge, UnsupportedMediaType
from app.fhir.shape import parse_query
from app.routers import negotiation


async def read(receive: Receive, most: int) -> bytes:
    """The whole body; TooLarge as soon as it has more bytes than allowed."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The request ended before its body did.")
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise TooLarge(f"The body has more than {most} bytes.")
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def form(headers: negotiation.Headers, data: bytes) -> tuple[tuple[str, str], ...]:
    """The search parameters that POST _search carries. https://hl7.org/fhir/R4/http.html#search"""
    if data and not negotiation.is_form(headers):
        raise UnsupportedMediaType(f"Send the search parameters as {negotiation.FORM}.")
    try:
        return parse_query(data.decode())
    except UnicodeDecodeError:
        raise BadRequest("The parameters are not UTF-8.", code="value") from None


def resource(headers: negotiation.Headers, data: bytes) -> Any:
    """The resource that is sent, None for an empty body; UnsupportedMediaType for anything else."""
    if not data:
        return None
    if negotiation.is_xml(headers):
        return xml.read(data)
    negotiation.check_content_type(headers)
    return json.parse(data)


def patch(headers: negotiation.Headers, data: bytes) -> tuple[str, Any]:
    """The media type of a patch and the patch; a FHIRPath Patch may be XML, too."""
    if negotiation.is_xml(headers):
        return FHIR_JSON, xml.read(data)
    return negotiation.patch_type(headers), json.parse(data) if data else None
