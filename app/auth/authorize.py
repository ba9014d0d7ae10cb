"""The authorization request: what an app asks a person for, checked before anybody is asked.

Until the redirect URI is known to be the client's own, an error is shown and never redirected.
https://hl7.org/fhir/smart-app-launch/app-launch.html#obtain-authorization-code,
https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1, https://www.rfc-editor.org/rfc/rfc9700
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from app.auth import scopes
from app.auth.authority import Authority
from app.auth.clients import REDIRECT, Client, find_client
from app.auth.dpop import JKT
from app.auth.errors import (
    InvalidRequest,
    InvalidScope,
    OAuthError,
    RequestNotSupported,
    RequestURINotSupported,
    UnsupportedResponseType,
)
from app.settings import is_loopback

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""The base64url of a SHA-256. https://www.rfc-editor.org/rfc/rfc7636#section-4.2"""

MAX_TEXT = 2_048
"""Characters of state and of nonce, at most."""

PROMPTS = frozenset({"none", "login", "consent", "select_account"})


@dataclass(frozen=True, slots=True)
class Authorization:
    """What an app asks for: checked, and within its registration.

    `launch` is the handle of an EHR launch, `dpop_jkt` the thumbprint of the key that the code
    works with; `prompt`, `max_age` (seconds) and `ui_locales` are those of OpenID Connect.
    """

    client: Client
    redirect_uri: str
    scope: tuple[str, ...]
    state: str
    code_challenge: str
    nonce: str | None
    launch: str | None
    prompt: frozenset[str]
    max_age: int | None
    ui_locales: str | None
    dpop_jkt: str | None

    @property
    def needs_patient(self) -> bool:
        """Whether a patient in context has to be established: any patient/ scope demands it."""
        if "launch/patient" in self.scope or "launch/careplan" in self.scope:
            return True
        return any(scope.context == "patient" for scope in scopes.parse(" ".join(self.scope)))


class Redirected(Exception):
    """An error that the app is told by a redirect to `location`."""

    def __init__(self, error: OAuthError, location: str, client_id: str) -> None:
        super().__init__(error.description)
        self.error, self.location, self.client_id = error, location, client_id


async def check_authorization(authority: Authority, parameters: Mapping[str, str]) -> Authorization:
    """The authorization that these parameters ask for.

    Raises InvalidRequest while there is nobody to tell but the person; then Redirected.
    """
    client, redirect_uri = await trusted(authority, parameters)
    try:
        return _checked(authority, client, redirect_uri, parameters)
    except OAuthError as error:
        raise told(authority, client, redirect_uri, parameters.get("state"), error) from error


def told(
    authority: Authority, client: Client, redirect_uri: str, state: str | None, error: OAuthError
) -> Redirected:
    """The redirect that tells an app of an error. The redirect URI must be the client's own."""
    said = error.to_json() | ({"state": state} if state else {})
    return Redirected(error, location(authority, redirect_uri, said), client.id)


def location(authority: Authority, redirect_uri: str, said: Mapping[str, str]) -> str:
    """The redirect URI with a response, and who it is from against mix-ups.

    https://www.rfc-editor.org/rfc/rfc9207
    """
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return f"{redirect_uri}{joint}{urlencode(dict(said) | {'iss': authority.issuer})}"


async def trusted(authority: Authority, parameters: Mapping[str, str]) -> tuple[Client, str]:
    """The client, and the redirect URI that it registered. Raises InvalidRequest, to be shown."""
    client_id, redirect_uri = parameters.get("client_id"), parameters.get("redirect_uri")
    client = await find_client(authority.database, client_id) if client_id else None
    if client is None:
        raise InvalidRequest("the app that sent you here is not registered (client_id)")
    if not redirect_uri or not any(_is_same(known, redirect_uri) for known in client.redirect_uris):
        raise InvalidRequest("the app did not register the address to return to (redirect_uri)")
    return client, redirect_uri


def _is_same(registered: str, given: str) -> bool:
    """RFC 9700 2.1: "exact string matching except for port numbers in localhost redirection URIs
    of native apps"."""
    if registered == given:
        return True
    # What urlsplit leaves out without a word, or takes for a fragment, was not registered.
    if not REDIRECT.fullmatch(given):
        return False
    known, asked = urlsplit(registered), urlsplit(given)
    host = known.hostname or ""
    if known.scheme != "http" or host == "localhost" or not is_loopback(host) or "@" in given:
        return False
    bare = (known.scheme, known.hostname, known.path, known.query)
    try:
        has_port = asked.port is None or asked.port > 0
    except ValueError:
        return False
    return has_port and (asked.scheme, asked.hostname, asked.path, asked.query) == bare


