"""Cross-origin requests: for apps that run in browsers, never for the pages people see.

RFC 9700 2.6: "CORS MUST NOT be supported at the authorization endpoint".
https://hl7.org/fhir/smart-app-launch/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support
"""

from collections.abc import Awaitable
from functools import partial

from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.routers.pages import PAGES

EXPOSED = [
    "ETag",
    "Location",
    "Content-Location",
    "Last-Modified",
    "Retry-After",
    "X-Progress",
    "Preference-Applied",
    "WWW-Authenticate",
    "X-Request-Id",
]


class CrossOrigin:
    """Answers CORS for every path but the pages; `path` is that of the issuer, `origins` a list."""

    def __init__(self, app: ASGIApp, path: str, origins: str) -> None:
        self._pages = {f"{path}/auth/{name}" for _, name, _ in PAGES}
        self._web = f"{path}/app"
        self._app = app
        self._shared = CORSMiddleware(
            app,
            allow_origins=origins.split(","),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_page(scope["path"]):
            await self._app(scope, receive, send)
        elif b"origin" in dict(scope["headers"]):
            await self._shared(scope, receive, send)
        else:
            # Most requests are of no browser: what CORSMiddleware does with them is this little.
            await self._app(scope, receive, partial(_varied, send))

    def _is_page(self, path: str) -> bool:
        return path in self._pages or path == self._web or path.startswith(f"{self._web}/")


def _varied(send: Send, message: Message) -> Awaitable[None]:
    """Send a message; an answer says that it might be another one for another origin.

    https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches
    """
    if message["type"] == "http.response.start":
        lines = message.get("headers", ())
        said = b", ".join([*(value for name, value in lines if name == b"vary"), b"Origin"])
        message["headers"] = [*(line for line in lines if line[0] != b"vary"), (b"vary", said)]
    return send(message)
