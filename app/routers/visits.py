"""One request of a person's browser: who it is, in which language, and how a page goes out."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request as HTTPRequest
from fastapi import Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.auth.authority import Authority, Event
from app.auth.authorize import Authorization
from app.auth.handles import new_handle
from app.auth.pages import chosen_language, render, say
from app.auth.sessions import Session, cookie_name, csrf_token, find_session, is_secure
from app.fhir.engine import Engine
from app.routers import negotiation

POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers would then say "Origin: null" when a form is sent.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class PageError(Exception):
    """What a person is shown instead of the page; `message` is a key of the catalogue."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of a browser; `cookie` is what identifies it, `form` what it sent."""

    authority: Authority
    engine: Engine
    http: HTTPRequest
    event: Event
    cookie: str
    session: Session | None
    form: Mapping[str, str]
    is_new: bool

    @property
    def root(self) -> str:
        """The URL the pages are under."""
        return f"{self.authority.issuer}/auth"

    @property
    def csrf(self) -> str:
        """What forms of this browser must carry."""
        return csrf_token(self.cookie)

    async def record(self, **changed: Any) -> None:
        """Leave the event in the audit trail, with who is signed in."""
        account = self.session.account if self.session else None
        event = self.event
        if account:
            event = replace(
                event, user=account.subject, fhir_user=account.fhir_user, role=account.role
            )
        await self.authority.audit(replace(event, **changed))

    def check_form(self) -> None:
        """Refuse a form that no page of ours sent. Raises PageError.

        https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
        """
        parts = urlsplit(self.authority.issuer)
        origin = self.http.headers.get("origin", f"{parts.scheme}://{parts.netloc}")
        is_ours = hmac.compare_digest(self.form.get("csrf", "").encode(), self.csrf.encode())
        if self.is_new or not is_ours or origin != f"{parts.scheme}://{parts.netloc}":
            raise PageError("error.form", 403)

    def page(
        self, template: str, asked: Authorization | None = None, status: int = 200, **values: Any
    ) -> Response:
        """A page as response; `asked` is the request of the app it is about."""
        role = self.session.account.role if self.session else ""
        values = {"csrf": self.csrf, "role": role} | values
        html = render(template, self.language(asked), self.root, **values)
        return self.sealed(HTMLResponse(html, status), asked)

    def language(self, asked: Authorization | None = None) -> str:
        """The language of a page: as the app wishes, then as the browser does."""
        wished = asked.ui_locales if asked else None
        return chosen_language(wished, self.http.headers.get("accept-language"))

    def scripted(self, page: Response) -> Response:
        """A page that runs the one script of ours."""
        policy = page.headers["Content-Security-Policy"]
        page.headers["Content-Security-Policy"] = f"{policy}; script-src 'self'"
        return page

    def say(self, key: str, **values: Any) -> str:
        """A sentence in the language of this browser."""
        return say(self.language(), key, **values)

    def redirect(self, url: str) -> Response:
        """303, so that no browser sends a form, and with it a password, a second time."""
        return self.sealed(RedirectResponse(url, 303))

    def sealed(self, response: Response, asked: Authorization | None = None) -> Response:
        """The response with the headers every page has, and the cookie of a new browser."""
        targets = "'self'" + (f" {origin(asked.redirect_uri)}" if asked else "")
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers["Content-Security-Policy"] = f"{POLICY} {targets}"
        response.headers["X-Request-Id"] = self.event.request_id
        if is_secure(self.authority):
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if self.is_new:
            set_cookie(self.authority, response, self.cookie)
        return response


async def visit(
    authority: Authority, engine: Engine, http: HTTPRequest, form: Mapping[str, str]
) -> Visit:
    """The visit a request is; the database tells whether somebody is signed in."""
    cookie = http.cookies.get(cookie_name(authority))
    headers = negotiation.joined(http.scope["headers"])
    source = http.client.host if http.client else None
    return Visit(
        authority=authority,
        engine=engine,
        http=http,
        event=Event("authorize", negotiation.request_id(headers), source),
        cookie=cookie or new_handle(),
        session=await find_session(authority.database, cookie) if cookie else None,
        form=form,
        is_new=cookie is None,
    )


def set_cookie(authority: Authority, response: Response, value: str) -> None:
    """Give the browser its cookie, which scripts cannot read and other sites' forms do not send."""
    response.set_cookie(
        cookie_name(authority),
        value,
        path="/",
        secure=is_secure(authority),
        httponly=True,
        samesite="lax",
    )


def origin(redirect_uri: str) -> str:
    """What a content security policy calls the place an app is at."""
    parts = urlsplit(redirect_uri)
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"
