"""Headers in and out: media types, preferences, conditions, entity tags.

https://hl7.org/fhir/R4/http.html#mime-type, https://hl7.org/fhir/R4/http.html#general
"""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from urllib.parse import unquote_plus

from app.fhir.context import FHIR_JSON, Conditions, Preference, Result
from app.fhir.errors import BadRequest, NotAcceptable, UnsupportedMediaType
from app.fhir.ids import new_id
from app.fhir.instant import to_http_date
from app.fhir.patch.formats import FORMATS

FHIR_XML = "application/fhir+xml"
JSON = frozenset({FHIR_JSON, "application/json", "text/json", "json"})
XML = frozenset({FHIR_XML, "application/xml", "text/xml", "xml"})
ANY = frozenset({"*/*", "application/*"})
SHORT = {"html": "text/html", "pdf": "application/pdf", "svg": "image/svg+xml"}
"""What _format may say for what an operation answers in besides FHIR."""
FORM = "application/x-www-form-urlencoded"
KNOWN = {
    "return": ("minimal", "representation", "OperationOutcome"),
    "handling": ("strict", "lenient"),
    "respond-async": ("",),
}
PREFERENCE = re.compile(r"[;,]")
QUALITY = re.compile(r";\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*(?:;|\Z)")
REQUEST_ID = re.compile(r"[A-Za-z0-9._:\-]{1,128}\Z")
FHIR_VERSION = "4.0"
MAX_REASON = 500

CONDITIONS = (b"if-match", b"if-none-match", b"if-modified-since", b"if-none-exist")
"""The headers of Conditions, in the order of its fields."""

CONDITIONAL = frozenset(CONDITIONS)
UNCONDITIONAL = Conditions()
NO_PREFERENCE = Preference()

RENDERED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
"""Headers of an answer that a browser shows by itself."""

Headers = Mapping[bytes, bytes]
Query = Sequence[tuple[str, str]]


def joined(lines: Sequence[tuple[bytes, bytes]]) -> Headers:
    """Header lines by name, repeated ones as one list.

    https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    """
    headers = dict(lines)
    if len(headers) == len(lines):
        return headers
    return {name: b", ".join(value for also, value in lines if also == name) for name in headers}


def request_id(headers: Headers) -> str:
    """X-Request-Id as the client gave it, or a new one. https://hl7.org/fhir/R4/http.html#custom"""
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    return given if given and REQUEST_ID.match(given) else new_id()


def declared_purpose(headers: Headers) -> tuple[str | None, str | None]:
    """X-Purpose-Of-Use and X-Emergency-Reason as sent, None where they are not.

    https://hl7.org/fhir/R4/http.html#custom
    """
    code, reason = headers.get(b"x-purpose-of-use"), headers.get(b"x-emergency-reason")
    if reason is not None and len(reason) > MAX_REASON:
        raise BadRequest(f"X-Emergency-Reason has more than {MAX_REASON} bytes.", code="too-long")
    return (
        None if code is None else code.decode("latin-1").strip(),
        None if reason is None else reason.decode("utf-8", "replace"),
    )


def accepted(headers: Headers, query: Query, also: Sequence[str] = ()) -> str:
    """The media type to answer in: FHIR JSON (which XML is made of), or one of these.

    The first of what is asked for with the highest weight; _format overrides Accept. Raises
    NotAcceptable where nothing fits. https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
    """
    asked = next((value for name, value in query if name == "_format"), None)
    if asked is None:
        asked = headers.get(b"accept", b"*/*").decode("latin-1")
    return _accepted(asked, tuple(also))


@lru_cache(maxsize=1024)
def _accepted(asked: str, also: tuple[str, ...]) -> str:
    wanted = [part for part in asked.split(",") if _quality(part) > 0]
    for part in sorted(wanted, key=_quality, reverse=True):
        if _is_spoken(part, JSON | XML | ANY):
            return FHIR_JSON
        kind = part.partition(";")[0].strip().lower().replace(" ", "+")
        if SHORT.get(kind, kind) in also:
            return SHORT.get(kind, kind)
    served = ", ".join((FHIR_JSON, FHIR_XML, *also))
    raise NotAcceptable(f"This server answers in {served} here.")


