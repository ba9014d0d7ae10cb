"""A person's browser and an app's server, by HTTP alone."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Form:
    """A form of a page: where it goes, and what it sends unless a person changes it."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


class Page(HTMLParser):
    """What a page says and asks."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag == "form":
            self.forms.append(Form(given["action"]))
        if tag == "input" and given.get("type") == "radio":
            self.forms[-1].choices.setdefault(given["name"], []).append(given["value"])
        elif tag == "input":
            self.forms[-1].values[given["name"]] = given.get("value", "")
        elif tag == "button" and "name" in given:
            self.forms[-1].choices.setdefault(given["name"], []).append(given["value"])

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(" ".join(data.split()))

    def form(self, action: str) -> Form:
        """The first form that goes to this path."""
        return next(form for form in self.forms if urlsplit(form.action).path.endswith(action))


@dataclass
class Browser:
    """A browser that keeps cookies and goes where this server sends it, but no further."""

    http: httpx.AsyncClient
    origin: str

    async def get(self, url: str, **parameters: Any) -> httpx.Response:
        return await self._follow(await self.http.get(url, params=parameters or None))

    async def send(self, form: Form, **values: str) -> httpx.Response:
        """Send a form as it is, but for these values; None takes one away."""
        headers = FORM | {"Origin": self.origin}
        data = {name: value for name, value in (form.values | values).items() if value is not None}
        return await self._follow(await self.http.post(form.action, data=data, headers=headers))

    async def _follow(self, response: httpx.Response) -> httpx.Response:
        while response.status_code == 303 and response.headers["location"].startswith(self.origin):
            response = await self.http.get(response.headers["location"])
        return response


@dataclass
class App:
    """An app: its registration, and what it remembers of a launch."""

    http: httpx.AsyncClient
    issuer: str
    client_id: str
    redirect_uri: str = "https://app.example/callback"
    secret: str | None = None
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def request(self, scope: str | None, **changed: str | None) -> dict[str, str]:
        """The parameters of an authorization request; None takes one away."""
        hashed = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest())
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": self.state,
            "aud": f"{self.issuer}/fhir",
            "code_challenge": hashed.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (asked | changed).items() if value is not None}

    async def redeem(self, code: str | None, **changed: str | None) -> httpx.Response:
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return await self.token(asked | changed)

    async def refresh(self, token: str, **changed: str | None) -> httpx.Response:
        asked = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.token(asked | changed)

    async def token(self, asked: dict[str, Any]) -> httpx.Response:
        if self.secret is None:
            asked = {"client_id": self.client_id} | asked
        data = {name: value for name, value in asked.items() if value is not None}
        auth = (self.client_id, self.secret) if self.secret else None
        return await self.http.post(f"{self.issuer}/auth/token", data=data, headers=FORM, auth=auth)

    async def post(self, name: str, **data: str) -> httpx.Response:
        """Post to another endpoint under /auth."""
        auth = (self.client_id, self.secret) if self.secret else None
        body = data if auth else {"client_id": self.client_id, **data}
        return await self.http.post(
            f"{self.issuer}/auth/{name}", data=body, headers=FORM, auth=auth
        )


def returned(response: httpx.Response) -> dict[str, str]:
    """What the app is told by the redirect that ends at it."""
    assert response.status_code == 303, response.text
    query = parse_qs(urlsplit(response.headers["location"]).query, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}