def _checked(
    authority: Authority, client: Client, redirect_uri: str, parameters: Mapping[str, str]
) -> Authorization:
    if any("\0" in value for value in parameters.values()):
        raise InvalidRequest("a parameter has characters that cannot be printed")
    _check_kind(parameters)
    _check_audience(authority, parameters)
    launch = parameters.get("launch")
    return Authorization(
        client=client,
        redirect_uri=redirect_uri,
        scope=_scope(client, parameters.get("scope", ""), is_launched=launch is not None),
        state=_text(parameters, "state") or "",
        code_challenge=_challenge(parameters),
        nonce=_text(parameters, "nonce"),
        launch=launch,
        prompt=_prompt(parameters),
        max_age=_max_age(parameters),
        ui_locales=_text(parameters, "ui_locales"),
        dpop_jkt=_thumbprint(parameters),
    )


def _check_kind(parameters: Mapping[str, str]) -> None:
    if "request" in parameters:
        raise RequestNotSupported("send the parameters themselves, not a request object")
    if "request_uri" in parameters:
        raise RequestURINotSupported("the request_uri is unknown, expired, or was used")
    if "response_type" not in parameters:
        raise InvalidRequest("the parameter response_type is missing")
    if parameters["response_type"] != "code":
        raise UnsupportedResponseType("response_type must be code")
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequest("response_mode must be query")
    if not parameters.get("state"):
        raise InvalidRequest("the parameter state is missing")


def _check_audience(authority: Authority, parameters: Mapping[str, str]) -> None:
    """`resource` (RFC 8707) is a synonym of `aud`."""
    said = {parameters[name] for name in ("aud", "resource") if name in parameters}
    if not said:
        raise InvalidRequest("the parameter aud is missing: the FHIR base URL")
    if {each.rstrip("/") for each in said} != {authority.audience}:
        raise InvalidRequest("aud is not the FHIR base URL of this server")


def _challenge(parameters: Mapping[str, str]) -> str:
    challenge = parameters.get("code_challenge")
    if challenge is None:
        raise InvalidRequest("the parameter code_challenge is missing: PKCE is required")
    # RFC 7636 4.3: without a method it is plain, which SMART forbids.
    if parameters.get("code_challenge_method") != "S256":
        raise InvalidRequest("code_challenge_method must be S256")
    if not CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("code_challenge must be the base64url of a SHA-256")
    return challenge


def _thumbprint(parameters: Mapping[str, str]) -> str | None:
    """https://www.rfc-editor.org/rfc/rfc9449#section-10"""
    jkt = parameters.get("dpop_jkt")
    if jkt is not None and not JKT.fullmatch(jkt):
        raise InvalidRequest("dpop_jkt must be the thumbprint of a key")
    return jkt


def _text(parameters: Mapping[str, str], name: str) -> str | None:
    value = parameters.get(name)
    if value is not None and (len(value) > MAX_TEXT or not value.isprintable()):
        raise InvalidRequest(f"{name} has at most {MAX_TEXT} printable characters")
    return value


def _prompt(parameters: Mapping[str, str]) -> frozenset[str]:
    asked = frozenset(parameters.get("prompt", "").split())
    if asked - PROMPTS or ("none" in asked and len(asked) > 1):
        raise InvalidRequest(f"prompt is one of {', '.join(sorted(PROMPTS))}")
    return asked


def _max_age(parameters: Mapping[str, str]) -> int | None:
    value = parameters.get("max_age")
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise InvalidRequest("max_age is a number of seconds")
    return int(value)


def _scope(client: Client, asked: str, *, is_launched: bool) -> tuple[str, ...]:
    """What of the request a person may be asked to grant. Raises InvalidScope.

    What is unknown is passed over; what could not be enforced, or lies beyond the registration, is
    refused.
    """
    known = [text for text in dict.fromkeys(asked.split()) if _is_askable(client, text)]
    # Only a record system knows which visit it is about.
    granted = tuple(text for text in known if is_launched or text != "launch/encounter")
    if is_launched != ("launch" in granted):
        raise InvalidRequest("an EHR launch has both the parameter launch and the scope launch")
    if not granted:
        raise InvalidScope("no scope of the request means anything here")
    return granted


def is_registered(client: Client, text: str) -> bool:
    """Whether a scope lies within what the client is registered for."""
    scope = scopes.parse_one(text)
    if scope is None:
        return text in client.scope.split()
    return scopes.covers(scopes.parse(client.scope), scope)


def _is_askable(client: Client, text: str) -> bool:
    scope = scopes.parse_one(text)
    if scope is None and text not in scopes.SESSION:
        if "?" in text:
            raise InvalidScope("a scope is narrowed by what cannot be enforced")
        return False
    if scope and scope.context == "system":
        raise InvalidScope("system/ scopes are for clients that act for themselves")
    if not is_registered(client, text):
        raise InvalidScope("a scope lies beyond what the client is registered for")
    return True