def is_xml_wanted(headers: Headers, query: str) -> bool:
    """Whether the answer is to be XML: of the media types asked for, the one liked best counts.

    https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
    """
    accept = headers.get(b"accept", b"")
    if b"xml" not in accept and "_format=" not in query:
        return False
    given = next((part[8:] for part in query.split("&") if part.startswith("_format=")), None)
    asked = accept.decode("latin-1") if given is None else unquote_plus(given)
    kinds = [part for part in asked.split(",") if _is_spoken(part, JSON | XML | ANY)]
    best = max(kinds, key=_quality, default="")
    return _is_spoken(best, XML)


def _quality(media_type: str) -> float:
    found = QUALITY.search(media_type)
    return float(found[1]) if found else 1.0


def is_xml(headers: Headers) -> bool:
    """Whether the body is said to be XML in UTF-8."""
    return _is_spoken(headers.get(b"content-type", b"").decode("latin-1"), XML)


def check_content_type(headers: Headers) -> None:
    """UnsupportedMediaType unless the body is said to be JSON in UTF-8."""
    if not _is_spoken(headers.get(b"content-type", b"").decode("latin-1"), JSON):
        raise UnsupportedMediaType(
            f"Send the body as {FHIR_JSON} or {FHIR_XML} in UTF-8, of FHIR version {FHIR_VERSION}."
        )


def patch_type(headers: Headers) -> str:
    """The media type of a patch. Raises UnsupportedMediaType for any other body."""
    given = headers.get(b"content-type", b"").decode("latin-1")
    found = next((kind for kind in FORMATS if _is_spoken(given, {kind})), None)
    if found is None:
        raise UnsupportedMediaType(f"Send a patch as {', '.join(FORMATS)}.")
    return found


def _is_spoken(media_type: str, kinds: Collection[str]) -> bool:
    """Whether this is one of these media types, with no parameter that makes it something else.

    A plus that nobody encoded in a URL arrives as a space.
    """
    kind, *rest = media_type.split(";")
    if kind.strip().lower().replace(" ", "+") not in kinds:
        return False
    pairs = (part.partition("=") for part in rest)
    said = {name.strip().lower(): value.strip().strip('"').lower() for name, _, value in pairs}
    return (
        said.get("charset", "utf-8") == "utf-8"
        and said.get("fhirversion", FHIR_VERSION) == FHIR_VERSION
    )


def is_form(headers: Headers) -> bool:
    """Whether the body is a form, as POST _search sends it."""
    kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0]
    return kind.strip().lower() == FORM


def is_pretty(query: str) -> bool:
    """Whether the query of a URL asks for _pretty=true."""
    return "_pretty=true" in query.split("&")


def preference(headers: Headers) -> Preference:
    """What Prefer asks for; what is unknown is passed over, and the first of a name counts.

    https://www.rfc-editor.org/rfc/rfc7240#section-2
    """
    given = headers.get(b"prefer")
    if given is None:
        return NO_PREFERENCE
    found: dict[str, str] = {}
    for part in PREFERENCE.split(given.decode("latin-1")):
        name, _, value = (each.strip().strip('"') for each in part.partition("="))
        if value in KNOWN.get(name.lower(), ()):
            found.setdefault(name.lower(), value)
    later = "respond-async" in found
    return Preference(found.get("return"), found.get("handling", "strict"), later)


def conditions(headers: Headers) -> Conditions:
    """The conditional headers, as they were sent."""
    if CONDITIONAL.isdisjoint(headers):
        return UNCONDITIONAL
    found = (headers.get(name) for name in CONDITIONS)
    return Conditions(*(value.decode("latin-1") if value is not None else None for value in found))


def response_headers(result: Result) -> list[tuple[bytes, bytes]]:
    """ETag, Last-Modified, Location, and that the answer is this caller's alone."""
    headers = [(b"cache-control", b"private, no-cache"), (b"vary", b"Authorization, Accept")]
    if result.version is not None:
        headers.append((b"etag", f'W/"{result.version}"'.encode()))
    if result.last_modified is not None:
        headers.append((b"last-modified", to_http_date(result.last_modified).encode()))
    if result.location is not None:
        headers.append((b"location", result.location.encode()))
    if result.media_type != FHIR_JSON:
        headers += RENDERED
    headers += [(name.lower().encode(), value.encode()) for name, value in result.headers.items()]
    return headers
