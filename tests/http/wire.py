"""Requests that no decent HTTP client would send, as the server hands them to the application."""

from collections.abc import Sequence
from typing import Any

import httpx
from fastapi import FastAPI

from app.settings import FHIR_PATH

Message = dict[str, Any]


async def send(
    app: FastAPI,
    client: httpx.AsyncClient,
    target: str,
    *,
    query: bytes = b"",
    messages: Sequence[Message] = ({"type": "http.request"},),
) -> httpx.Response:
    """Answer a request with the token of the client; `target` is a method and a path."""
    method, path = target.split(" ", 1)
    token = client.headers["authorization"].encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "headers": [(b"authorization", token), (b"host", b"127.0.0.1:8000")],
        "scheme": "http",
        "path": FHIR_PATH + path,
        "raw_path": (FHIR_PATH + path).encode("utf-8", "replace"),
        "query_string": query,
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    left, sent = list(messages), []

    async def receive() -> Message:
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def keep(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=content)
