"""Posted forms. https://www.rfc-editor.org/rfc/rfc6749#appendix-B"""

from urllib.parse import parse_qsl

from fastapi import Request as HTTPRequest
from starlette.requests import ClientDisconnect

from app.auth.errors import InvalidRequest

MAX_FORM = 65_536


async def read_form(http: HTTPRequest) -> dict[str, str]:
    """The parameters of a posted form. Raises InvalidRequest.

    RFC 6749 3.2: "Parameters sent without a value MUST be treated as if they were omitted", and
    "Request and response parameters MUST NOT be included more than once".
    """
    media_type = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise InvalidRequest("the body must be application/x-www-form-urlencoded")
    body = await read_body(http)
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=500, errors="strict")
    except ValueError as error:
        raise InvalidRequest("the form cannot be read") from error
    if len(dict(pairs)) != len(pairs):
        raise InvalidRequest("a parameter appears more than once")
    return dict(pairs)


async def read_body(http: HTTPRequest) -> bytes:
    """The body of a request that is not large. Raises InvalidRequest."""
    body = bytearray()
    try:
        async for chunk in http.stream():
            body += chunk
            if len(body) > MAX_FORM:
                raise InvalidRequest(f"the body is larger than {MAX_FORM} bytes")
    except ClientDisconnect as error:
        raise InvalidRequest("the request ended before its body did") from error
    return bytes(body)
